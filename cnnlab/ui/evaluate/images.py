"""Images worth a look: the costliest errors, right answers that were nearly wrong, and a fair sample."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.figures.style import shortened
from cnnlab.ui import words
from cnnlab.ui.by_number import place_of
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.gallery import gallery
from cnnlab.ui.evaluate.opened import open_image

KINDS = {
    "sample": "A sample",
    "losses": "Top losses",
    "unsure": "Least sure right answers",
}
SEED, ID, UNKNOWN = "evaluate.seed", "evaluate.id", "evaluate.id.unknown"


def images_view(subject: Subject) -> None:
    """One of three lists, a page at a time."""
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "Images",
            list(KINDS),
            default="sample",
            required=True,
            format_func=KINDS.__getitem__,
            key="evaluate.kind",
            label_visibility="collapsed",
            persist_state="session",
            bind="query-params",
        )
        if kind == "sample":
            st.button("Shuffle", icon=":material/shuffle:", key="evaluate.shuffle", on_click=_shuffle)
        st.space("stretch")
        st.text_input(
            "Image by id",
            placeholder="Image by id",
            key=ID,
            on_change=_open_by_id,
            args=(subject,),
            label_visibility="collapsed",
            width=150,
            icon=":material/search:",
        )
    if sentence := st.session_state.pop(UNKNOWN, ""):
        st.error(sentence, icon=":material/error:")
    places, sentence = _list(subject, kind)
    if len(places):
        st.caption(sentence)
        gallery(subject, places, f"evaluate.{kind}", columns=7, rows=4, name=KINDS[kind])
    else:
        st.info("There is no such image.", icon=":material/inbox:")


def _shuffle() -> None:
    st.session_state[SEED] = st.session_state.get(SEED, 0) + 1


def _open_by_id(subject: Subject) -> None:
    text = st.session_state[ID].strip()
    st.session_state[ID] = ""
    ids = subject.evaluation.ids
    if (place := place_of(ids, text)) is not None:
        open_image(subject.id, np.arange(len(ids)), place)
    elif text:
        st.session_state[UNKNOWN] = (
            f"There is no image '{words.plain(shortened(text, 40))}' among these {len(ids):,}: give an id as it stands "
            f"below an image, such as {ids[0]}."
        )


def _list(subject: Subject, kind: str) -> tuple[NDArray[np.int64], str]:
    e = subject.evaluation
    if kind == "losses":
        return e.top_losses(), "Wrong answers, the one that costs most first: the network was sure of another class."
    if kind == "unsure":
        return e.surest(e.right)[::-1], "Right answers, the least sure first: these were nearly lost."
    shuffled = np.random.default_rng(st.session_state.get(SEED, 0)).permutation(len(e.labels))
    return shuffled, "Images as they come: ✓ a right answer, ✗ a wrong one with the true class behind it."
