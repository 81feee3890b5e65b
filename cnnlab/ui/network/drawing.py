"""The drawing of a network: a click on a layer, or the arrow keys, choose it.

>>> network_drawing(draw(parts, image), titles, chosen=0, key="drawing", pick=show)           # doctest: +SKIP
"""

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from cnnlab.explain.drawing import MIDDLE, Drawing
from cnnlab.ui.component import component

_component = component(__file__)


def network_drawing(drawing: Drawing, titles: list[str], chosen: int, key: str, pick: Callable[[int], None]) -> None:
    """Show ``drawing``, the layer ``chosen`` framed; ``pick`` hears which layer a person chose. A title each layer."""

    def picked() -> None:
        index = st.session_state[key].picked
        if index is not None:
            pick(int(index))

    data = {"drawing": asdict(drawing), "middle": MIDDLE, "titles": titles, "chosen": chosen}
    _component(data=data, key=key, height="content", on_picked_change=picked)
