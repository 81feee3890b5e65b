"""The drawing canvas: pen width, undo and clear, black on white or white on black, colours for colour networks."""

import numpy as np
import streamlit as st
from PIL import Image

from cnnlab.ui.predict.given import Given, keep, recall
from cnnlab.ui.predict.layout import SIDE

CANVAS = "predict.canvas"
BASE = "predict.canvas.base"  # the drawing that the canvas began with: it must stay the same until undo or clear
LAST = "predict.canvas.last"  # the strokes as they were last sent, for a canvas that was left and comes back
PAPERS = {"Black on white": ("#000000", "#ffffff"), "White on black": ("#ffffff", "#000000")}


def draw(color: bool) -> Given | None:
    """The drawing, or None while there is none; the tools are below it."""
    from streamlit_drawable_canvas import st_canvas  # outside a running server it cannot be imported

    if CANVAS not in st.session_state:  # first seen, or seen again after another page: it begins with what was drawn
        _begin(st.session_state.get(LAST, []))
    with st.container(key="predict-canvas"):
        slot = st.container()
        pen, ink, paper = _tools(color)
        with slot:
            result = st_canvas(
                stroke_width=pen,
                stroke_color=ink,
                background_color=paper,
                height=SIDE,
                width=SIDE,
                initial_drawing=st.session_state[BASE],
                return_image_data=True,
                key=CANVAS,
            )
    strokes = (result.json_data or {}).get("objects", [])
    if result.image_data is None:  # nothing was sent since the canvas is there
        return recall("Draw") if st.session_state.get(LAST) else None
    st.session_state[LAST] = strokes
    return keep("Draw", Given(_picture(result.image_data, color), "drawing") if strokes else None)


def _picture(pixels: np.ndarray, color: bool) -> Image.Image:
    return Image.fromarray(pixels, "RGBA").convert("RGB" if color else "L")


def _tools(color: bool) -> tuple[int, str, str]:
    """The pen's width, its colour and the paper's."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Undo", icon=":material/undo:", key="predict.undo", on_click=_undo)
        st.button("Clear", icon=":material/delete:", key="predict.clear", on_click=_begin)
        pen = st.slider("Pen width", 4, 40, 20, key="predict.pen", persist_state="session")
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "Paper",
            list(PAPERS),
            default="Black on white",
            required=True,
            key="predict.paper",
            label_visibility="collapsed",
            persist_state="session",
            on_change=_recolour,
        )
        ink, paper = PAPERS[kind]
        if color:
            ink = st.color_picker("Pen", ink, key=f"predict.ink.{kind}", label_visibility="collapsed")
    return pen, ink, paper


def _sent() -> list[dict[str, object]]:
    """The strokes that the canvas last sent."""
    drawing = (st.session_state.get(CANVAS) or {}).get("drawing") or {}
    strokes: list[dict[str, object]] = (drawing.get("raw") or {}).get("objects", [])
    return strokes


def _begin(strokes: list[dict[str, object]] | None = None) -> None:
    """Let the canvas begin anew with ``strokes``; the number tells it to, even if it began with the same before."""
    number = st.session_state.get(BASE, {}).get("revision", 0) + 1
    st.session_state[BASE] = {"objects": strokes or [], "revision": number}
    if strokes is None:
        st.session_state[LAST] = []
        keep("Draw", None)


def _undo() -> None:
    _begin(_sent()[:-1] or None)


def _recolour() -> None:
    """The strokes stay when the paper is changed: black ones become white, and the other way round."""
    ink, paper = PAPERS[st.session_state["predict.paper"]]
    strokes = [{**s, "stroke": ink} if s.get("stroke") == paper else s for s in st.session_state.get(LAST, [])]
    _begin(strokes or None)
