"""The image that flows through the network: of the dataset, drawn, or uploaded."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cnnlab.checkpoints import Checkpoint
from cnnlab.datasets import ImageDataset
from cnnlab.loader import Scaling
from cnnlab.pictures import UnreadableImage, enough, open_picture
from cnnlab.prediction.preprocess import prepare
from cnnlab.ui import words
from cnnlab.ui.by_number import place_of
from cnnlab.ui.canvas import drawn
from cnnlab.ui.network.choice import Subject

SIDE = 196  # pixels of the canvas
WAYS = ("Test image", "Draw", "Upload")


def flow_image(subject: Subject, dataset: ImageDataset | None, scaling: Scaling) -> Tensor | None:
    """The image as uint8 [1, C, H, W], prepared for the network as on the Predict page; None while there is none."""
    ways = WAYS if dataset is not None else WAYS[1:]
    if st.session_state.get("flow.way") not in ways:
        st.session_state["flow.way"] = ways[0]
    way = st.segmented_control("Image", ways, key="flow.way", required=True, persist_state="session")
    if way == "Test image" and dataset is not None:
        return _sample(dataset)
    channels, size, classes = subject.shape
    picture = drawn("flow", SIDE, color=channels == 3) if way == "Draw" else _uploaded(size)
    if picture is None:
        return None
    names = tuple(str(c) for c in range(classes))
    return prepare(picture, Checkpoint(subject.config, names, channels, size, scaling, {}, {})).pixels.unsqueeze(0)


def _sample(dataset: ImageDataset) -> Tensor:
    """The test image that is called by its number, as on Evaluate and Predict."""
    ids = dataset.test.ids.numpy()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input(
            "Number", f"#{ids[0]}", key="flow.number", width=150, persist_state="session", bind="query-params",
            help=f"Of {len(ids):,} test images, from #{ids.min()} to #{ids.max()}: those on Evaluate and Predict.",
        )  # fmt: skip
        st.button("Another", icon=":material/shuffle:", key="flow.shuffle", on_click=_another, args=(ids,))
    place = place_of(ids, asked)
    index = place or 0
    name = words.plain(dataset.class_names[int(dataset.test.labels[index])])
    if place is None:
        st.warning(
            f"There is no test image '{words.plain(asked)}'. Shown instead: #{ids[index]}, of class **{name}**.",
            icon=":material/search_off:",
        )
    else:
        st.caption(f"Test image #{ids[index]}, of class **{name}**.")
    return dataset.test.images[index : index + 1]


def _another(ids: NDArray[np.int64]) -> None:
    st.session_state["flow.number"] = f"#{np.random.default_rng().choice(ids)}"


def _uploaded(size: int) -> Image.Image | None:
    st.file_uploader("A picture", key="flow.file", on_change=_take_upload)
    name, content = st.session_state.get("flow.upload") or ("", b"")
    if not name:
        return None
    if st.session_state["flow.file"] is None:  # the uploader forgets on leaving the page
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{words.plain(name)}**")
            st.button("Forget it", icon=":material/delete:", key="flow.forget", on_click=_forget)
    try:
        return open_picture(content, least=enough(size))
    except UnreadableImage as error:
        st.error(words.plain(str(error)), icon=":material/broken_image:")
        return None


def _take_upload() -> None:
    file = st.session_state["flow.file"]
    st.session_state["flow.upload"] = None if file is None else (file.name, file.getvalue())


def _forget() -> None:
    st.session_state["flow.upload"] = None
