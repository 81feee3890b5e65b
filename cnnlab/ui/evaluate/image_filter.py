"""Which images are shown: by true and predicted class, right or wrong, and how sure the network was."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.evaluation.evaluate import Evaluation

TRUE, PREDICTED, OUTCOME, SURE = (f"evaluate.only.{name}" for name in ("true", "predicted", "outcome", "sure"))
OUTCOMES = {"all": "All", "right": "Right", "wrong": "Wrong"}


def filters(evaluation: Evaluation) -> NDArray[np.bool_]:
    """The sidebar's filters; gives the images that pass, bool [N]."""
    e, names = evaluation, evaluation.class_names
    for key in (TRUE, PREDICTED):
        if any(c >= len(names) for c in st.session_state.get(key, [])):  # chosen for another run
            st.session_state[key] = []
    with st.expander("Filters", icon=":material/filter_alt:"):
        true, predicted = _classes("True class", names, TRUE), _classes("Predicted class", names, PREDICTED)
        outcome = st.segmented_control(
            "Answer",
            list(OUTCOMES),
            default="all",
            required=True,
            format_func=OUTCOMES.__getitem__,
            key=OUTCOME,
            persist_state="session",
            bind="query-params",
        )
        low, high = st.slider(
            "Confidence", 0, 100, (0, 100), format="%d %%", key=SURE, persist_state="session", bind="query-params"
        )
        shown = (e.confidence >= low / 100) & (e.confidence <= high / 100)
        if true:
            shown &= np.isin(e.labels, true)
        if predicted:
            shown &= np.isin(e.predicted, predicted)
        if outcome != "all":
            shown &= e.right == (outcome == "right")
        st.caption("They choose the images in galleries and on the feature map. All figures keep to the whole split.")
    if not shown.all():
        st.markdown(f":material/filter_alt: **{shown.sum():,}** of {len(shown):,} images pass the filters.")
        st.button("Clear filters", on_click=clear, key="evaluate.only.clear", width="stretch")
    return shown


def _classes(label: str, names: tuple[str, ...], key: str) -> list[int]:
    return st.multiselect(
        label,
        range(len(names)),
        format_func=names.__getitem__,
        key=key,
        placeholder="Any",
        persist_state="session",
        bind="query-params",
    )


def clear() -> None:
    """Let all images through again."""
    st.session_state.update({TRUE: [], PREDICTED: [], OUTCOME: "all", SURE: (0, 100)})
