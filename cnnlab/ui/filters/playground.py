"""Input, kernel and output side by side, alive in the browser: edited by keyboard, hovered, played, zoomed.

>>> playground(pixels, kernel, settings, [], stamp=1, clipped=False, problem="", on_edit=callback)   # doctest: +SKIP

The browser computes each change itself and tells Python when it settles. Python's kernel counts whenever ``stamp``
is a new one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from cnnlab.explain.convolution import Picture, Settings
from cnnlab.explain.kernels import Kernel, make_kernel
from cnnlab.figures.channels import NEGATIVE, POSITIVE
from cnnlab.ui.filters.state import held, key
from cnnlab.ui.picture_store import keep_picture

KEY = "filters.playground"
PARTS = Path(__file__).parent / "browser"
MODULES = ("convolve.js", "view.js", "arithmetic.js", "kernel_editor.js", "playground.js", "controls.js")
COLOURS = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in np.concatenate([NEGATIVE[::-1], POSITIVE[1:]]).tolist()]


@dataclass(frozen=True)
class Edit:
    """What a person has changed in the browser: the weights, a preset's parameters, and what is done with each sum."""

    kernel: Kernel
    params: dict[str, float]
    finish: dict[str, Any]
    stamp: int


def _read(name: str) -> str:
    return (PARTS / name).read_text("utf-8")


_component = st.components.v2.component(
    "cnnlab_playground",
    html=_read("playground.html"),
    css=_read("playground.css"),
    js="\n".join(_read(name) for name in MODULES),
    isolate_styles=False,
)


def playground(
    picture: Picture,
    kernel: Kernel,
    settings: Settings,
    slides: list[dict[str, Any]],
    stamp: int,
    clipped: bool,
    problem: str,
    on_edit: Callable[[], None],
) -> None:
    """Show ``picture`` (uint8 [C, H, W]), ``kernel`` and what they give; ``on_edit`` is called after an edit.

    ``problem`` is shown in place of the output where they do not fit.
    """
    channels, height, width = picture.shape
    src = keep_picture(np.ascontiguousarray(picture).tobytes())
    padding = settings.padding if settings.padding == "same" else settings.pads(kernel.size)[0] if not problem else 0
    data = {
        "picture": {"src": src, "width": width, "height": height, "channels": channels},
        "kernel": kernel.weights.tolist(),
        "finish": {"bias": settings.bias, "absolute": settings.absolute, "threshold": settings.threshold},
        "settings": {
            "stride": settings.stride,
            "padding": padding,
            "border": settings.border,
            "dilation": settings.dilation,
            "turn": settings.convolution,
            "summed": settings.summed,
        },
        "slides": slides,
        "stamp": stamp,
        "clipped": clipped,
        "problem": problem,
        "colours": COLOURS,
        "held": held("place"),
    }
    _component(
        data=data, key=KEY, height="content", default={"edit": None, "held": held("place")}, on_edit_change=on_edit,
        on_held_change=_hold,
    )  # fmt: skip


def _hold() -> None:
    """Remember the place of the output that is held, for the page's address."""
    st.session_state[key("place")] = str(st.session_state[KEY]["held"])


def last_edit() -> Edit | None:
    """What the browser last told, or None if that makes no sense."""
    try:
        told = json.loads(st.session_state[KEY]["edit"])
        return Edit(make_kernel(told["kernel"]), told["params"], told["finish"], int(told["stamp"]))
    except (KeyError, TypeError, ValueError):
        return None
