"""A run's curves: loss on the left, accuracy on the right, over steps or epochs.

>>> figure = curves_figure({"val/loss": ([10, 20], [0.5, 0.4])})
>>> [trace.name for trace in figure.data if trace.x]
['validation']
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.figures.style import GREY, SPLIT_COLORS, SPLIT_NAMES, quiet

Series = tuple[Sequence[float], Sequence[float]]
"""The x values and the y values of a curve, of equal length."""

QUANTITIES = ("loss", "accuracy")


def curves_figure(
    series: Mapping[str, Series], title: str = "", axis: str = "step", log_loss: bool = False
) -> go.Figure:
    """Curves called ``step/train/loss``, ``train/loss``, ``val/accuracy`` and so on; missing ones stay empty.

    Accuracies are in [0, 1]. ``step/…`` are the figures of single batches, drawn thin behind the means of epochs.
    ``axis`` names the x axis; ``log_loss`` is for its left chart. Each trace carries its series'
    name as ``meta``, so that a live chart can fill it in.
    """
    figure = loss_and_accuracy(axis, log_loss)
    for column, quantity in enumerate(QUANTITIES, start=1):
        for name in (f"step/train/{quantity}", *(f"{split}/{quantity}" for split in SPLIT_COLORS)):
            figure.add_trace(_trace(name, series.get(name, ((), ())), axis, legend=column == 1), row=1, col=column)
    if title:
        figure.update_layout(title=title, margin={"t": 96})
    return figure


def loss_and_accuracy(axis: str, log_loss: bool) -> go.Figure:
    """Two empty charts for the QUANTITIES, side by side over the same x axis, which is called ``axis``.

    With ``log_loss`` powers of ten stand at equal distances on the axis of losses.
    """
    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss", "Accuracy"), horizontal_spacing=0.09)
    quiet(figure, 380)
    loss = {"type": "log", "tickformat": "~g"} if log_loss else {"rangemode": "tozero"}
    figure.update_yaxes(**loss, row=1, col=1)
    figure.update_yaxes(tickformat=".0%", row=1, col=2)
    figure.update_xaxes(title={"text": axis, "standoff": 6}, rangemode="tozero", matches="x")
    figure.update_xaxes(hoverformat=_digits(axis), spikecolor=GREY, spikethickness=1, spikedash="solid")
    figure.update_layout(legend={"y": 1.12}, margin={"t": 64}, hovermode="x unified", uirevision="keep")
    return figure


def _digits(axis: str) -> str:
    """How a place on ``axis`` is written: whole steps, although batches that were merged stand at their mean."""
    return ",.0f" if axis == "step" else ",.5~g"


def hover_text(axis: str, quantity: str) -> str:
    """What a point of a curve of ``quantity`` tells: its place on ``axis`` and its value."""
    return f"{axis} %{{x:{_digits(axis)}}}: %{{y:{'.2%' if quantity == 'accuracy' else '.4f'}}}"


def _trace(name: str, points: Series, axis: str, legend: bool) -> go.Scatter:
    single = name.startswith("step/")
    split, quantity = name.removeprefix("step/").split("/")
    label = "training, batches" if single else SPLIT_NAMES[split]
    x, y = points
    return go.Scatter(
        x=list(x),
        y=list(y),
        name=label,
        meta=name,
        legendgroup=label,
        showlegend=legend and (len(x) > 0),
        mode="lines" if single else "lines+markers",
        opacity=0.7 if single else 1,
        line={
            "color": SPLIT_COLORS[split],
            "width": 1 if single else 2.2,
            "dash": "dot" if split == "test" else "solid",
        },
        marker={"size": 6, "symbol": {"train": "circle", "val": "diamond", "test": "square"}[split]},
        hovertemplate=f"{hover_text(axis, quantity)}<extra>{label}</extra>",
    )
