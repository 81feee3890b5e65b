"""A sweep's trials: the accuracy of each with the best so far, and how much each hyperparameter mattered.

>>> figure = history_figure([Point(0, 0.9, "finished"), Point(1, 0.8, "pruned")])
>>> [trace.name for trace in figure.data]
['best so far', 'finished', 'pruned']
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from cnnlab.figures.style import BLUE, GREEN, ORANGE, WRONG, quiet

SIGNS: dict[str, dict[str, Any]] = {
    "finished": {"symbol": "circle", "color": BLUE, "size": 9},
    "pruned": {"symbol": "triangle-down-open", "color": ORANGE, "size": 10, "line": {"width": 2}},
    "cut off": {"symbol": "x-thin", "color": WRONG, "size": 9, "line": {"width": 2, "color": WRONG}},
}
"""Kind of trial -> its sign: never told by colour alone."""


@dataclass(frozen=True)
class Point:
    """A trial that was judged: its number, its accuracy in [0, 1], its kind (of SIGNS), and what to say of it."""

    number: int
    accuracy: float
    kind: str
    text: str = ""


def history_figure(points: Sequence[Point]) -> go.Figure:
    """The accuracy of each trial in the order in which they began; finished ones raise the line of the best so far.

    A point's customdata is its trial's number.
    """
    figure = go.Figure()
    ordered = sorted(points, key=lambda point: point.number)
    finished = [point for point in ordered if point.kind == "finished"]
    best = list(accumulate((p.accuracy for p in finished), max))
    if finished:
        numbers = [p.number for p in finished]
        if ordered[-1].number > numbers[-1]:
            numbers, best = [*numbers, ordered[-1].number], [*best, best[-1]]
        figure.add_trace(
            go.Scatter(
                x=numbers,
                y=best,
                name="best so far",
                mode="lines",
                line={"color": GREEN, "width": 2, "shape": "hv"},
                hoverinfo="skip",
            )
        )
    for kind, sign in SIGNS.items():
        mine = [point for point in ordered if point.kind == kind]
        if mine:
            figure.add_trace(
                go.Scatter(
                    x=[p.number for p in mine],
                    y=[p.accuracy for p in mine],
                    name=kind,
                    mode="markers",
                    marker=sign,
                    customdata=[p.number for p in mine],
                    text=[p.text for p in mine],
                    hovertemplate="trial %{x}: %{y:.2%}<br>%{text}<extra>" + kind + "</extra>",
                )
            )
    quiet(figure, 340)
    last = ordered[-1].number if ordered else 2
    figure.update_xaxes(title={"text": "trial", "standoff": 6}, range=[0.5, last + 0.5], tickformat="d")
    if last < 10:
        figure.update_xaxes(dtick=1)
    accuracies = [p.accuracy for p in ordered] or [0.0, 1.0]
    space = max(0.01, 0.08 * (max(accuracies) - min(accuracies)))
    reach = [max(-0.01, min(accuracies) - space), max(accuracies) + space]  # room for the mark of the best
    figure.update_yaxes(title={"text": "validation accuracy", "standoff": 8}, tickformat=".3~p", range=reach)
    figure.update_layout(hovermode="closest", showlegend=True, margin={"l": 70})
    return figure


def importance_figure(shares: Mapping[str, float]) -> go.Figure:
    """How much of the difference between trials each hyperparameter makes: shares in [0, 1], the largest on top."""
    ordered = sorted(shares.items(), key=lambda item: item[1])
    figure = go.Figure(
        go.Bar(
            x=[share for _, share in ordered],
            y=[name for name, _ in ordered],
            orientation="h",
            marker={"color": BLUE},
            text=[f"{share:.0%}" for _, share in ordered],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            width=0.6,
        )
    )
    quiet(figure, 340)
    most = max(shares.values(), default=1.0)
    figure.update_xaxes(
        tickformat=".0%", nticks=4, tickangle=0, range=[0, 1.2 * most or 1.0], title={"text": "share", "standoff": 6}
    )
    figure.update_yaxes(automargin=True, showgrid=False)
    return figure
