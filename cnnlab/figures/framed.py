"""An image enlarged, with a frame around the pixels that a value sees.

>>> framed(np.zeros((1, 8, 8), np.uint8), (2, 5), (2, 5), cell=4).shape
(32, 32, 3)
"""

import numpy as np
from numpy.typing import NDArray

FRAME = (255, 140, 20)
THICK = 2  # pixels on the screen


def framed(image: NDArray[np.uint8], rows: tuple[int, int], columns: tuple[int, int], cell: int) -> NDArray[np.uint8]:
    """``image`` (uint8 [C, H, W], C = 1 or 3) with each pixel ``cell`` wide, as uint8 [H·cell, W·cell, 3].

    ``rows`` and ``columns`` are the first pixel and the one after the last; what lies outside the image is cut off.
    """
    large = image.repeat(cell, 1).repeat(cell, 2).transpose(1, 2, 0)
    canvas: NDArray[np.uint8] = np.ascontiguousarray(np.broadcast_to(large, (*large.shape[:2], 3)))
    height, width = canvas.shape[:2]
    top, bottom = max(0, rows[0] * cell), min(height, rows[1] * cell)
    left, right = max(0, columns[0] * cell), min(width, columns[1] * cell)
    dimmed = canvas // 3
    dimmed[top:bottom, left:right] = canvas[top:bottom, left:right]
    for edge in (
        (slice(top, top + THICK), slice(left, right)),
        (slice(max(top, bottom - THICK), bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + THICK)),
        (slice(top, bottom), slice(max(left, right - THICK), right)),
    ):
        dimmed[edge] = FRAME
    return dimmed
