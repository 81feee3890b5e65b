"""Sweeps: all of them in a table with the form for a new one, or one of them with its trials."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cnnlab.paths import runs_dir
from cnnlab.runs import Run, RunError
from cnnlab.sweeps.folder import SweepFolder, list_sweeps
from cnnlab.sweeps.storage import SweepError
from cnnlab.sweeps.study import best_of
from cnnlab.ui import words
from cnnlab.ui.train.link_table import HOW, link_table
from cnnlab.ui.train.sweep_actions import MESSAGE
from cnnlab.ui.train.sweep_editor import sweep_editor
from cnnlab.ui.train.sweep_status import read_sweep
from cnnlab.ui.train.sweep_view import GONE, sweep_view
from cnnlab.ui.train.views import show_sweep, wanted_sweep


def sweeps_view(runs: Sequence[Run]) -> None:
    """The sweep that was asked for, else all, with the form for a new one beside ``runs``."""
    if name := wanted_sweep():
        st.button("All sweeps", icon=":material/arrow_back:", key="sweep.back", type="tertiary", on_click=_back)
        _tell()
        try:
            folder = SweepFolder(runs_dir(), name)
        except RunError:
            st.warning(GONE.format(words.plain(name)))
            return
        sweep_view(folder)
        return
    _tell()
    folders = list_sweeps(runs_dir())
    if folders:
        _table(folders)
    else:
        st.info(
            "**There is no sweep yet.** A sweep trains the network of the sidebar again and again, each time with "
            "other values of the settings that you choose, and learns from each trial which to try next. Hopeless "
            "trials are cut short. Choose below what to vary, then **Start the sweep**: each trial is an ordinary run.",
            icon=":material/travel_explore:",
        )
    sweep_editor(runs)


def _back() -> None:
    show_sweep(None)


def _tell() -> None:
    if message := st.session_state.pop(MESSAGE, None):
        st.error(words.plain(message), icon=":material/error:")


def _table(folders: list[SweepFolder]) -> None:
    rows = []
    for folder in folders:
        try:
            rows.append(_row(folder))
        except SweepError as error:
            st.warning(words.plain(str(error)), icon=":material/folder_off:")
    if not rows:
        return
    st.caption(HOW.format("sweep"))
    link_table(
        pd.DataFrame(rows),
        "Sweep",
        "sweeps.table",
        [str(row["Sweep"]) for row in rows],
        show_sweep,
        {"Best validation accuracy": st.column_config.NumberColumn(format="%.2f %%")},
    )


def _row(folder: SweepFolder) -> dict[str, object]:
    sweep = read_sweep(folder)
    trials, plan = sweep.trials(), sweep.plan()
    counts = Counter(trial.state for trial in trials)
    best = best_of(trials)
    return {
        "Sweep": folder.name,
        "State": sweep.state(trials),
        "Trials": plan.trials if plan else None,
        "Finished": counts["finished"],
        "Pruned": counts["pruned"],
        "Failed": counts["failed"],
        "Running": counts["running"] + counts["queued"],
        "Best validation accuracy": words.hundredfold(best.accuracy if best else None),
        "Varies": " ".join(plan.vary) if plan else "",
    }
