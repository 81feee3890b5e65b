"""A point for each image: its place from the network's features, colour and sign from its class; errors are crosses.

>>> figure = embedding_figure(np.zeros((2, 2)), np.array([0, 1]), np.array([True, False]), ["cat", "dog"], ["", ""])
>>> [(trace.name, list(trace.customdata)) for trace in figure.data if trace.customdata]
[('cat', [0]), ('dog ✗', [1])]
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.style import GREY, literal, quiet, short_names

# Ten, each with a contrast of 3 or more on white and on near-black, found by search to lie far apart also for those who
# see red or green weakly; a symbol of its own and its name on the map tell a class all the same.
TEN = ("#0093ff", "#ff5e08", "#007c7d", "#c858d3", "#ab8aa3", "#d80000", "#841fff", "#749f5d", "#865d44", "#7454aa")
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "star", "triangle-down", "hexagon", "bowtie", "hourglass", "pentagon",
)  # fmt: skip
LONGEST = 16  # letters of a name amid its points
NAMED = 10  # classes in the legend and on the map; with more, colours repeat and the hover tells


def embedding_figure(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    right: NDArray[np.bool_],
    class_names: Sequence[str],
    texts: Sequence[str],
    axes: tuple[str, str] = ("", ""),
    answers: NDArray[np.int64] | None = None,
) -> go.Figure:
    """``points`` float [N, 2], coloured by ``labels`` int [N], crosses where not ``right`` bool [N].

    Up to NAMED classes have their names amid their points. ``texts`` stand in the hover; each point's ``customdata``
    is its entry of ``answers`` (int [N]), by default its number.
    """
    answers = np.arange(len(points)) if answers is None else answers
    figure = go.Figure()
    present = np.unique(labels).tolist()
    for label in present:
        own = labels == label
        named = bool(right[own].any())  # in the legend once: by what is right, or by its crosses where nothing is
        for good in (True, False):
            members = np.flatnonzero(own & (right == good))
            if len(members):
                trace = _trace(points, members, label, good, literal(class_names[label]), texts, answers)
                figure.add_trace(trace.update(showlegend=good == named))
    figure.add_trace(
        go.Scatter(
            x=[None], y=[None], mode="markers", name="✗ wrong", marker={"symbol": "x", "size": 10, "color": GREY}
        )
    )
    quiet(figure, 620)
    blank = {"showticklabels": False, "ticks": "", "zeroline": False}
    figure.update_xaxes(title=axes[0], **blank)
    figure.update_yaxes(title=axes[1], **blank)
    if len(present) <= NAMED:
        cut = short_names(class_names, LONGEST)
        for label in present:
            x, y = np.median(points[labels == label], axis=0).tolist()
            figure.add_annotation(x=x, y=y, text=f"<b>{literal(cut[label])}</b>", showarrow=False, font={"size": 14})
    figure.update_layout(
        meta={"halo": True},
        dragmode="lasso",
        hovermode="closest",
        margin={"l": 30, "r": 8, "t": 36, "b": 34},
        showlegend=len(present) <= NAMED,
        legend={"itemsizing": "constant", "tracegroupgap": 0},
        uirevision="keep",
    )
    return figure


def _trace(
    points: NDArray[np.float32],
    members: NDArray[np.int64],
    label: int,
    good: bool,
    name: str,
    texts: Sequence[str],
    answers: NDArray[np.int64],
) -> go.Scatter:
    color = TEN[label % len(TEN)]
    symbol = SYMBOLS[label % len(SYMBOLS)]
    marker = {"symbol": symbol, "size": 7, "opacity": 0.9} if good else {"symbol": "x", "size": 10}
    return go.Scatter(
        x=points[members, 0].round(4).tolist(),
        y=points[members, 1].round(4).tolist(),
        customdata=answers[members].tolist(),
        text=[texts[n] for n in members.tolist()],
        mode="markers",
        name=name if good else f"{name} ✗",
        legendgroup=name,
        marker={"color": color, **marker, "line": {"width": 0 if good else 1, "color": "rgba(128,128,128,0.9)"}},
        unselected={"marker": {"opacity": 0.15}},
        hoverinfo="none",
    )
