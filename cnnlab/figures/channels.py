"""A layer's channels as one composed strip: dark is 0, orange above, blue below, all on one scale.

>>> strip_figure(np.zeros((3, 7, 7), np.float32), ["0", "1", "2"]).layout.height > 0
True
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.gallery import gallery_figure

POSITIVE = np.array([[40, 44, 52], [201, 96, 10], [255, 176, 84], [255, 244, 224]])  # rgb at 0, 1/3, 2/3 and 1
NEGATIVE = np.array([[40, 44, 52], [28, 101, 163], [96, 174, 232], [224, 242, 255]])


def signed_colors(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colours (uint8 [..., 3]) of ``values`` of any shape: the lighter, the further from 0; orange above, blue below.

    The largest absolute value has the lightest colour; what is not finite is grey.
    """
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    share = np.abs(finite) / (np.abs(finite).max(initial=0.0) or 1.0)
    stops = np.linspace(0, 1, len(POSITIVE))
    warm, cold = (
        np.stack([np.interp(share, stops, side[:, c]) for c in range(3)], -1) for side in (POSITIVE, NEGATIVE)
    )
    colors = np.where(finite[..., None] >= 0, warm, cold)
    return np.where(np.isfinite(values)[..., None], colors, 128).round().astype(np.uint8)


def strip_figure(
    maps: NDArray[np.floating],
    captions: Sequence[str],
    columns: int = 16,
    cell: int = 64,
) -> go.Figure:
    """Channels (float [C, H, W], or [C] for single numbers) side by side in rows of ``columns``, with their captions.

    All share one scale (see :func:`signed_colors`), so that a channel that stays silent is dark. ``cell`` is the width
    of a channel on the screen, in pixels.
    """
    pictures = maps.reshape(len(maps), *(maps.shape[1:] or (1, 1)))
    colors = signed_colors(pictures).transpose(0, 3, 1, 2)
    return gallery_figure(colors, captions, min(columns, max(1, len(maps))), cell)
