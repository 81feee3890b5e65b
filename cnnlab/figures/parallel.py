"""Parallel coordinates: an upright axis for each quantity, a line across them for each trial.

Inselberg, The plane with parallel coordinates, The Visual Computer, 1985. Drawn by lines rather than by Plotly's own
kind of trace, which needs WebGL, cannot tell lines apart by dashes, nor show what a trial lacks.

>>> axes = [Axis("lr", low=0.001, high=0.1, log=True), Axis("optimiser", choices=("sgd", "adam"))]
>>> figure = parallel_figure(axes, [Line(0, (0.01, "sgd"), "best")])
>>> figure.data[0].y[:2]
(0.5, 0.25)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from cnnlab.figures.style import BLUE, GREY, ORANGE, quiet

BELOW = -0.12  # where a line crosses an axis whose quantity its trial has not, or has lower than the axis goes
KINDS: dict[str, tuple[dict[str, Any], float]] = {
    "pruned": ({"color": GREY, "width": 1.4, "dash": "dot"}, 0.8),
    "finished": ({"color": BLUE, "width": 1.8}, 0.75),
    "best": ({"color": ORANGE, "width": 3.5}, 1.0),
}
"""Kind of trial -> its line and opacity; the last is drawn on top."""


@dataclass(frozen=True)
class Axis:
    """A quantity: one of ``choices``, or from ``low`` to ``high``; ``log`` is its scale, a share may be in percent."""

    title: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    percent: bool = False

    def place(self, value: Any) -> float:
        """Where ``value`` lies, 0 at the axis's foot and 1 at its head; BELOW for None and for what is lower."""
        if value is None or (not self.choices and value < self.low):
            return BELOW
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low) if self.high > self.low else 0.5
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5

    def ticks(self) -> list[Any]:
        """The values that are written beside the axis."""
        if self.choices:
            return list(self.choices)
        if self.high <= self.low:
            return [self.low]
        if self.log:
            powers = range(math.ceil(math.log10(self.low) + 0.15), math.floor(math.log10(self.high) - 0.15) + 1)
            return [self.low, *(10.0**power for power in powers), self.high]
        return [self.low + (self.high - self.low) * part / 4 for part in range(5)]

    def written(self, value: Any) -> str:
        """``value`` as it stands beside the axis."""
        if value is None:
            return "none"
        if self.place(value) == BELOW:
            return "lower"
        if self.percent:
            return f"{100 * value:.1f} %"
        return f"{value:.3g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Line:
    """A trial: its number, its value on each axis (None where it has none), its kind (of KINDS), what to say of it."""

    number: int
    values: tuple[Any, ...]
    kind: str
    text: str = ""


def parallel_figure(axes: Sequence[Axis], lines: Sequence[Line]) -> go.Figure:
    """A line for each trial across all ``axes``, from left to right. A point's customdata is its trial's number."""
    figure = go.Figure()
    for kind, (style, opacity) in KINDS.items():
        mine = [line for line in lines if line.kind == kind]
        if mine:
            figure.add_trace(_trace(axes, mine, kind, style, opacity))
    figure.add_trace(_labels(axes, lines))
    quiet(figure, 380)
    for place, axis in enumerate(axes):
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": GREY, "width": 1.5}, layer="below")
        figure.add_annotation(x=place, y=1.08, text=f"<b>{axis.title}</b>", showarrow=False, yanchor="bottom")
    figure.update_xaxes(visible=False, range=[-0.35, len(axes) - 0.65 + 0.1])
    figure.update_yaxes(visible=False, range=[BELOW - 0.06, 1.22])
    figure.update_layout(
        meta={"halo": True},
        hovermode="closest",
        showlegend=True,
        legend={"y": -0.02, "yanchor": "top"},
        margin={"l": 24, "t": 8, "b": 40},
    )
    return figure


def _trace(axes: Sequence[Axis], lines: Sequence[Line], kind: str, style: dict[str, Any], opacity: float) -> go.Scatter:
    """All lines of a kind as one trace, with a gap after each."""
    x: list[float | None] = []
    y: list[float | None] = []
    numbers: list[int] = []
    texts: list[str] = []
    for line in lines:
        x += [*range(len(axes)), None]
        y += [*(axis.place(value) for axis, value in zip(axes, line.values, strict=True)), None]
        numbers += [line.number] * (len(axes) + 1)
        texts += [line.text] * (len(axes) + 1)
    return go.Scatter(
        x=x,
        y=y,
        name=kind,
        mode="lines+markers",
        line=style,
        marker={"size": 6 if kind == "best" else 4},
        opacity=opacity,
        customdata=numbers,
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        connectgaps=False,
    )


def _labels(axes: Sequence[Axis], lines: Sequence[Line]) -> go.Scatter:
    """The values beside the axes: to their left, but to the right of the last, where no lines run."""
    places, heights, words, sides = [], [], [], []
    for place, axis in enumerate(axes):
        last = place == len(axes) - 1
        below = [line.values[place] for line in lines if axis.place(line.values[place]) == BELOW]
        written = [(axis.place(value), axis.written(value)) for value in axis.ticks()]
        if below:
            written.append((BELOW, ", ".join(sorted({axis.written(value) for value in below}))))
        for height, word in written:
            places.append(place)
            heights.append(height)
            words.append(f"  {word}" if last else f"{word}  ")
            sides.append("middle right" if last else "middle left")
    return go.Scatter(
        x=places,
        y=heights,
        text=words,
        mode="text",
        textposition=sides,
        textfont={"size": 12},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
