"""What a sweep has found: its best settings to take over, its figures, its trials."""

import pandas as pd
import streamlit as st

from cnnlab.config import title
from cnnlab.parsing import adapt
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.importance import ENOUGH, importance
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.study import JUDGED, Sweep, Trial, best_of
from cnnlab.ui import words
from cnnlab.ui.train.link_table import HOW, link_table
from cnnlab.ui.train.settings import fill_form
from cnnlab.ui.train.sweep_figures import history, importances, parallel
from cnnlab.ui.train.sweep_status import settings_text, value_text
from cnnlab.ui.train.views import open_run, show_view

FEW = 200  # validation images, of which one is half a point


def best_settings(folder: SweepFolder, plan: Plan, trials: list[Trial]) -> None:
    """The best trial with what can be done with it; else why there is none."""
    best = best_of(trials)
    if best is None:
        ended = [trial for trial in trials if trial.state in JUDGED]
        if ended and all(trial.state == "failed" for trial in ended):
            st.error(
                f"**No trial could be trained.** The last: {words.plain(str(ended[-1].reason))}",
                icon=":material/error:",
            )
        elif ended:
            st.info("No trial has finished yet: all were cut short or failed.", icon=":material/hourglass_empty:")
        return
    run = best.run_in(folder)
    count = run.facts().get("images", {}).get("val", 0) if run else 0
    images = words.images(count, "validation") if count else "validation images"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/trophy: **Best: {words.percent(best.accuracy)}** of the {images}, with "
            f"**{words.plain(settings_text(best))}** (trial {best.number})"
        )
        st.button(
            "Use the best settings",
            icon=":material/input:",
            key="sweep.take",
            type="primary",
            on_click=_take_over,
            args=(plan, best),
            help="Fills the form in the sidebar.",
        )
        if run:
            st.button(
                "Open its run", icon=":material/open_in_new:", key="sweep.best", on_click=open_run, args=(run.id,)
            )
    if 0 < count < FEW:
        st.caption(f"One image is {100 / count:.1f} points: small differences between trials tell nothing.")


def _take_over(plan: Plan, best: Trial) -> None:
    fill_form(adapt(plan.config, best.settings), plan.recipe)
    show_view("New run")


def figures(sweep: Sweep, plan: Plan, trials: list[Trial]) -> None:
    """History, importance and parallel coordinates; nothing before a trial was judged."""
    if not any(trial.accuracy is not None and trial.state in JUDGED for trial in trials):
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("History", anchor=False)
        history(sweep.folder, trials, on_pick=lambda number: _open(sweep.folder, trials, number))
    with right:
        st.subheader("What mattered", anchor=False)
        shares = importance(sweep)
        if shares:
            st.caption("What sets the best tenth of the finished trials apart (PED-ANOVA).")
            importances(sweep.folder, shares)
        elif len(plan.vary) < 2:
            st.caption("Only one setting is varied: there is nothing to compare it with.")
        else:
            st.caption(f"Told once {ENOUGH} trials have finished: fewer say little.")
    st.subheader("Settings and accuracy", anchor=False)
    st.caption(
        "Each line is a trial; where the lines of good trials meet on an axis, that value matters. Click to open."
    )
    parallel(sweep.folder, plan, trials, on_pick=lambda number: _open(sweep.folder, trials, number))


def _open(folder: SweepFolder, trials: list[Trial], number: int) -> None:
    trial = next(trial for trial in trials if trial.number == number)
    if trial.run_in(folder):
        open_run(trial.run)
        return
    gone = f"The run {trial.run} is not in this folder of runs." if trial.run else f"Trial {number} has no run."
    st.toast(words.plain(gone), icon=":material/folder_off:")


def trials_table(folder: SweepFolder, plan: Plan, trials: list[Trial]) -> None:
    """All trials, from which their runs are opened."""
    if not trials:
        return
    st.subheader("Trials", anchor=False)
    st.caption(f"The best first. {HOW.format('run')}")
    ordered = sorted(trials, key=lambda trial: (-(trial.accuracy or 0.0), trial.number))
    names = [setting.name for setting in plan.varied]
    table = pd.DataFrame(
        {
            "Trial": [t.number for t in ordered],
            "Run": [t.run or None for t in ordered],
            "State": [t.state for t in ordered],
            words.BEST_ACCURACY: [words.hundredfold(t.accuracy) for t in ordered],
            **{
                title(name): [value_text(t.settings[name]) if name in t.settings else None for t in ordered]
                for name in names
            },
            "Why it failed": [t.reason or None for t in ordered],
        }
    )
    if not any(t.reason for t in ordered):
        table = table.drop(columns="Why it failed")
    link_table(
        table,
        "Run",
        f"sweep.trials.{folder.name}",
        [t.number for t in ordered],
        lambda number: _open(folder, trials, number),
        {words.BEST_ACCURACY: st.column_config.NumberColumn(format="%.2f %%")},
        height="content" if len(ordered) <= 12 else 460,
    )
