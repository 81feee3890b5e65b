"""One run, live or old: its state, progress, figures, curves, log, and what can be done with it.

What is live fetches its own data: the page runs again only when the run's state changes.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnnlab import launch
from cnnlab.config import TrainConfig, applies, form_facts, title
from cnnlab.figures.classes import class_accuracy_figure
from cnnlab.figures.curves import curves_figure
from cnnlab.figures.style import SPLIT_COLORS, SPLIT_NAMES
from cnnlab.recipes import RECIPES
from cnnlab.runs import LIVE, Run, RunError, State, names_of
from cnnlab.ui import words
from cnnlab.ui.followed import route
from cnnlab.ui.live_plot import live_plot
from cnnlab.ui.train.live_status import live_status
from cnnlab.ui.train.run_actions import MESSAGE, run_actions
from cnnlab.ui.train.run_trial import trial_note
from cnnlab.ui.train.settings_words import in_full
from cnnlab.ui.train.status import end_message, watched_split
from cnnlab.ui.train.views import current_run, open_run, tell_no_run, wanted_run

LOG_EVERY = 2.0  # seconds between two looks at a live run's log


def run_view(runs: Sequence[Run]) -> None:
    """The view of the chosen one of ``runs``."""
    run = current_run(runs)
    if run is None and (wanted := wanted_run()):
        st.warning(
            f"There is no run '{words.plain(wanted)}': it may have been deleted. **All runs** has those that there are."
        )
        return
    if run is None:
        tell_no_run()
        return
    try:
        facts, config = run.facts(), run.config
    except RunError as error:
        st.error(words.plain(str(error)))
        return
    state = run.state()
    _header(run, runs, state, config)
    if message := st.session_state.pop(MESSAGE, None):
        st.error(words.plain(message), icon=":material/error:")
    if state == "failed":
        st.error(words.plain(end_message(run)), icon=":material/error:")
    live_status(run, state)
    _curves(run, config, live=state in LIVE)
    each_class, log, settings = st.tabs(["Each class", "Log", "Settings"], on_change="rerun", key="run.tabs")
    if each_class.open:  # what nobody looks at need not be kept up to date
        with each_class:
            if config.watch_test or facts.get("images", {}).get("val", 1):
                _classes(run, config, state in LIVE, facts.get("class_names", []))
            else:
                st.info("This run holds out no validation images: nothing is known of its classes.",
                        icon=":material/visibility_off:")  # fmt: skip
    if log.open:
        with log:
            _log(run, live=state in LIVE)
    if settings.open:
        with settings:
            _settings(config, facts)


# ── header ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _header(run: Run, runs: Sequence[Run], state: State, config: TrainConfig) -> None:
    icon, colour, meaning = words.STATES[state]
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        names = names_of(runs)
        key = f"run.widget.{run.id}.{run.name}"  # a renamed run needs a new widget, for an old one keeps its labels
        st.session_state.setdefault(key, run.id)
        st.selectbox(
            "Run",
            [r.id for r in runs],
            key=key,
            format_func=lambda i: names.get(i, i),
            on_change=_chosen,
            args=(key,),
            width=380,
            persist_state="session",
        )
        with st.container(horizontal=True, width="content"):
            run_actions(run, state, config)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            state, icon=icon, color=colour, help=f"This run {meaning}." if state in LIVE else meaning.capitalize() + "."
        )
        recipe = run.recipe
        st.caption(words.task(config) + (f" · recipe {words.plain(words.recipe(recipe))}" if recipe else ""))
        trial_note(run)


def _chosen(key: str) -> None:
    open_run(st.session_state.pop(key))


# ── what changes while it trains ──────────────────────────────────────────────────────────────────────────────────


def _curves(run: Run, config: TrainConfig, live: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Curves", anchor=False, width="content")
        unit = st.segmented_control(
            "Over",
            ("step", "epoch"),
            default="step",
            key="curves.unit",
            label_visibility="collapsed",
            required=True,
            persist_state="session",
            format_func=lambda u: f"over {u}s",
        )
        log = st.toggle(
            "Log loss", key="curves.log", persist_state="session", help="Shows small and large losses alike."
        )
    st.caption(
        "Both losses should fall. If validation loss rises while training loss falls on, the network overfits: "
        "it memorises the training images. Training figures are means over an epoch, in which it was still learning."
        + (
            " Label smoothing raises training loss alone: look at its shape, not its height."
            if config.label_smoothing
            else ""
        )
    )
    figure = curves_figure({}, axis=unit, log_loss=log)
    live_plot(
        figure,
        route(run, f"curves?unit={unit}"),
        live,
        run.name,
        key=f"curves.{run.id}.{unit}.{log}",
        alt=f"Loss and accuracy of {run.name} over its {unit}s; the figures above tell the last.",
    )


def _classes(run: Run, config: TrainConfig, live: bool, names: Sequence[str]) -> None:
    split = watched_split(run, config)
    st.caption(f"Accuracy on the {SPLIT_NAMES[split]} images of each class, after the last evaluation.")
    live_plot(
        class_accuracy_figure(names, [None] * len(names), SPLIT_COLORS[split]),
        route(run, "classes"),
        live,
        f"{run.name} classes",
        key=f"classes.{run.id}",
        alt=f"Accuracy of {run.name} on the {SPLIT_NAMES[split]} images of each class.",
    )


def _log(run: Run, live: bool) -> None:
    @st.fragment(run_every=LOG_EVERY if live else None)
    def log() -> None:
        st.code(run.log_tail() or "Nothing yet.", language=None, height=260)

    log()


def _settings(config: TrainConfig, facts: dict[str, Any]) -> None:
    recipe = facts.get("recipe")
    st.code(
        launch.shown_command(
            ["train", *launch.flags(config, recipe if recipe in RECIPES else None)], facts.get("processes", 1)
        ),
        language="bash",
        wrap_lines=True,
    )
    device, counts = facts.get("device"), facts.get("images")
    if device and counts:
        st.caption(
            f"{facts['parameters']:,} parameters · {counts['train']:,} training, {counts['val']:,} validation, "
            f"{counts['test']:,} test images · {device['type']} ({words.plain(device['name'])}, "
            f"{device['threads']} threads"
            + (f" in each of {facts['processes']} processes" if facts.get("processes", 1) > 1 else "")
            + ") · "
            + ", ".join(f"{name} {version}" for name, version in facts.get("versions", {}).items())
        )
    rows = [
        {"Setting": title(name), "Value": in_full(name, value), "Unit": form_facts(name)["unit"]}
        for name, value in config
        if applies(name, config.model_dump())
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=280)
