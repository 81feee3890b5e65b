"""Images worth a look: the costliest errors, right answers that were nearly wrong, and a fair sample."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.ui.evaluate_choice import Subject
from cnnlab.ui.evaluate_gallery import gallery

KINDS = {
    "sample": "A sample",
    "losses": "Top losses",
    "unsure": "Least sure right answers",
}
SEED = "evaluate.seed"


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
        )
        if kind == "sample":
            st.button("Shuffle", icon=":material/shuffle:", key="evaluate.shuffle", on_click=_shuffle)
    places, sentence = _list(subject, kind)
    if len(places):
        st.caption(sentence)
        gallery(subject, places, f"evaluate.{kind}", columns=7, rows=4)
    else:
        st.info("There is no such image.", icon=":material/inbox:")


def _shuffle() -> None:
    st.session_state[SEED] = st.session_state.get(SEED, 0) + 1


def _list(subject: Subject, kind: str) -> tuple[NDArray[np.int64], str]:
    e = subject.evaluation
    if kind == "losses":
        return e.top_losses(), "Wrong answers, the one that costs most first: the network was sure of another class."
    if kind == "unsure":
        return e.surest(e.right)[::-1], "Right answers, the least sure first: these were nearly lost."
    shuffled = np.random.default_rng(st.session_state.get(SEED, 0)).permutation(len(e.labels))
    return shuffled, "Images as they come, each with predicted (true): ✓ right, ✗ wrong."
