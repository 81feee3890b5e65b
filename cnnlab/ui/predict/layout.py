"""The two halves of the page: what is given, and what is said about it, below where the window is narrow."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.ui.styles import style

SIDE = 340  # pixels of the canvas

# The right half goes below before it gets too narrow for bars: Streamlit's own stretching would let it shrink.
STYLE = """
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-predict-right"]) { flex: 1 1 26rem !important; }
"""


def side_by_side(name: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """The left half, just wide enough for the canvas, and the right half with the rest; ``name`` is unlike others."""
    style(STYLE)
    with st.container(horizontal=True, gap="large"):
        return st.container(width=SIDE + 4), st.container(width="stretch", key=f"predict-right-{name}")
