"""How the kernel moves over the picture: the sidebar's settings."""

import streamlit as st

from cnnlab.explain.convolution import BORDERS, Border, Settings
from cnnlab.ui.filters.state import COLORS, FINISH, JOINS, OPERATIONS, held, key

BORDER_WORDS = {
    "zero": "zero: black",
    "reflect": "reflect: mirrored",
    "replicate": "replicate: the last pixel again",
    "wrap": "wrap: the opposite side",
}
OPERATION_HELP = (
    "A correlation lays the kernel on the picture as you see it: that is what a convolution layer and filter2D do. A "
    "convolution in the mathematical sense turns it by 180° first. For a symmetric kernel there is no difference; "
    "Sobel x changes its sign. A network learns its weights, so it need not care."
)


def color_choice(learnt: bool) -> bool:
    """Whether the picture is filtered in colour; ``learnt`` filters leave no choice."""
    if learnt:
        st.caption("Grey or colour: the run's filters take what they were trained on.")
        return False
    chosen = st.segmented_control(
        "Channels", COLORS, required=True, key=key("color"), persist_state="session", width="stretch"
    )
    return bool(chosen == "Colour")


def settings_form(color: bool) -> Settings:
    """The settings of one filter, with what the page holds of bias, absolute value and threshold."""
    if color:
        _join()
    st.subheader("How it moves", anchor=False)
    left, right = st.columns(2)
    with left:
        stride = st.number_input(
            "Stride",
            step=1,
            key=key("stride"),
            persist_state="session",
            help="Pixels from one place to the next: 1 to 16.",
        )
    with right:
        dilation = st.number_input(
            "Dilation",
            step=1,
            key=key("dilation"),
            persist_state="session",
            help="Distance of neighbouring weights in pixels: 1 to 8. At 2 a 3×3 kernel reaches over 5 pixels.",
        )
    padding = _padding_choice()
    border = border_choice()
    operation = st.segmented_control(
        "Operation",
        OPERATIONS,
        required=True,
        key=key("operation"),
        persist_state="session",
        help=OPERATION_HELP,
        width="stretch",
    )
    finish = st.session_state[FINISH]
    return Settings(
        stride=int(stride),
        padding=padding,
        border=border,
        dilation=int(dilation),
        convolution=operation == "Convolution",
        bias=float(finish["bias"]),
        absolute=bool(finish["absolute"]),
        threshold=finish["threshold"],
        summed=held("join") == JOINS[0] or not color,
    )


def _join() -> None:
    st.segmented_control(
        "The three channels",
        JOINS,
        required=True,
        key=key("join"),
        persist_state="session",
        width="stretch",
        help="A convolution layer adds up what it finds in red, green and blue. A photo filter treats each by itself.",
    )


def _padding_choice() -> str:
    """``none``, ``same`` or a number of pixels, as text."""
    options = ["same", "none", "1", "2", "3", "4", "5"]
    if held("padding") not in options:
        options.append(held("padding"))
    chosen = st.selectbox(
        "Padding",
        options,
        key=key("padding"),
        accept_new_options=True,
        persist_state="session",
        help="Pixels added around the picture: none, as many as keep its size at stride 1 (same), or any number up to "
        "32: type it.",
    )
    return str(chosen)


def border_choice() -> Border:
    """What the added pixels hold."""
    chosen: Border = st.selectbox(
        "Border",
        BORDERS,
        key=key("border"),
        format_func=BORDER_WORDS.__getitem__,
        persist_state="session",
        help="What the added pixels hold.",
    )
    return chosen
