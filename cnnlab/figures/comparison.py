"""Several runs' curves laid over each other: loss on the left, accuracy on the right, over epochs.

>>> figure = comparison_figure({"first": {"val/loss": ([1, 2], [0.5, 0.4])}, "second": {}}, "val")
>>> [(trace.name, trace.yaxis) for trace in figure.data]
[('first', 'y')]
"""

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.figures.curves import QUANTITIES, Series
from cnnlab.figures.style import BLUE, GREEN, GREY, ORANGE, PINK, quiet

SIGNS = ((BLUE, "circle"), (ORANGE, "diamond"), (GREEN, "square"), (PINK, "triangle-up"), (GREY, "x"))
"""Colour and marker of each run: never told by colour alone."""

MOST = len(SIGNS)


def comparison_figure(runs: Mapping[str, Mapping[str, Series]], split: str, height: int = 380) -> go.Figure:
    """The curves ``split/loss`` and ``split/accuracy`` (train, val or test) of at most MOST ``runs``, by their names.

    x values are epochs, accuracies in [0, 1]. A run without such a curve has no trace.
    """
    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss", "Accuracy"), horizontal_spacing=0.09)
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
                    hovertemplate=f"epoch %{{x:,.5~g}}: %{{y:{'.2%' if quantity == 'accuracy' else '.4f'}}}",
                ),
                row=1,
                col=column,
            )
            shown = True
    quiet(figure, height)
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", row=1, col=2)
    figure.update_xaxes(title={"text": "epoch", "standoff": 6}, rangemode="tozero", matches="x")
    figure.update_layout(legend={"y": 1.12}, margin={"t": 64}, hovermode="closest", uirevision="keep")
    return figure
