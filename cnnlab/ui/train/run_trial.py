"""Of a run that is a sweep's trial: which, and why it ended."""

import streamlit as st

from cnnlab.runs import Run, RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.storage import SweepError
from cnnlab.sweeps.study import Trial
from cnnlab.ui import words
from cnnlab.ui.train.sweep_status import read_sweep
from cnnlab.ui.train.views import show_sweep


def trial_note(run: Run) -> None:
    """A button to the run's sweep, if it has one, and a word on a trial that was cut short."""
    name, trial = _trial_of(run)
    if trial is None:
        return
    st.button(f"Trial {trial.number} of {words.plain(name)}", icon=":material/travel_explore:", key="run.sweep",
              type="tertiary", on_click=show_sweep, args=(name,))  # fmt: skip
    if trial.state == "pruned":
        st.caption("Cut short: at the same epoch most other trials were better.", width="content")


def _trial_of(run: Run) -> tuple[str, Trial | None]:
    """The name of the run's sweep, and its trial; None where it is no trial, or of a sweep that is gone."""
    name = run.facts().get("sweep")
    if not name:
        return "", None
    try:
        folder = SweepFolder(run.path.parent, name)
        trials = read_sweep(folder).trials() if folder.exists() else []
    except (RunError, SweepError):
        return name, None
    return name, next((trial for trial in trials if trial.run == run.id and trial.run_in(folder)), None)
