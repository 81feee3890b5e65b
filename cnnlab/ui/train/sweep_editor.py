"""The form for a new sweep: what to vary over which values, how many trials, the command, and Start."""

from collections.abc import Sequence

import streamlit as st

from cnnlab import launch
from cnnlab.parsing import ConfigError
from cnnlab.paths import runs_dir
from cnnlab.runs import LIVE, Run, RunError, checked_name
from cnnlab.sweeps.folder import SweepFolder, free_name
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.start import begin_arguments, start_sweep
from cnnlab.sweeps.sweep import check_sweep
from cnnlab.ui import words
from cnnlab.ui.train.settings import form_config, form_recipe
from cnnlab.ui.train.settings_words import in_form_words
from cnnlab.ui.train.vary_editor import range_problem, what_to_vary
from cnnlab.ui.train.views import show_sweep

TRIALS = 12


def sweep_editor(runs: Sequence[Run]) -> None:
    """Draw the form; Start begins the sweep as a process of its own and opens it. It takes turns with ``runs``."""
    st.subheader("New sweep", anchor=False)
    try:
        config = form_config()
    except ConfigError as error:
        st.error(
            f"**These settings cannot be trained.** {words.plain(in_form_words(str(error)))}", icon=":material/block:"
        )
        return
    st.caption(
        f"Varies what you choose here; all else is as in the sidebar: {words.task(config)}, "
        f"{config.epochs} epoch{'s' if config.epochs > 1 else ''} a trial. Trials are compared by validation accuracy."
    )
    varied = what_to_vary(config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        trials = st.number_input(
            "Trials",
            min_value=1,
            max_value=10_000,
            value=TRIALS,
            step=1,
            key="sweep.trials",
            persist_state="session",
            width=150,
            help="How often to train, with other values each time.",
        )
        suggested = free_name(runs_dir(), f"{form_recipe()}-sweep")
        key = f"sweep.name.{form_recipe()}"  # another recipe suggests another name
        typed = st.text_input(
            "Name",
            placeholder=suggested,
            key=key,
            persist_state="session",
            width=300,
            help="Its runs are called so, with the trial's number behind.",
        )
    name = typed or suggested
    plan = Plan(config, varied, int(trials), form_recipe())
    problem = _problem(plan, name)
    if problem:
        st.error(words.plain(in_form_words(problem)), icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Start the sweep", type="primary", icon=":material/play_arrow:", key="sweep.start", disabled=bool(problem)
        )
        if any(run.state() in LIVE for run in runs):
            st.caption("A training is going on: the sweep's trials take turns with it.")
        if not problem:
            st.code(
                launch.shown_command(begin_arguments(plan, name.strip())),
                language="bash",
                width="stretch",
                wrap_lines=True,
            )
    if pressed and _start(plan, name.strip()):
        del st.session_state[key]  # it is taken now
        st.rerun()


def _start(plan: Plan, name: str) -> bool:
    """Begin the sweep and open it; whether that went well, else a sentence is on the page."""
    with st.spinner("Starting the sweep's process …"):
        try:
            start_sweep(SweepFolder(runs_dir(), name), begin_arguments(plan, name))
        except RunError as error:
            st.error(words.plain(str(error)), icon=":material/error:")
            return False
    show_sweep(name)
    return True


def _problem(plan: Plan, name: str) -> str:
    """Why the sweep cannot be started; empty if it can."""
    if not plan.vary:
        return "Nothing is varied: choose at least one setting."
    try:
        if problem := next(filter(None, map(range_problem, plan.vary)), ""):
            return problem
        if SweepFolder(runs_dir(), checked_name(name)).exists():
            return f"There is a sweep called '{name.strip()}' already: choose another name, or open that one to go on."
        check_sweep(plan.config, plan.varied)
    except (ConfigError, RunError) as error:
        return str(error)
    return ""
