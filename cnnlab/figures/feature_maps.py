"""Feature maps beside each other, on axes whose ticks show how large each is: orange above 0, blue below, dark at 0.

>>> len(maps_figure([Map(np.zeros((3, 5)), "Input", "grey")], columns=2).data)
1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cnnlab.figures.channels import NEGATIVE, POSITIVE
from cnnlab.figures.style import literal, quiet

Kind = Literal["grey", "signed", "angle", "weights"]
WIDE = 1000  # pixels of width that the heights of rows are meant for: where there are fewer, maps are as much lower
BETWEEN = 88  # pixels from a row to the next, for ticks and titles
NUMBERED = 7  # rows of weights up to which each shows its number
SIGNED = [
    [place, f"rgb({r},{g},{b})"]
    for place, (r, g, b) in zip(
        np.linspace(0, 1, 7), np.concatenate([NEGATIVE[::-1], POSITIVE[1:]]).tolist(), strict=True
    )
]
NOWHERE = {"colorscale": [[0, "#4a4f57"], [1, "#4a4f57"]], "showscale": False, "hoverinfo": "skip"}
COLORS: dict[Kind, Any] = {"grey": "gray", "signed": SIGNED, "weights": SIGNED, "angle": "twilight"}


@dataclass(frozen=True)
class Map:
    """Values float [H, W] with a title; ``top`` is the end of the scale (by default the largest absolute value).

    ``kind``: grey from 0 to ``top`` (255), signed around 0, weights with their numbers, or an angle in degrees.
    """

    values: NDArray[Any]
    title: str
    kind: Kind = "signed"
    top: float | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The values at both ends of the colour scale."""
        if self.kind == "angle":
            return -180.0, 180.0
        top = self.top or (255.0 if self.kind == "grey" else float(np.abs(self.values).max(initial=0.0)) or 1.0)
        top *= 3 if self.kind == "weights" else 1  # dark enough for white numbers
        return (0.0 if self.kind == "grey" else -top), top


def maps_figure(maps: Sequence[Map], columns: int, height: int = 240) -> go.Figure:
    """``maps`` in rows of ``columns``, each row ``height`` pixels high on a page of the usual width.

    All but weights have the largest one's axes, so that a pooled map is drawn as small as it is.
    """
    rows = -(-len(maps) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=["<br>".join(map(literal, m.title.split("<br>"))) for m in maps],
        horizontal_spacing=0.16 / columns,
        vertical_spacing=min(0.3, BETWEEN / (rows * height)),
    )
    quiet(figure, rows * height + 56)
    largest = max((m.values.shape for m in maps if m.kind != "weights"), default=(1, 1))
    for number, one in enumerate(maps):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        if one.kind == "angle":  # what has no direction is grey in both themes
            figure.add_trace(go.Heatmap(z=np.zeros(one.values.shape, np.float32), **NOWHERE), **place)
        figure.add_trace(_heatmap(one), **place)
        extent = largest if one.kind != "weights" else one.values.shape
        _axes(figure, extent, one.kind == "weights", number, place)
    figure.update_annotations(font={"size": 12}, yshift=6)
    margin = {"l": 28, "r": 8, "t": 48, "b": 24}
    text = margin["t"] + margin["b"] + (rows - 1) * BETWEEN  # pixels of the height that do not shrink with the width
    figure.update_layout(meta={"width": WIDE, "text": text}, showlegend=False, margin=margin)
    return figure


def described(maps: Sequence[Map]) -> str:
    """``maps`` in words, for those who cannot see them."""
    return "; ".join(one.title.replace("<br>", ", ") for one in maps) + "."


def histogram_figure(values: NDArray[Any], title: str) -> go.Figure:
    """How often each of ``values`` (any shape) occurs, on a logarithmic axis: most of an edge picture is near 0."""
    counts, edges = np.histogram(values, bins=101)
    middles = (edges[:-1] + edges[1:]) / 2
    low, top = float(edges[0]), max(abs(float(edges[0])), abs(float(edges[-1]))) or 1.0
    bars = go.Bar(
        x=middles,
        y=counts,
        width=np.diff(edges),
        marker={"color": middles, "colorscale": SIGNED, "cmin": -top, "cmax": top} if low < 0 else {"color": "#8a8f98"},
        hovertemplate="about %{x:.4g}: %{y:,} pixels<extra></extra>",
    )
    figure = quiet(go.Figure(bars), 220)
    figure.update_xaxes(title=title)
    figure.update_yaxes(title="pixels", type="log", dtick=1)
    return figure


def _heatmap(one: Map) -> go.Heatmap:
    low, high = one.limits
    numbered = one.kind == "weights" and len(one.values) <= NUMBERED
    return go.Heatmap(
        z=one.values.astype(np.float32),
        zmin=low,
        zmax=high,
        colorscale=COLORS[one.kind],
        showscale=one.kind == "angle",
        colorbar={"tickvals": [-180, -90, 0, 90, 180], "ticksuffix": "°", "thickness": 10, "len": 0.45, "y": 0.22},
        text=[[f"{v:.3g}".replace("-", "−") for v in row] for row in one.values.tolist()] if numbered else None,
        texttemplate="%{text}" if numbered else None,
        textfont={"color": "white"},
        hovertemplate="row %{y}, column %{x}: %{z:.4~g}<extra></extra>",
    )


def _axes(figure: go.Figure, extent: tuple[int, ...], bare: bool, number: int, place: dict[str, int]) -> None:
    """Pixels are square, row 0 is above, and ticks count pixels; none on weights."""
    height, width = extent
    anchor = "x" if number == 0 else f"x{number + 1}"
    common = {
        "showgrid": False,
        "showticklabels": not bare,
        "nticks": 6,
        "constrain": "domain",
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 10},
    }
    figure.update_xaxes(range=[-0.5, width - 0.5], **common, **place)
    figure.update_yaxes(range=[height - 0.5, -0.5], scaleanchor=anchor, constraintoward="top", **common, **place)
