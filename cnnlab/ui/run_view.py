"""One run, live or old: its state, progress, figures, curves, log, and what can be done with it.

What is live is drawn in a fragment that runs again each second; the charts fetch their own data.
"""

from typing import Any

import streamlit as st

from cnnlab import launch
from cnnlab.config import TrainConfig, applies, extra
from cnnlab.figures.classes import class_accuracy_figure
from cnnlab.figures.curves import curves_figure
from cnnlab.loader import steps_per_epoch
from cnnlab.recipes import RECIPES
from cnnlab.runs import LIVE, Run, RunError, State, list_runs
from cnnlab.summary import summarise
from cnnlab.ui import words
from cnnlab.ui.live_plot import live_plot
from cnnlab.ui.run_actions import MESSAGE, run_actions
from cnnlab.ui.views import current_run, open_run, wanted_run

EVERY = 2.0  # seconds between two looks at a live run


def run_view() -> None:
    """The view of the chosen run."""
    run = current_run()
    if run is None and (wanted := wanted_run()):
        st.warning(f"There is no run '{wanted}': it may have been deleted. **All runs** has those that there are.")
        return
    if run is None:
        st.info("There is no run yet. Choose **New run**, then **Start training**.", icon=":material/rocket_launch:")
        return
    try:
        facts, config = run.facts(), run.config
    except RunError as error:
        st.error(str(error))
        return
    state = run.state()
    _header(run, state, config)
    if message := st.session_state.pop(MESSAGE, None):
        st.error(message, icon=":material/error:")
    _status(run, config, facts, state)
    _curves(run, live=state in LIVE)
    each_class, log, settings = st.tabs(["Each class", "Log", "Settings"], on_change="rerun", key="run.tabs")
    if each_class.open:  # what nobody looks at need not be kept up to date
        with each_class:
            _classes(run, config, live=state in LIVE)
    if log.open:
        with log:
            _log(run, live=state in LIVE)
    if settings.open:
        with settings:
            _settings(config, facts)


# ── header ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _header(run: Run, state: State, config: TrainConfig) -> None:
    icon, colour, meaning = words.STATES[state]
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        runs = list_runs(run.path.parent)
        names = {r.id: r.name for r in runs}
        key = f"run.widget.{run.name}"  # a renamed run needs a new widget, for an old one keeps its labels
        st.session_state.setdefault(key, run.id)
        st.selectbox(
            "Run",
            [r.id for r in runs],
            key=key,
            format_func=lambda i: names.get(i, i),
            on_change=_chosen,
            args=(key,),
            width=380,
        )
        with st.container(horizontal=True, width="content"):
            run_actions(run, state, config)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            state, icon=icon, color=colour, help=f"This run {meaning}." if state in LIVE else meaning.capitalize() + "."
        )
        recipe = run.recipe
        st.caption(f"{config.model} on {config.dataset}" + (f" · recipe {recipe}" if recipe else ""))


def _chosen(key: str) -> None:
    open_run(st.session_state.pop(key))


# ── what changes while it trains ──────────────────────────────────────────────────────────────────────────────────


def _status(run: Run, config: TrainConfig, facts: dict[str, Any], state: State) -> None:
    @st.fragment(run_every=EVERY if state in LIVE else None)
    def status() -> None:
        now = run.state()
        if now != state:
            st.rerun()  # the whole page: its buttons are others now
        _progress(run, config, facts, now)
        _tiles(run, config)

    status()


def _progress(run: Run, config: TrainConfig, facts: dict[str, Any], state: State) -> None:
    last = run.last_record() or {}
    step = int((run.last_record("step") or {}).get("step", 0))
    if state in LIVE:
        facts = run.facts()
    images = facts.get("images", {}).get("train")
    total = config.epochs * steps_per_epoch(images, config.batch_size) if images else 0
    if state == "queued" and (other := _at_work(run)):
        st.progress(0.0, f"Waiting for its turn: {other.name} is training.")
    elif state == "queued":
        st.progress(0.0, "Starting: Python and PyTorch are being loaded …")
    elif state == "running" and not (total and step):
        st.progress(0.0, "Preparing the data and the network …")
    elif state == "running":
        epoch = last.get("epoch", 1)
        speed = (run.last_record("step") or {}).get("images_per_second", 0.0)
        left = f", about {words.duration((total - step) * config.batch_size / speed)} left" if speed else ""
        text = f"Epoch {epoch} of {config.epochs} · step {step:,} of {total:,} · {speed:,.0f} images per second{left}"
        st.progress(min(1.0, step / total), text)
    else:
        message = last.get("message", "Its process ended without a word: the machine or a person cut it off.")
        if state == "failed":
            st.error(message, icon=":material/error:")
        else:
            st.progress(
                min(1.0, step / total) if total else 0.0,
                f"{message} {step:,} of {total:,} steps." if total else message,
            )


def _at_work(run: Run) -> Run | None:
    """Another run that is training, for which ``run`` may have to wait."""
    return next((r for r in list_runs(run.path.parent) if r.id != run.id and r.state() == "running"), None)


def _tiles(run: Run, config: TrainConfig) -> None:
    epoch = run.last_record("epoch") or {}
    step = run.last_record("step") or {}
    split = "test" if "test/loss" in epoch or _watches_test_alone(config) else "val"
    label = {"val": "Validation", "test": "Test"}[split]
    with st.grid(5, min_column_width=150):
        training = epoch.get("train/loss", step.get("train/loss"))
        st.metric("Training loss", words.loss(training), border=True, help="Mean over the last epoch's images.")
        st.metric(f"{label} loss", words.loss(epoch.get(f"{split}/loss")), border=True, help="After the last epoch.")
        accuracy = words.percent(epoch.get(f"{split}/accuracy"))
        st.metric(f"{label} accuracy", accuracy, border=True, help="After the last epoch.")
        if split == "test":
            st.metric(
                "Best so far", "not chosen", border=True, help="Nothing is chosen by test images: the last counts."
            )
        else:
            where = f" (epoch {epoch['best/epoch']})" if "best/epoch" in epoch else ""
            st.metric(
                f"Best so far{where}",
                words.percent(epoch.get("best/accuracy")),
                border=True,
                help="The validation accuracy where the validation loss was lowest; those weights are kept as best.",
            )
        st.metric("Time", words.duration(summarise(run).duration), border=True, help="Training and evaluating.")


def _watches_test_alone(config: TrainConfig) -> bool:
    return config.watch_test and not config.validation_fraction


def _curves(run: Run, live: bool) -> None:
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
    st.caption(
        "Both losses should fall. If validation loss rises while training loss falls on, the network learns its images "
        "by heart. Training figures are means over an epoch, in which the network was still learning."
    )
    figure = curves_figure({}, axis=unit)
    live_plot(figure, f"/lab/runs/{run.id}/curves?unit={unit}", live, run.name, key=f"curves.{run.id}.{unit}")


def _classes(run: Run, config: TrainConfig, live: bool) -> None:
    split = "test" if _watches_test_alone(config) else "validation"
    st.caption(f"Accuracy on the {split} images of each class, after the last evaluation.")
    live_plot(
        class_accuracy_figure([], []),
        f"/lab/runs/{run.id}/classes",
        live,
        f"{run.name} classes",
        key=f"classes.{run.id}",
    )


def _log(run: Run, live: bool) -> None:
    @st.fragment(run_every=EVERY if live else None)
    def log() -> None:
        st.code(run.log_tail() or "Nothing yet.", language=None, height=260)

    log()


def _settings(config: TrainConfig, facts: dict[str, Any]) -> None:
    recipe = facts.get("recipe")
    st.code(
        launch.shown_command(["train", *launch.flags(config, recipe if recipe in RECIPES else None)]),
        language="bash",
        wrap_lines=True,
    )
    device, counts = facts.get("device"), facts.get("images")
    if device and counts:
        st.caption(
            f"{facts['parameters']:,} parameters · {counts['train']:,} training, {counts['val']:,} validation, "
            f"{counts['test']:,} test images · {device['type']} ({device['name']}, {device['threads']} threads) · "
            + ", ".join(f"{name} {version}" for name, version in facts.get("versions", {}).items())
        )
    rows = [
        {"setting": info.title, "value": str(value), "unit": extra(name)["unit"]}
        for name, value in config.model_dump(mode="json").items()
        if applies(name, config.model_dump())
        for info in [TrainConfig.model_fields[name]]
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=280)
