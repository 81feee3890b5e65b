"""Which of the Train page's views is open, and on which run: kept in the session and in the page's address."""

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from cnnlab.paths import runs_dir
from cnnlab.runs import LIVE, Run, list_runs

View = Literal["New run", "Run", "All runs", "Sweeps"]
VIEWS: tuple[View, ...] = ("New run", "Run", "All runs", "Sweeps")
VIEW, RUN, SWEEP = "train.view", "train.run", "train.sweep"
COMPARED, COMPARE = "compare.runs", "compare"  # the ids of the runs that are compared; in the address
BETWEEN = "/"  # two of them there: no id has it
VIEW_KEYS = ("view", "run", "sweep", COMPARE)  # all that the address says of views
ADDRESS: dict[View, str] = {"New run": "new", "Run": "run", "All runs": "all", "Sweeps": "sweeps"}


def restore_view() -> None:
    """On the first run of a session, open what the address says, else the training that is going on, if it is one."""
    if VIEW in st.session_state:
        return
    asked, run_id = st.query_params.get("view"), st.query_params.get("run")
    view = next((v for v in VIEWS if ADDRESS[v] == asked), None)
    if view is None and run_id is None and (live := _live_run()):
        view, run_id = "Run", live
    st.session_state[VIEW] = view or ("Run" if run_id else "New run")
    st.session_state[RUN] = run_id
    st.session_state[SWEEP] = st.query_params.get("sweep")
    _compare(st.query_params)


def open_address(asked: Mapping[str, str]) -> None:
    """Go to the view that an address names, if it names one."""
    if view := next((v for v in VIEWS if ADDRESS[v] == asked.get("view")), None):
        st.session_state[RUN] = asked.get("run", st.session_state.get(RUN))
        st.session_state[SWEEP] = asked.get("sweep")
        _compare(asked)
        show_view(view)


def _compare(asked: Mapping[str, str]) -> None:
    st.session_state[COMPARED] = list(filter(None, asked.get(COMPARE, "").split(BETWEEN)))


def _live_run() -> str | None:
    live = [run.id for run in list_runs(runs_dir()) if run.state() in LIVE]
    return live[0] if len(live) == 1 else None  # of several, most are somebody else's


def show_view(view: View) -> None:
    """Go to ``view`` on the next rerun; for use in callbacks and before ``st.rerun``."""
    st.session_state[VIEW] = view
    st.session_state.setdefault(RUN, None)
    st.session_state.pop("view.widget", None)


def open_run(run_id: str | None) -> None:
    """Go to the view of the run ``run_id``."""
    st.session_state[RUN] = run_id
    show_view("Run")


def show_sweep(name: str | None) -> None:
    """Go to the sweep ``name``; None is the list of all, with the form for a new one."""
    st.session_state[SWEEP] = name
    show_view("Sweeps")


def wanted_sweep() -> str | None:
    """The name of the sweep that was asked for, which may be gone; None for the list of all."""
    wanted: str | None = st.session_state.get(SWEEP)
    return wanted


def current_view() -> View:
    """The view that is open."""
    view: View = st.session_state[VIEW]
    return view


def current_run(runs: Sequence[Run]) -> Run | None:
    """Of ``runs``, the newest first, the one that is open, by default the newest; None where it is none of them."""
    if st.session_state[RUN] is None and runs:
        st.session_state[RUN] = runs[0].id
    return next((run for run in runs if run.id == st.session_state[RUN]), None)


def wanted_run() -> str | None:
    """The id of the run that was asked for, which may be gone."""
    wanted: str | None = st.session_state[RUN]
    return wanted


def tell_no_run() -> None:
    """What a view of runs says where there is none."""
    st.info("There is no run yet. Choose **New run**, then **Start training**.", icon=":material/rocket_launch:")


def view_switch() -> None:
    """The switch between the views."""
    st.session_state.setdefault("view.widget", current_view())
    st.segmented_control(
        "View",
        VIEWS,
        key="view.widget",
        on_change=_switched,
        label_visibility="collapsed",
        required=True,
        persist_state="session",
    )


def _switched() -> None:
    st.session_state[VIEW] = st.session_state["view.widget"] or current_view()


def view_address(runs: Sequence[Run] = ()) -> dict[str, str]:
    """What of the view belongs into the page's address; ``runs`` are there, the newest first."""
    view = current_view()
    if view == "Run":
        current_run(runs)  # by default the newest
    run, sweep = st.session_state[RUN], wanted_sweep()
    if view == "Sweeps" and sweep:
        return {"view": ADDRESS[view], "sweep": sweep}
    if view == "All runs" and (compared := st.session_state.get(COMPARED)):
        return {"view": ADDRESS[view], COMPARE: BETWEEN.join(compared)}
    return {"view": ADDRESS[view]} | ({"run": run} if run and view == "Run" else {})
