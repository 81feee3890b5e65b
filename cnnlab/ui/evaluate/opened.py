"""The image that is open, and those before and after it: kept for the session, for one subject at a time."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.ui.address import asked
from cnnlab.ui.by_number import place_of

KEY, IMAGE = "evaluate.opened", "evaluate.image"  # what is open; in the address, by its id


@dataclass(frozen=True)
class Opened:
    """Number ``at`` of the images at ``places`` (int64 [M]) of the subject ``of``."""

    of: str
    places: NDArray[np.int64]
    at: int

    @property
    def place(self) -> int:
        """Where the image is in its split."""
        return int(self.places[self.at])


def open_image(of: str, places: NDArray[np.int64], place: int) -> None:
    """Open the image at ``place``, one of ``places``, of the subject whose id is ``of``.

    Nothing is done where it is none of these: a figure that is being drawn anew was clicked.
    """
    if (found := np.flatnonzero(places == place)).size:
        st.session_state[KEY] = Opened(of, places, int(found[0]))


def open_asked(of: str, ids: NDArray[np.int64]) -> None:
    """Open the image that the address names, where it is read anew; ``ids`` (int64 [N]) are those of the subject."""

    def read(text: str) -> int:
        if (place := place_of(ids, text)) is None:
            raise ValueError(text)
        return place

    first = IMAGE not in st.session_state
    place = asked(IMAGE, read, None)
    if first and place is not None:
        open_image(of, np.array([place]), place)
    elif first:
        close_image()


def opened_image(of: str) -> Opened | None:
    """What is open of the subject ``of``."""
    found = st.session_state.get(KEY)
    return found if isinstance(found, Opened) and found.of == of else None


def turn(by: int) -> None:
    """Go ``by`` images on, or back."""
    if found := st.session_state.get(KEY):
        st.session_state[KEY] = replace(found, at=min(max(found.at + by, 0), len(found.places) - 1))


def close_image() -> None:
    """Nothing is open any more."""
    st.session_state.pop(KEY, None)
