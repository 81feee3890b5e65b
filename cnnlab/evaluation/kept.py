"""Arrays that took long to work out, kept in a run's folder for the next time, with a mark of what they came from.

>>> keep(Path("answers.npz"), "best 17", labels=np.array([3, 1]))          # doctest: +SKIP
>>> recall(Path("answers.npz"), "best 17", ["labels"])                     # doctest: +SKIP
[array([3, 1])]
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.paths import written_whole


def keep(path: Path, mark: str, **arrays: ArrayLike) -> None:
    """Keep ``arrays`` in ``path``; where nothing can be written, nothing is kept."""
    with suppress(OSError), written_whole(path) as part, part.open("wb") as file:
        np.savez(file, mark=mark, **arrays)  # type: ignore[arg-type]  # any ArrayLike will do


def recall(path: Path, mark: str | None, names: Sequence[str]) -> list[NDArray[Any]] | None:
    """The arrays called ``names`` as they were kept in ``path``; None if there are none, or it is damaged, or its mark
    is not ``mark`` (None: whatever it is).
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if mark in (None, str(file["mark"])):
                return [file[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        pass
    return None
