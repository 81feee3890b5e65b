"""Strips of feature maps in which a click, or the arrow keys, name a layer, a channel and a pixel.

>>> feature_maps(rows, chosen, key="maps", pick=remember)                # doctest: +SKIP
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from cnnlab.figures.strips import Strip
from cnnlab.ui.component import component

TILE = 58  # pixels of a channel on the screen
Place = tuple[int, int, int, int]
"""Layer, channel, row, column."""


@dataclass(frozen=True)
class Row:
    """One layer's strip: ``channels`` names its tiles; ``side`` is "" or which network's it is.

    ``value`` is what lies at the chosen place, for those who cannot see it; empty where that is in another layer.
    """

    layer: int
    title: str
    note: str
    side: str
    channels: Sequence[int]
    strip: Strip
    value: str = ""


_component = component(__file__)


def feature_maps(rows: Sequence[Row], chosen: Place, key: str, pick: Callable[[Place, str], None]) -> None:
    """Show ``rows``, the chosen pixel framed; ``pick`` hears of a choice: the place, and which side's strip it was."""

    def picked() -> None:
        if place := st.session_state[key].picked:
            layer, channel, row, column, side = place
            pick((int(layer), int(channel), int(row), int(column)), str(side))

    _component(
        data={"rows": [_sent(row) for row in rows], "chosen": list(chosen)},
        key=key,
        height="content",
        on_picked_change=picked,
    )


def _sent(row: Row) -> dict[str, object]:
    strip = row.strip
    return {
        "layer": row.layer,
        "title": row.title,
        "note": row.note,
        "side": row.side,
        "value": row.value,
        "channels": list(row.channels),
        "tiles": strip.tiles,
        "width": strip.tile_width,
        "height": strip.tile_height,
        "gap": strip.gap,
        "zoom": min(26.0, TILE / strip.tile_width),
        "png": base64.b64encode(strip.png).decode(),
    }
