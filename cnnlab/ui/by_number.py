"""The image that a person asks for by the number that stands below it.

>>> place_of(np.array([4, 7]), "#7"), place_of(np.array([4, 7]), "seven")
(1, None)
"""

import numpy as np
from numpy.typing import NDArray

DIGITS = 18  # that surely fit into 64 bits


def place_of(ids: NDArray[np.int64], asked: str) -> int | None:
    """Where in ``ids`` (int64 [N]) the number is that was typed, with or without its #; None where it is not."""
    digits = asked.strip().removeprefix("#")
    if not digits.isdecimal() or len(digits) > DIGITS:
        return None
    return next(iter(np.flatnonzero(ids == int(digits)).tolist()), None)
