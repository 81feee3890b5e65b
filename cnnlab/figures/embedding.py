"""A point for each image, its place from the network's features, its colour from its class; errors are crosses.

>>> figure = embedding_figure(np.zeros((2, 2)), np.array([0, 1]), np.array([True, False]), ["cat", "dog"], ["", ""])
>>> [(trace.name, list(trace.customdata)) for trace in figure.data if trace.customdata]
[('cat', [0]), ('dog ✗', [1])]
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.style import GREY, quiet

# Ten that colour-blind people can tell apart, on white and on near-black: after Petroff, Accessible color sequences
# for data visualization, 2021, and Okabe and Ito, 2008.
TEN = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#12946b", "#92dadd")
NAMED = 10  # classes in the legend; with more, colours repeat and the hover tells


def embedding_figure(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    right: NDArray[np.bool_],
    class_names: Sequence[str],
    texts: Sequence[str],
    axes: tuple[str, str] = ("", ""),
    height: int = 620,
) -> go.Figure:
    """``points`` float [N, 2], coloured by ``labels`` int [N], crosses where not ``right`` bool [N].

    ``texts`` stand in the hover; each point's ``customdata`` is its number.
    """
    figure = go.Figure()
    for label in np.unique(labels).tolist():
        for good in (True, False):
            members = np.flatnonzero((labels == label) & (right == good))
            if len(members):
                figure.add_trace(_trace(points, members, label, good, class_names[label], texts))
    figure.add_trace(
        go.Scatter(
            x=[None], y=[None], mode="markers", name="✗ wrong", marker={"symbol": "x", "size": 10, "color": GREY}
        )
    )
    quiet(figure, height)
    blank = {"showticklabels": False, "ticks": "", "zeroline": False}
    figure.update_xaxes(title=axes[0], **blank)
    figure.update_yaxes(title=axes[1], **blank)
    figure.update_layout(
        dragmode="lasso",
        hovermode="closest",
        margin={"l": 30, "r": 8, "t": 36, "b": 34},
        showlegend=len(np.unique(labels)) <= NAMED,
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
) -> go.Scatter:
    color = TEN[label % len(TEN)]
    marker = {"symbol": "circle", "size": 6, "opacity": 0.7} if good else {"symbol": "x", "size": 10}
    return go.Scatter(
        x=points[members, 0].round(4).tolist(),
        y=points[members, 1].round(4).tolist(),
        customdata=members.tolist(),
        text=[texts[n] for n in members.tolist()],
        mode="markers",
        name=name if good else f"{name} ✗",
        legendgroup=name,
        showlegend=good,
        marker={"color": color, **marker, "line": {"width": 0 if good else 1, "color": "rgba(128,128,128,0.9)"}},
        unselected={"marker": {"opacity": 0.15}},
        hoverinfo="none",
    )
