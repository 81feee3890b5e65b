"""A still figure on a page: it can be saved as PNG, SVG and HTML, and tell what was clicked, picked or lassoed.

>>> plot(confusion_figure(...), "Confusion matrix", "matrix", alt="…", on_pick=choose_cell)   # doctest: +SKIP

By keyboard the arrow keys go from point to point and Enter picks. All is drawn in the browser; nothing is remounted
when the figure changes. Plotly itself is loaded when the browser has drawn the rest: a page is there a second earlier
than with ``st.plotly_chart``, whose own copy of Plotly is read first.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from cnnlab.ui.component import component

_component = component(__file__, "plotly.js")


@dataclass(frozen=True)
class Thumbs:
    """Pictures that show on hover: one sheet at ``url`` with ``columns`` of them in a row, each ``side`` pixels wide.

    A point's ``customdata`` is its picture's number, its ``text`` what stands below.
    """

    url: str
    columns: int
    side: int


def plot(
    figure: go.Figure,
    name: str,
    key: str,
    *,
    alt: str,
    on_pick: Callable[[Any], None] | None = None,
    on_label: Callable[[int], None] | None = None,
    lasso: bool = False,
    thumbs: Thumbs | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> list[Any]:
    """Show ``figure``; gives the ``customdata`` of the points in the lasso.

    ``name`` is the title and file name of a saved figure; without one it cannot be saved. ``alt`` says what it shows,
    for those who do not see it. ``on_pick`` gets the ``customdata`` of a point that is clicked, ``on_label`` the entry
    of the layout's ``meta["labels"]`` for a tick's label that is clicked.
    """

    def answer(event: str, callback: Callable[[Any], None] | None) -> None:
        value = st.session_state[key].get(event)
        if callback and value is not None:
            callback(value)

    state = _component(
        data={
            "figure": figure.to_json(),
            "name": name,
            "picks": on_pick is not None,
            "labels": on_label is not None,
            "lasso": lasso,
            "thumbs": asdict(thumbs) if thumbs else None,
            "alt": alt,
        },
        key=key,
        width=width,
        height="content",
        default={"chosen": []},
        on_picked_change=lambda: answer("picked", on_pick),
        on_label_change=lambda: answer("label", on_label),
        on_chosen_change=lambda: None,
    )
    chosen: list[Any] = state.chosen or []
    return chosen
