"""Why this class and not that: two maps over the picture, by one of three methods, for any two classes."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.explain.attributions import METHODS, methods_for
from cnnlab.figures.attribution import attribution_figure, scale_of
from cnnlab.prediction.preprocess import Prepared
from cnnlab.ui import words
from cnnlab.ui.plot import plot
from cnnlab.ui.predict.answer import Asked

SIDE = 330  # pixels of a map


def why_view(asked: Asked) -> None:
    """The method, the two classes and the opacity; then the maps side by side."""
    network, prepared, answer = asked.subject.predictor.network, asked.prepared, asked.answer
    names = answer.class_names
    order = answer.probabilities.argsort(descending=True).tolist()
    known = methods_for(network)
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
    scale = (
        "Orange speaks for the class, blue against it, on one scale in both maps."
        if method.signed
        else "Orange speaks for the class. Each map has its own scale: how sure an answer is stands beside its class."
    )
    st.caption(f"{method.summary} {scale}")
    picture, first, second = st.columns(3, gap="medium", vertical_alignment="bottom")
    with picture:
        st.markdown(":small[What the network sees]")
        figure = attribution_figure(prepared.pixels.numpy(), _nothing(prepared), 0, False, SIDE)
        plot(figure, "", "predict.why.0", alt="The picture as the network sees it.")
    labels = {}
    for column, key, places in ((first, "a", order), (second, "b", [*order[1:], order[0]])):
        with column:
            labels[key] = st.selectbox(
                "Why" if key == "a" else "and why not",
                places,
                format_func=lambda c: f"{names[c]} ({words.sure(float(answer.confidences[c]))} sure)",
                key=f"predict.why.{key}.{asked.id}",
            )
    maps = {key: method.explain(network, prepared.pixels, prepared.scaling, c) for key, c in labels.items()}
    most = max(map(scale_of, maps.values()))
    for column, (key, found) in zip((first, second), maps.items(), strict=True):
        with column:
            if not found.any():
                st.info(
                    f"Nothing in this picture speaks for {words.plain(names[labels[key]])}.",
                    icon=":material/search_off:",
                )
            figure = attribution_figure(prepared.pixels.numpy(), found, opacity / 100, method.signed, SIDE, most=most)
            alt = f"Where the picture speaks for {names[labels[key]]}: {method.title}."
            plot(figure, "", f"predict.why.map.{key}", alt=alt)


def _nothing(prepared: Prepared) -> NDArray[np.float32]:
    return np.zeros(tuple(prepared.pixels.shape[1:]), np.float32)
