"""Several runs' curves laid over each other: loss on the left, accuracy on the right, over epochs.

>>> figure = comparison_figure({"first": {"val/loss": ([1, 2], [0.5, 0.4])}, "second": {}}, "val")
>>> [(trace.name, trace.yaxis) for trace in figure.data]
[('first', 'y')]
"""

from collections.abc import Mapping

import plotly.graph_objects as go

from cnnlab.figures.curves import QUANTITIES, Series, hover_text, loss_and_accuracy
from cnnlab.figures.style import BLUE, GREEN, GREY, ORANGE, PINK

SIGNS = ((BLUE, "circle"), (ORANGE, "diamond"), (GREEN, "square"), (PINK, "triangle-up"), (GREY, "x"))
"""Colour and marker of each run: never told by colour alone."""

MOST = len(SIGNS)


def comparison_figure(runs: Mapping[str, Mapping[str, Series]], split: str, log_loss: bool = False) -> go.Figure:
    """The curves ``split/loss`` and ``split/accuracy`` (train, val or test) of at most MOST ``runs``, by their names.

    x values are epochs, accuracies in [0, 1]; ``log_loss`` is for the left chart. A run without such a curve has no
    trace.
    """
    figure = loss_and_accuracy("epoch", log_loss)
    for (name, curves), (colour, symbol) in zip(runs.items(), SIGNS, strict=False):
        shown = False
        for column, quantity in enumerate(QUANTITIES, start=1):
            if (series := curves.get(f"{split}/{quantity}")) is None:
                continue
            figure.add_trace(
                go.Scatter(
                    x=list(series[0]),
                    y=list(series[1]),
                    name=name,
                    legendgroup=name,
                    showlegend=not shown,
                    mode="lines+markers",
                    line={"color": colour, "width": 2.2},
                    marker={"size": 6, "symbol": symbol},
                    hovertemplate=hover_text("epoch", quantity),
                ),
                row=1,
                col=column,
            )
            shown = True
    return figure
