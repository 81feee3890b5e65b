"""One picture: where it comes from on the left; what the network sees, says and looked at on the right."""

from collections.abc import Callable

import streamlit as st

from cnnlab.ui import words
from cnnlab.ui.canvas import drawn
from cnnlab.ui.predict.answer import Asked, answer_view, nothing_yet
from cnnlab.ui.predict.camera import photograph
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.given import Given
from cnnlab.ui.predict.history import HISTORY, history_view, remember
from cnnlab.ui.predict.layers import layers_view
from cnnlab.ui.predict.layout import SIDE, side_by_side
from cnnlab.ui.predict.paint import paint_view
from cnnlab.ui.predict.sample import sample
from cnnlab.ui.predict.why import why_view

VIEWS: dict[str, Callable[[Asked], None]] = {
    "Why": why_view,
    "Paint out": paint_view,
    "Layers": layers_view,
    "History": lambda asked: history_view(),
}


@st.fragment
def one_view(subject: Subject, way: str, given: Given | None = None) -> None:
    """The whole of it, for a picture that is ``given`` already or comes by this ``way``; only this part of the page
    runs again after a stroke."""
    left, right = side_by_side("answer")
    with left:
        if given:
            st.image(given.picture, caption=words.plain(given.name), width=SIDE)
        else:
            given = _given(subject, way)
    with right:
        if not given:
            nothing_yet(way)
        asked = answer_view(subject, given) if given else None
    if asked:
        _below(asked)
    elif st.session_state.get(HISTORY):
        st.markdown("##### Asked before")
        history_view()


def _given(subject: Subject, way: str) -> Given | None:
    if way == "Draw":
        picture = drawn("predict", SIDE, subject.color)
        return Given(picture, "drawing") if picture else None
    return photograph() if way == "Camera" else sample(subject)


def _below(asked: Asked) -> None:
    """The looks inside, one at a time."""
    remember(asked)
    view = st.segmented_control(
        "Look inside",
        list(VIEWS),
        default="Why",
        required=True,
        key="predict.view",
        label_visibility="collapsed",
        persist_state="session",
    )
    VIEWS[view](asked)
