"""Many small images as one picture, in rows: for a browser that shows them one at a time.

>>> sheet(np.zeros((5, 1, 8, 8), np.uint8)).shape, columns_of(5)
((16, 24, 3), 3)
"""

import numpy as np
from numpy.typing import NDArray


def columns_of(count: int) -> int:
    """How many of ``count`` images stand in a row, so that the sheet is about square."""
    return max(1, int(np.ceil(np.sqrt(count))))


def sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``images`` uint8 [N, C, H, W] (C = 1 or 3) -> uint8 [rows · H, columns · W, 3], row by row."""
    count, _, height, width = images.shape
    columns = columns_of(count)
    rows = max(1, -(-count // columns))
    tiles = np.zeros((rows * columns, height, width, 3), np.uint8)
    tiles[:count] = images.transpose(0, 2, 3, 1)
    rowwise = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return rowwise.reshape(rows * height, columns * width, 3)
