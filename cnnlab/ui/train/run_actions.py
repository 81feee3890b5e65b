"""What can be done with a run: stop, resume, repeat, rename, delete; the last two ask first."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import streamlit as st

from cnnlab import launch
from cnnlab.config import TrainConfig
from cnnlab.runs import LIVE, Run, RunError, State, list_runs, names_of
from cnnlab.ui import words
from cnnlab.ui.navigation import PAGES
from cnnlab.ui.select import run_address
from cnnlab.ui.train.settings import fill_form
from cnnlab.ui.train.views import open_run, show_view

MESSAGE = "run.message"  # what went wrong, for the next drawing of the page to say
ASKING = "run.asking"  # (question, run), while a dialog is open


def run_actions(run: Run, state: State, config: TrainConfig) -> None:
    """The buttons for ``run``."""
    if state in LIVE:
        asked = run.stop_requested()
        st.button(
            "Stopping …" if asked else "Stop",
            icon=":material/stop:",
            key="run.stop",
            disabled=asked,
            on_click=_told,
            args=(run.request_stop,),
        )
    elif state != "finished":
        st.button(
            "Resume",
            icon=":material/play_arrow:",
            key="run.resume",
            type="primary",
            on_click=_told,
            args=(partial(launch.resume, run),),
        )
    if run.chosen_checkpoint():
        primary: Literal["primary", "secondary"] = "primary" if state == "finished" else "secondary"
        if st.button("Evaluate", icon=":material/fact_check:", key="run.evaluate", type=primary):
            st.switch_page(PAGES / "evaluate.py", query_params=run_address(run, "evaluate.run"))
    st.button("Repeat with changes", icon=":material/tune:", key="run.repeat", on_click=_repeat, args=(run, config))
    st.button("Rename", icon=":material/edit:", key="run.rename", on_click=_ask, args=("rename", run))
    st.button("Delete", icon=":material/delete:", key="run.delete", on_click=_ask, args=("delete", run))


def _told(change: Callable[[], object]) -> None:
    """Make the ``change``; what stands in its way the page tells at its next drawing."""
    try:
        change()
    except RunError as error:
        st.session_state[MESSAGE] = str(error)


def _repeat(run: Run, config: TrainConfig) -> None:
    fill_form(config, run.recipe)
    show_view("New run")


def _ask(question: Literal["rename", "delete"], run: Run) -> None:
    st.session_state[ASKING] = (question, run)


def _answered() -> None:
    st.session_state.pop(ASKING, None)


def open_question() -> None:
    """Show the dialog that a person opened, if any; to be called at the page's end."""
    question, run = st.session_state.get(ASKING, (None, None))
    if question == "rename":
        st.dialog("Rename this run", on_dismiss=_answered)(_rename_dialog)(run)
    elif question == "delete":
        st.dialog("Delete this run?", on_dismiss=_answered)(_delete_dialog)(run)


def _rename_dialog(run: Run) -> None:
    with st.form("rename", border=False):
        st.text_input("Name", value=run.name, key="rename.name")
        pressed = st.form_submit_button("Rename", key="rename.yes", type="primary", on_click=_rename, args=(run,))
    if problem := st.session_state.pop("rename.problem", None):
        st.error(words.plain(problem))
    elif pressed:
        st.rerun()


def _rename(run: Run) -> None:
    try:
        run.rename(st.session_state["rename.name"])
        _answered()
    except RunError as error:
        st.session_state["rename.problem"] = str(error)


def _delete_dialog(run: Run) -> None:
    training = " It is still training and will be stopped first." if run.state() in LIVE else ""
    name = names_of(list_runs(run.path.parent)).get(run.id, run.name)  # which one, if a copy is called the same
    st.markdown(f"**{words.plain(name)}** with its metrics and weights will be gone for good.{training}")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="delete.no", on_click=_answered):
            st.rerun()
        if st.button("Delete for good", key="delete.yes", type="primary", on_click=_delete, args=(run,)):
            st.rerun()


def _delete(run: Run) -> None:
    _answered()
    try:
        run.delete()
    except RunError as error:
        st.session_state[MESSAGE] = str(error)
    else:
        open_run(None)
        show_view("All runs")
