"""Why this class and not that: two maps over the picture, by one of three methods, for any two classes."""

import streamlit as st

from cnnlab.explain.attributions import METHODS, Method, methods_for
from cnnlab.figures.attribution import attribution_figure
from cnnlab.prediction.preprocess import Prepared, prepare
from cnnlab.ui import words
from cnnlab.ui.live_plot import still_plot
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.given import Given
from cnnlab.ui.predict.strip import switched

SIDE = 330  # pixels of a map


def why_view(subject: Subject, given: Given) -> None:
    """The method, the two classes and the opacity; then the maps side by side."""
    predictor = subject.predictor
    prepared = prepare(given.picture, predictor.checkpoint, switched())
    answer = predictor.answer_prepared(prepared)
    names = answer.class_names
    order = answer.probabilities.argsort(descending=True).tolist()
    known = methods_for(predictor.network)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = st.segmented_control(
            "Method",
            list(known),
            default="occlusion" if "occlusion" in known else next(iter(known)),
            required=True,
            format_func=lambda name: METHODS[name].title,
            key=f"predict.method.{len(known)}",
            persist_state="session",
        )
        opacity = st.slider(
            "Opacity of the map", 0, 100, 75, 5, format="%d %%", key="predict.opacity", persist_state="session"
        )
    method = known[chosen]
    scale = "Orange speaks for the class, blue against it." if method.signed else "Orange speaks for the class."
    st.caption(f"{method.summary} {scale}")
    picture, first, second = st.columns(3, gap="medium", vertical_alignment="bottom")
    with picture:
        st.markdown(":small[What the network sees]")
        still_plot(attribution_figure(prepared.pixels.numpy(), _nothing(prepared), 0, False, SIDE), key="predict.why.0")
    for column, key, places in ((first, "a", order), (second, "b", [*order[1:], order[0]])):
        with column:
            label = st.selectbox(
                "Why" if key == "a" else "and why not",
                places,
                format_func=lambda c: f"{names[c]} ({words.sure(float(answer.confidences[c]))} sure)",
                key=f"predict.why.{key}.{given.id}.{subject.id}",
            )
            _map(subject, prepared, method, label, opacity / 100, key)


def _nothing(prepared: Prepared):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.zeros(tuple(prepared.pixels.shape[1:]), np.float32)


def _map(subject: Subject, prepared: Prepared, method: Method, label: int, opacity: float, key: str) -> None:
    found = method.explain(subject.predictor.network, prepared.pixels[None], prepared.scaling, label)[0]
    if not found.any():
        name = subject.predictor.checkpoint.class_names[label]
        st.info(f"Nothing in this picture speaks for {name}.", icon=":material/search_off:")
    figure = attribution_figure(prepared.pixels.numpy(), found, opacity, method.signed, SIDE)
    still_plot(figure, key=f"predict.why.map.{key}")
