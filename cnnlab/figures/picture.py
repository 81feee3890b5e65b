"""One image, large, each pixel a square that tells its values.

>>> picture_figure(np.zeros((1, 8, 8), np.uint8)).data[0].hovertemplate
'row %{y}, column %{x}: grey %{z[0]}<extra></extra>'
"""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.style import literal, quiet


def picture_figure(image: NDArray[np.uint8], height: int = 320, title: str = "") -> go.Figure:
    """``image`` uint8 [C, H, W] (C = 1 or 3), ``height`` pixels high on the screen with its ``title``."""
    values = "grey %{z[0]}" if len(image) == 1 else "red %{z[0]}, green %{z[1]}, blue %{z[2]}"
    pixels = np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0)
    figure = go.Figure(go.Image(z=pixels, hovertemplate=f"row %{{y}}, column %{{x}}: {values}<extra></extra>"))
    quiet(figure, height)
    rows, columns = image.shape[1:]
    figure.update_xaxes(
        visible=False, range=[-0.5, columns - 0.5], fixedrange=True, constrain="domain", constraintoward="left"
    )
    figure.update_yaxes(
        visible=False, range=[rows - 0.5, -0.5], fixedrange=True, scaleanchor="x", constraintoward="top"
    )
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 30 if title else 0, "b": 0},
        title={"text": literal(title), "font": {"size": 14}, "x": 0, "xanchor": "left"},
    )
    return figure
