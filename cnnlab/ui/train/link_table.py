"""A table in which a click on a row opens what the row is about.

>>> if link_table(table, "runs.table", ids, open_run, column_config={}):            # doctest: +SKIP
...     st.rerun(scope="app")
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st


def link_table(
    table: pd.DataFrame,
    key: str,
    targets: Sequence[Any],
    on_open: Callable[[Any], None],
    column_config: Mapping[str, Any],
    height: int | Literal["content", "auto"] = "auto",
) -> bool:
    """Show ``table``; a click calls ``on_open`` with the entry of ``targets`` for its row, before the page runs again.

    So it opens what was shown, whatever rows have come or gone since. Gives whether a row was clicked: inside a
    fragment the rest of the page has not heard of it.
    """

    def clicked() -> None:
        if cells := st.session_state[key]["selection"]["cells"]:
            on_open(targets[cells[0][0]])

    event = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=height,
        key=key,
        on_select=clicked,
        selection_mode="single-cell",
        placeholder="–",
        column_config=column_config,
    )
    return bool(event["selection"]["cells"])
