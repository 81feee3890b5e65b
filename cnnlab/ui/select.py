"""A choice, such as among runs, checkpoints or splits, that is kept over pages and in the page's address.

>>> run = select_run(trained_runs(), "evaluate.run")                                     # doctest: +SKIP
>>> select("Checkpoint", run.checkpoints(), "evaluate.checkpoint", CHECKPOINTS)          # doctest: +SKIP
'best'
"""

from collections.abc import Mapping

import streamlit as st

from cnnlab.checkpoints import CheckpointError
from cnnlab.datasets import DatasetError
from cnnlab.models import ModelError
from cnnlab.paths import runs_dir
from cnnlab.registry import UnknownName
from cnnlab.runs import LIVE, Run, RunError, list_runs, names_of
from cnnlab.ui import words
from cnnlab.ui.styles import style

CHECKPOINTS = {"best": "Best", "last": "Last"}
UNCLEARED = "[class*='-run'] button[aria-label='Clear value'] { display: none; }"
ERRORS = (RunError, CheckpointError, DatasetError, ModelError, UnknownName)
"""What asking a run's network may raise, each with a sentence."""


def select(label: str, options: list[str], key: str, names: Mapping[str, str], usual: str | None = None) -> str:
    """The option that was chosen, by default ``usual``, else the first; ``names`` are what is shown for them.

    The address holds what is not the default: a link to it, and a reload, choose it again.
    """
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    chosen: str = st.selectbox(
        label,
        options,
        index=options.index(usual) if usual else 0,
        key=key,
        format_func=lambda option: names.get(option, option),
        persist_state="session",
        bind="query-params",
    )
    return chosen


def select_run(runs: Mapping[str, Run], key: str) -> Run:
    """The run that was chosen among ``runs`` (by id, at least one), by default the usual one.

    The address always names it, for the usual one is soon another: so the field's own default is none. Where Back leads
    to an address without it, the field is empty, and shows the usual one's name.
    """
    names, usual = names_of(runs.values()), usual_run(runs)
    asked, first = st.query_params.get(key), key not in st.session_state
    known = asked in names.values()
    if first and not known and asked in runs:  # by its id, which stays when it is renamed
        st.session_state[key] = asked
        known = True
    if first and asked and not known:
        st.toast(f"There is no run '{words.plain(asked)}': another is shown.", icon=":material/link_off:")
    lost = st.session_state.get(key)
    if lost and lost not in runs:  # deleted while it was shown
        st.toast(f"The run '{words.plain(asked or lost)}' is gone: another is shown.", icon=":material/link_off:")
    if lost not in runs and not (first and known):
        st.session_state[key] = usual
        if first:
            st.query_params[key] = names[usual]
    style(UNCLEARED)
    chosen: str | None = st.selectbox(
        "Run",
        list(runs),
        index=None,
        key=key,
        format_func=lambda id: names.get(id, id),
        placeholder=names[usual],
        persist_state="session",
        bind="query-params",
    )
    return runs[chosen or usual]


def run_address(run: Run, key: str) -> dict[str, str]:
    """What opens a page whose choice is ``key`` with ``run``, which has a checkpoint."""
    return {key: names_of(trained_runs().values())[run.id]}


def trained_runs() -> dict[str, Run]:
    """The runs that have a checkpoint, by id, the newest first."""
    return {run.id: run for run in list_runs(runs_dir()) if run.chosen_checkpoint()}


def usual_run(runs: Mapping[str, Run]) -> str:
    """Of ``runs`` by id, the newest first: the newest that trains or has finished; a sweep leaves stopped ones."""
    return next((id for id, run in runs.items() if run.state() in (*LIVE, "finished")), next(iter(runs)))
