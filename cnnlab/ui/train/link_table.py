"""A table in which a click on a row's name opens what the row is about; a tick at its left edge, or keys, too.

>>> if link_table(table, "Run", "runs.table", ids, open_run, column_config={}):     # doctest: +SKIP
...     st.rerun(scope="app")
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

HOW = "Click the name of a {} to open it, or tick its row (Shift+Space)."


def link_table(
    table: pd.DataFrame,
    name: str,
    key: str,
    targets: Sequence[Any],
    on_open: Callable[[Any], None],
    column_config: Mapping[str, Any],
    height: int | Literal["content", "auto"] = "auto",
) -> bool:
    """Show ``table``; a click in its column ``name``, or a tick, calls ``on_open`` before the page runs again.

    ``on_open`` gets the entry of ``targets`` for the row: what was shown, whatever rows have come or gone since. Gives
    whether a row was opened: inside a fragment the rest of the page has not heard of it.
    """
    click = f"{key}.click"

    def clicked() -> None:
        on_open(targets[st.session_state[click].row])

    def ticked() -> None:
        if rows := st.session_state[key]["selection"]["rows"]:
            on_open(targets[rows[0]])

    button = st.column_config.ButtonColumn(type="tertiary", alignment="left", on_click=clicked, key=click)
    event = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=height,
        key=key,
        on_select=ticked,
        selection_mode="single-row",  # a cell would be taken for clicked as soon as Tab reaches the table
        placeholder="–",
        column_config={**column_config, name: button},
    )
    return bool(event["selection"]["rows"] or st.session_state.get(click))
