"""What can be done with a sweep: stop, go on, delete; the last asks first."""

import streamlit as st

from cnnlab.runs import RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.start import join_arguments, start_sweep
from cnnlab.sweeps.storage import SweepError
from cnnlab.sweeps.study import JUDGED, Sweep, Trial
from cnnlab.sweeps.sweep import untried
from cnnlab.ui import words
from cnnlab.ui.train.views import show_sweep

MESSAGE = "sweep.message"  # what went wrong, for the next drawing of the page to say
MORE = 10  # trials by which a finished sweep goes on, unless a person says otherwise


def sweep_actions(sweep: Sweep, plan: Plan, trials: list[Trial], state: str) -> None:
    """The buttons for ``sweep``."""
    folder = sweep.folder
    if state == "running":
        asked = folder.stop_requested()
        st.button(
            "Stopping …" if asked else "Stop",
            icon=":material/stop:",
            key="sweep.stop",
            disabled=asked or not folder.at_work(),
            help=None if folder.at_work() else "Its workers are on other hosts: stop them there.",
            on_click=_stop,
            args=(folder,),
        )
        return
    tried = [trial.settings for trial in trials if trial.state in JUDGED]
    if untried(plan, tried) == []:
        st.caption("All combinations have been tried.")
    else:
        _go_on_button(folder, plan, len(tried))
    delete_button(folder, sweep, trials)


def _stop(folder: SweepFolder) -> None:
    try:
        folder.request_stop()
    except RunError as error:
        st.session_state[MESSAGE] = str(error)


def _go_on_button(folder: SweepFolder, plan: Plan, done: int) -> None:
    until = st.number_input(
        "until so many trials",
        value=plan.trials if done < plan.trials else done + MORE,
        min_value=done + 1,
        step=1,
        key=f"sweep.until.{folder.name}.{done}",
        label_visibility="collapsed",
        width=130,
        help="Trials in all",
    )
    st.button(
        f"Go on to {until} trials",
        icon=":material/play_arrow:",
        key="sweep.on",
        on_click=go_on,
        args=(folder, int(until)),
    )


def go_on(folder: SweepFolder, trials: int | None) -> None:
    """Start a worker here, until there are ``trials`` in all; None for as many as were wanted before."""
    try:
        start_sweep(folder, join_arguments(folder.name, trials))
    except RunError as error:
        st.session_state[MESSAGE] = str(error)


def delete_button(folder: SweepFolder, sweep: Sweep | None = None, trials: list[Trial] | None = None) -> None:
    """Asks whether to delete the sweep in ``folder``; ``sweep`` is None where it cannot be read."""
    if st.button("Delete", icon=":material/delete:", key="sweep.delete"):
        runs = sum(trial.run_in(folder) is not None for trial in trials or ())
        _delete_dialog(folder, sweep, runs)


@st.dialog("Delete this sweep?")
def _delete_dialog(folder: SweepFolder, sweep: Sweep | None, runs: int) -> None:
    st.markdown(f"**{words.plain(folder.name)}** with its history and figures will be gone for good.")
    if runs:
        label = "Its trial's run too" if runs == 1 else f"The runs of its {runs} trials too"
        st.checkbox(
            label, key="sweep.delete.runs", help="With their metrics and weights. Otherwise All runs keeps them."
        )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="sweep.delete.no"):
            st.rerun()
        if st.button("Delete for good", key="sweep.delete.yes", type="primary", on_click=_delete, args=(folder, sweep)):
            st.rerun()


def _delete(folder: SweepFolder, sweep: Sweep | None) -> None:
    try:
        if sweep:
            sweep.delete(with_runs=st.session_state.get("sweep.delete.runs", False))
        else:
            folder.delete()
    except (RunError, SweepError) as error:
        st.session_state[MESSAGE] = str(error)
    if not folder.exists():
        show_sweep(None)
