"""One sweep: where it stands, its best settings to take over, its figures, its trials, and how others join."""

import streamlit as st

from cnnlab import launch
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.start import join_arguments
from cnnlab.sweeps.storage import SweepError
from cnnlab.sweeps.study import Sweep, Trial
from cnnlab.tails import tail
from cnnlab.ui import words
from cnnlab.ui.train.live_status import watched
from cnnlab.ui.train.sweep_actions import delete_button, go_on, sweep_actions
from cnnlab.ui.train.sweep_results import best_settings, figures, trials_table
from cnnlab.ui.train.sweep_status import read_sweep, sweep_status

GONE = "There is no sweep '{}': it may have been deleted. **All sweeps** has those that there are."


def sweep_view(folder: SweepFolder) -> None:
    """All about the sweep in ``folder``."""
    if not folder.exists():
        st.warning(GONE.format(words.plain(folder.name)))
        return
    try:
        sweep = read_sweep(folder)
        plan, trials = sweep.plan(), sweep.trials()
        state, now = sweep.state(trials), sweep_status(sweep)
    except SweepError as error:
        st.error(words.plain(str(error)), icon=":material/folder_off:")
        if not folder.at_work():
            delete_button(folder)
        return
    _header(sweep, plan, trials, state)
    live = state == "running"
    watched(now, now.state, f"/lab/sweeps/{folder.name}/status" if live else "", key=f"sweep.status.{folder.name}")
    if plan is None:
        return
    best_settings(folder, plan, trials)
    figures(sweep, plan, trials)
    trials_table(folder, plan, trials)
    _workers(folder, live)


# ── header ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _header(sweep: Sweep, plan: Plan | None, trials: list[Trial], state: str) -> None:
    folder = sweep.folder
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.subheader(words.plain(folder.name), anchor=False, width="content")
            icon, colour, meaning = words.SWEEP_STATES[state]
            st.badge(state, icon=icon, color=colour, help=meaning.capitalize() + ".")
        if plan:
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                sweep_actions(sweep, plan, trials, state)
    if plan:
        recipe = f" · recipe {words.plain(words.recipe(plan.recipe))}" if plan.recipe else ""
        st.caption(f"{words.task(plan.config)}{recipe} · varies `{'` `'.join(plan.vary)}`")


# ── others ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _workers(folder: SweepFolder, live: bool) -> None:
    with st.expander("More workers", icon=":material/group_add:"):
        database = " --storage URL" if folder.storage() else ""
        where = (
            "any host that reaches its database" if database else "this host, or any that shares this folder of runs"
        )
        st.markdown(f"Others may take part, on {where}; the workers share the trials:")
        st.code(launch.shown_command(join_arguments(folder.name)) + database, language="bash", wrap_lines=True)
        st.caption(
            "On one folder of runs the trainings take turns, unless `CNNLAB_MAX_TRAININGS` allows more at a time. "
            "A worker that is killed loses its trial, and the others make up for it."
        )
        if live:
            st.button(
                "Start another worker here",
                icon=":material/add:",
                key="sweep.join",
                on_click=go_on,
                args=(folder, None),
            )
    with st.expander("Log", icon=":material/article:"):
        st.code(
            tail(folder.log_path, 100) or "Its workers were started by hand: they print into their shells.",
            language=None,
        )
