"""A choice among runs, checkpoints or splits that is kept over pages and in the page's address.

>>> run = runs[select("Run", list(runs), "evaluate.run", names, usual_run(runs))]        # doctest: +SKIP
"""

from collections.abc import Mapping

import streamlit as st

from cnnlab.runs import LIVE, Run


def select(label: str, options: list[str], key: str, names: Mapping[str, str], usual: str | None = None) -> str:
    """The option that was chosen, by default ``usual``, else the first; ``names`` are what is shown for them."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = usual or options[0]
    chosen = st.selectbox(
        label,
        options,
        index=None,  # what equals a default is not in the address, and the newest run is soon another
        key=key,
        format_func=lambda option: names.get(option, option),
        persist_state="session",
        bind="query-params",
    )
    return chosen or usual or options[0]


def usual_run(runs: Mapping[str, Run]) -> str:
    """Of ``runs`` by id, the newest first: the newest that trains or has finished; a sweep leaves stopped ones."""
    return next((id for id, run in runs.items() if run.state() in (*LIVE, "finished")), next(iter(runs)))
