"""A map of what speaks for a class, laid over its image.

>>> figure = attribution_figure(np.zeros((1, 8, 8), np.uint8), np.ones((8, 8), np.float32), opacity=0.5)
>>> [type(trace).__name__ for trace in figure.data]
['Image', 'Heatmap']
"""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.picture import picture_figure

# From clear to full, so that the image stays visible where the map says nothing; both ends keep apart for colour-blind
# people and on black and white pixels alike.
FOR = [[0, "rgba(255,150,0,0)"], [0.35, "rgba(255,150,0,0.45)"], [1, "rgba(255,150,0,1)"]]
AGAINST_FOR = [
    [0, "rgba(0,170,255,1)"],
    [0.4, "rgba(40,170,255,0.35)"],
    [0.5, "rgba(128,128,128,0)"],
    [0.6, "rgba(255,150,0,0.35)"],
    [1, "rgba(255,150,0,1)"],
]
TOP = 0.99  # of a signed map's pixels lie within the scale: a single one must not make all others pale


def attribution_figure(
    image: NDArray[np.uint8],
    map: NDArray[np.float32],
    opacity: float = 0.7,
    signed: bool = False,
    height: int = 320,
    title: str = "",
    most: float | None = None,
) -> go.Figure:
    """``map`` (float [H, W]) over ``image`` (uint8 [C, H, W], C = 1 or 3); ``opacity`` in [0, 1] is the map's.

    A ``signed`` map is blue where it speaks against the class and orange where it speaks for it, its scale the same
    on both sides of 0, up to ``most`` (by default what nearly all of its values stay below, :func:`scale_of`); one that
    is not signed lies in [0, 1]. Hovering tells a pixel's place, its grey value or
    colour, and the map's value.
    """
    figure = picture_figure(image, height, title)
    figure.data[0].hoverinfo = "skip"
    figure.data[0].hovertemplate = None
    most = most or scale_of(map)
    figure.add_trace(
        go.Heatmap(
            z=map,
            zmin=-most if signed else 0,
            zmax=most if signed else 1,
            colorscale=AGAINST_FOR if signed else FOR,
            showscale=False,
            opacity=opacity,
            text=_pixels(image),
            hovertemplate="row %{y}, column %{x}: %{text}<br>map %{z:.3~g}<extra></extra>",
        )
    )
    return figure


def scale_of(map: NDArray[np.float32]) -> float:
    """What nearly all values of a signed ``map`` stay below, on either side of 0; 1 where all are 0."""
    return float(np.quantile(np.abs(map), TOP) or np.abs(map).max()) or 1.0


def _pixels(image: NDArray[np.uint8]) -> list[list[str]]:
    if len(image) == 1:
        return [[f"grey {value}" for value in row] for row in image[0].tolist()]
    rows = image.transpose(1, 2, 0).tolist()
    return [[f"red {r}, green {g}, blue {b}" for r, g, b in row] for row in rows]
