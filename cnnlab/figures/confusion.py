"""A confusion matrix whose cells can be clicked.

>>> figure = confusion_figure(np.array([[5, 2], [0, 6]]), np.array([[5.0, 2.0], [0.0, 6.0]]), ["cat", "dog"])
>>> [list(cell) for cell in figure.data[-1].customdata]
[[0, 0], [0, 1], [1, 1]]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.style import BLUE, ORANGE, literal, quiet, short_names

NUMBERED = 20  # classes up to which each cell shows its number; beyond, the colour bar and the hover tell
LABEL, LOOSE = 15, 22  # pixels that a class name needs beside the matrix; of many, which a narrow window may shrink
MANY = 30  # classes
LONGEST = 14  # letters of a class name beside the matrix
INK = 0.75  # of the scale: from here on cells are dark enough for white numbers
TOP = 84  # pixels for the class names


def confusion_figure(
    counts: NDArray[np.int64],
    values: NDArray[np.float64],
    class_names: Sequence[str],
    order: Sequence[int] | None = None,
    share_of: str = "",
    hide_diagonal: bool = False,
    log: bool = False,
    chosen: tuple[int, int] | None = None,
    height: int = 600,
) -> go.Figure:
    """``counts`` int64 [K, K] (row = true class) coloured by ``values`` [K, K], counts or shares in [0, 1].

    ``order`` gives the classes from top to bottom. ``share_of`` is "row" or "column" where the values are shares.
    Up to 20 classes the last trace holds an invisible square for each cell with images, whose customdata are true and
    predicted class; with more the heatmap itself answers. The layout's ``meta`` holds the classes beside the axes, from
    the first on, as ``labels``.
    """
    order = list(range(len(counts)) if order is None else order)
    shown = np.array(values, np.float64)[np.ix_(order, order)]
    if hide_diagonal:
        np.fill_diagonal(shown, np.nan)
    side = height - TOP - 16
    figure = go.Figure([_heatmap(shown, share_of, log)])
    if len(order) <= NUMBERED:
        figure.add_traces(_numbers(shown, share_of, log, len(order)))
        figure.add_trace(_squares(counts, class_names, order, side / len(order), hide_diagonal))
    else:  # thousands of squares would take the browser a second
        texts = _texts(counts, class_names)
        figure.data[0].update(
            text=[[texts[t][p] for p in order] for t in order], hoverinfo=None, hovertemplate="%{text}<extra></extra>"
        )
    quiet(figure, height)
    cut = short_names(class_names, LONGEST)
    _axes(figure, [cut[c] for c in order], side)
    if chosen:
        x, y = order.index(chosen[1]), order.index(chosen[0])
        edge = {"color": ORANGE, "width": 3}
        figure.add_shape(type="rect", x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, line=edge)
    figure.update_layout(clickmode="event+select", dragmode=False, showlegend=False, hovermode="closest")
    figure.update_layout(meta={"labels": order})
    return figure


def _heatmap(shown: NDArray[np.float64], share_of: str, log: bool) -> go.Heatmap:
    top = float(np.nanmax(shown, initial=0))
    if share_of:
        ticks: dict[str, Any] = {"tickformat": ".0%"}
    elif log:
        steps = [0, *(10**power for power in range(7) if 10**power <= top)]
        ticks = {"tickvals": [_scaled(s, True) for s in steps], "ticktext": [f"{s:,}" for s in steps]}
    else:
        ticks = {"tickformat": "~s"}
    return go.Heatmap(
        z=_scaled(shown, log and not share_of),
        zmin=0,
        zmax=max(_scaled(top, log and not share_of), 1e-9),
        colorscale=[[0, "rgba(47,127,193,0.05)"], [0.02, "rgba(47,127,193,0.16)"], [1, "#1c65a3"]],
        showscale=len(shown) > NUMBERED,
        colorbar={"thickness": 10, "outlinewidth": 0, "len": 0.6, **ticks},
        hoverinfo="skip",
        hoverongaps=False,
        xgap=1 if len(shown) <= NUMBERED else 0,
        ygap=1 if len(shown) <= NUMBERED else 0,
    )


def _scaled(values: NDArray[np.float64] | float, log: bool) -> NDArray[np.float64] | float:
    return np.log10(1 + np.asarray(values)) if log else values


def _numbers(shown: NDArray[np.float64], share_of: str, log: bool, classes: int) -> list[go.Scatter]:
    """Two traces: numbers in the page's ink, and white ones on dark cells."""
    scaled = np.asarray(_scaled(shown, log and not share_of))
    dark = np.nan_to_num(scaled) > INK * max(np.nanmax(scaled, initial=0), 1e-9)
    traces = []
    for where, ink in ((~dark, {}), (dark, {"color": "white"})):
        rows, columns = np.nonzero(where & (np.nan_to_num(shown) > 0))
        texts = [_number(shown[r, c], share_of) for r, c in zip(rows, columns, strict=True)]
        font = {"size": 13 if classes <= 12 else 10, **ink}
        traces.append(
            go.Scatter(x=columns, y=rows, text=texts, mode="text", textfont=font, hoverinfo="skip", showlegend=False)
        )
    return traces


def _number(value: float, share_of: str) -> str:
    if not share_of:
        return f"{value:,.0f}"
    if value < 0.0005:
        return "<0.1"
    return f"{100 * value:.1f}" if value < 0.0995 else f"{100 * value:.0f}"  # as wide as "100" at most


def _squares(
    counts: NDArray[np.int64], class_names: Sequence[str], order: list[int], pitch: float, hide_diagonal: bool
) -> go.Scatter:
    place = np.argsort(order)
    cells = [(int(t), int(p)) for t, p in np.argwhere(counts) if not (hide_diagonal and t == p)]
    texts = _texts(counts, class_names)
    return go.Scatter(
        x=[int(place[p]) for _, p in cells],
        y=[int(place[t]) for t, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": max(4.0, pitch * 0.94), "opacity": 0, "color": BLUE},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[list(cell) for cell in cells],
        text=[texts[t][p] for t, p in cells],
        hovertemplate="%{text}<extra></extra>",
    )


def _texts(counts: NDArray[np.int64], class_names: Sequence[str]) -> list[list[str]]:
    """What the hover says of each cell. Plain lists: numpy's single numbers are slow to write."""
    rows, columns = counts.sum(1).tolist(), counts.sum(0).tolist()
    names = list(map(literal, class_names))
    return [
        [
            f"<b>{names[t]}</b> taken for <b>{names[p]}</b><br>{n:,} image{'' if n == 1 else 's'}<br>"
            f"{n / rows[t]:.1%} of all {names[t]}<br>{n / columns[p]:.1%} of all taken for {names[p]}"
            if n
            else f"no {names[t]} taken for {names[p]}"
            for p, n in enumerate(row)
        ]
        for t, row in enumerate(counts.tolist())
    ]


def _axes(figure: go.Figure, names: list[str], side: int) -> None:
    every = max(1, -(-len(names) * (LABEL if len(names) <= MANY else LOOSE) // side))
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(0, len(names), every)),
        "ticktext": [*map(literal, names[::every])],
    }
    rest = {"showgrid": False, "fixedrange": True, "constrain": "domain", "ticks": ""}
    edge = [-0.5, len(names) - 0.5]
    turned = max(map(len, names)) * 8 > side / len(names)
    figure.update_xaxes(title="taken for", side="top", range=edge, tickangle=-90 if turned else 0, **ticks, **rest)
    figure.update_yaxes(title="true class", range=edge[::-1], scaleanchor="x", constraintoward="top", **ticks, **rest)
    longest = max(map(len, names)) * 7
    figure.update_layout(
        margin={"l": 34 + longest, "r": 8, "t": min(TOP + 30, 50 + (longest if turned else 12)), "b": 8}
    )
