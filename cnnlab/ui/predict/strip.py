"""What the network sees: the steps from the given picture to what goes in, each with its picture and its switch."""

import base64
from typing import Any

import streamlit as st
from PIL import Image

from cnnlab.explain.drawing import size_text
from cnnlab.prediction.many import thumbnail
from cnnlab.prediction.preprocess import Prepared, as_shown
from cnnlab.ui.component import component

KEY = "predict.strip"
SWITCHED, ROUND, PLACE = "predict.switched", "predict.strip.round", "predict.strip.place"
LARGEST = 112  # pixels of a step's picture, as sent: twice what it has on the screen

WORDS = {
    "grey": ("Grey", "One brightness for each pixel instead of red, green and blue."),
    "invert": ("Inverted", "Dark ink on light paper becomes bright on black, as in the training images."),
    "even": ("Evened", "Paper and shadows of a photograph are taken away."),
    "crop": ("Cropped", "Only the part with ink is kept."),
    "centre": ("Centred", "Placed in the square as the training images are."),
    "resize": ("Resized", "To the network's size, several pixels averaged into one."),
    "normalise": ("Scaled", "Minus the mean, divided by the standard deviation, as in training. Its own range is shown "
                            "as black to white."),
}  # fmt: skip

_component = component(__file__)


def switched() -> dict[str, bool]:
    """What the person has switched on or off against the defaults."""
    state: Any = st.session_state.get(_key()) or {}
    if "switched" in state:
        st.session_state[SWITCHED] = dict(state["switched"] or {})
    kept: dict[str, bool] = st.session_state.get(SWITCHED, {})
    return kept


def forget_switches() -> None:
    """Take all steps by default again."""
    st.session_state[SWITCHED] = {}
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def switches_belong_to(place: str) -> None:
    """Forget the switches that were set elsewhere: at another network's, or for pictures from elsewhere."""
    if st.session_state.setdefault(PLACE, place) != place:
        st.session_state[PLACE] = place
        forget_switches()


def _key() -> str:
    """A component's own state cannot be changed from here: another key is a new component."""
    return f"{KEY}.{st.session_state.get(ROUND, 0)}"


def strip(prepared: Prepared) -> None:
    """The pictures in a row, and below them the tensor's shape and range."""
    steps = [{"name": "given", "label": "Given", "help": "As it was given.", "on": True, "default": True,
              "switchable": False,
              "src": source(prepared.given), "smooth": max(prepared.given.size) > LARGEST}]  # fmt: skip
    for step in prepared.steps:
        last = step.name == "normalise"
        label, help = WORDS[step.name]
        picture = Image.fromarray(as_shown(prepared)) if last else step.picture
        steps.append(
            {
                "name": step.name,
                "label": label,
                "help": help if step.switchable else f"{help} This network cannot do without.",
                "on": step.on,
                "default": step.default,
                "switchable": step.switchable,
                "src": source(picture),
                "smooth": max(picture.size) > LARGEST,
            }
        )
    _component(
        data={"steps": steps, "switched": switched()}, key=_key(), height="content", on_switched_change=lambda: None
    )
    inputs = prepared.inputs
    shape = size_text(tuple(inputs.shape[1:]))
    low, high = float(inputs.min()), float(inputs.max())
    with st.container(horizontal=True, vertical_alignment="center"):
        numbers = f"from {low:.2f} to {high:.2f}".replace("-", "−")
        st.caption(f"What goes in: {shape} numbers (rows × columns × channels) {numbers}.", width="content")
        if switched():
            st.button("Reset the steps", icon=":material/undo:", key="predict.steps.reset", type="tertiary",
                      on_click=forget_switches)  # fmt: skip


def source(picture: Image.Image) -> str:
    """``picture`` as the address of a small PNG."""
    return src(thumbnail(picture, LARGEST))


def src(png: bytes) -> str:
    """A PNG as the address that a picture takes on the page."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
