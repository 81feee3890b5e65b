"""The drawing canvas: pen width, undo and clear, black on white or white on black, colours for colour networks.

>>> picture = drawn("predict", side=340, color=False)                    # doctest: +SKIP

What was drawn is kept in the session, so that it outlives a look at another page, and can be gone on with after it.
"""

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from cnnlab.ui.styles import style

CANVAS = ".canvas"
BASE = ".canvas.base"  # the drawing that the canvas began with: it must stay the same until undo or clear
LAST = ".canvas.last"  # the strokes as they were last sent, for a canvas that was left and comes back
PICTURE = ".canvas.picture"  # what they look like
PEN = 1 / 17  # width of a stroke to begin with, as a share of the canvas
PAPERS = {"Black on white": ("#000000", "#ffffff"), "White on black": ("#ffffff", "#000000")}


def canvas_box(key: str) -> DeltaGenerator:
    """A container for a canvas whose own toolbar, which hangs over what is above and takes its clicks, is cut off."""
    style(f".st-key-{key} [data-testid=stBidiComponentIsolated] {{ clip-path: inset(0); }}")
    return st.container(key=key)


def drawn(name: str, side: int, color: bool) -> Image.Image | None:
    """The drawing, ``side`` pixels wide and high, in mode RGB (``color``) or L; None while there is none.

    The tools are below it. What it keeps in the session is called by ``name``, with which it begins.
    """
    from streamlit_drawable_canvas import st_canvas  # outside a running server it cannot be imported

    kept = st.session_state
    if name + CANVAS not in kept:  # first seen, or seen again after another page: it begins with what was drawn
        _begin(name, kept.get(name + LAST, []))
    box = canvas_box(f"{name}-canvas")
    pen, ink, paper = _tools(name, side, color)
    with box:
        result = st_canvas(
            stroke_width=pen,
            stroke_color=ink,
            background_color=paper,
            height=side,
            width=side,
            initial_drawing=kept[name + BASE],
            return_image_data=True,
            key=name + CANVAS,
        )
    if result.image_data is not None:  # else nothing was sent since the canvas is there
        kept[name + LAST] = (result.json_data or {}).get("objects", [])
        kept[name + PICTURE] = _picture(result.image_data, color)
    return kept[name + PICTURE] if kept.get(name + LAST) else None


def _picture(pixels: np.ndarray, color: bool) -> Image.Image:
    return Image.fromarray(pixels, "RGBA").convert("RGB" if color else "L")


def _tools(name: str, side: int, color: bool) -> tuple[int, str, str]:
    """The pen's width, its colour and the paper's."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Undo", icon=":material/undo:", key=f"{name}.undo", on_click=_undo, args=(name,))
        st.button("Clear", icon=":material/delete:", key=f"{name}.clear", on_click=_begin, args=(name,))
        pen = st.slider("Pen width", 4, 40, round(PEN * side), key=f"{name}.pen", persist_state="session")
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "Paper",
            list(PAPERS),
            default="Black on white",
            required=True,
            key=f"{name}.paper",
            label_visibility="collapsed",
            persist_state="session",
            on_change=_recolour,
            args=(name,),
        )
        ink, paper = PAPERS[kind]
        if color:
            ink = st.color_picker("Pen", ink, key=f"{name}.ink.{kind}", label_visibility="collapsed")
    return pen, ink, paper


def _sent(name: str) -> list[dict[str, object]]:
    """The strokes that the canvas last sent."""
    drawing = (st.session_state.get(name + CANVAS) or {}).get("drawing") or {}
    strokes: list[dict[str, object]] = (drawing.get("raw") or {}).get("objects", [])
    return strokes


def _begin(name: str, strokes: list[dict[str, object]] | None = None) -> None:
    """Let the canvas begin anew with ``strokes``; the number tells it to, even if it began with the same before."""
    number = st.session_state.get(name + BASE, {}).get("revision", 0) + 1
    st.session_state[name + BASE] = {"objects": strokes or [], "revision": number}
    if strokes is None:
        st.session_state[name + LAST] = []


def _undo(name: str) -> None:
    _begin(name, _sent(name)[:-1] or None)


def _recolour(name: str) -> None:
    """The strokes stay when the paper is changed: black ones become white, and the other way round."""
    ink, paper = PAPERS[st.session_state[f"{name}.paper"]]
    strokes = [{**s, "stroke": ink} if s.get("stroke") == paper else s for s in st.session_state.get(name + LAST, [])]
    _begin(name, strokes or None)
