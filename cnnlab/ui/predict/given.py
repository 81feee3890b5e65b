"""The picture that is being asked about: kept in the session, so that it outlives a look at another page."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import streamlit as st
from PIL import Image

KEY = "predict.given."


@dataclass(frozen=True)
class Given:
    """A ``picture`` (mode L or RGB), what to call it, and its true class where that is known."""

    picture: Image.Image
    name: str
    truth: str | None = None

    @cached_property
    def id(self) -> str:
        """The same for the same picture; made once, as of a large one it takes a while."""
        return hashlib.md5(self.picture.tobytes() + self.name.encode(), usedforsecurity=False).hexdigest()[:12]


def keep(way: str, given: Given | None) -> Given | None:
    """Remember what was given by this ``way``."""
    st.session_state[KEY + way] = given
    return given


def recall(way: str) -> Given | None:
    """What was last given by this ``way``."""
    found: Given | None = st.session_state.get(KEY + way)
    return found
