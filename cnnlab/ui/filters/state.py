"""What the Filters page holds while a person plays: the kernel and what is done with its sums, and the page's address.

The address carries all that differs from a fresh page, so that a link gives somebody else the same picture. Widgets
hold the rest of the state under the keys that WIDGETS names.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import streamlit as st

from cnnlab.datasets import DATASETS, FOLDER_PREFIX
from cnnlab.explain.convolution import BORDERS
from cnnlab.explain.gallery_pictures import GALLERY
from cnnlab.explain.kernels import OWN_NAME, Kernel, parse_kernel
from cnnlab.explain.presets import PRESETS, make_preset
from cnnlab.ui.address import refuse
from cnnlab.ui.navigation import just_entered

KERNEL, PRESET, PARAMS, FINISH, STAMP = (f"filters.{n}" for n in ("weights", "preset", "params", "finish", "stamp"))
LEFT, OPENED = "filters.left", "filters.opened"  # what the page said and its address then; how many it has opened
OWN = "own"  # a kernel that is no preset's
SAVED = "saved:"  # before the name of a kept kernel
RUN = "run:"  # before the name of a run whose filters are shown
FIRST_PRESET = "sobel_x"
PLAIN: dict[str, Any] = {"bias": 0.0, "absolute": False, "threshold": None}

VIEWS = ("One filter", "Chain", "Layer")
SOURCES = ("Gallery", "Dataset", "Upload", "Webcam")
OPERATIONS = ("Correlation", "Convolution")
COLORS = ("Grey", "Colour")
LARGEST_SIDE = 65536  # pixels; the browser takes the nearest place that is there
MOST = 10**9  # of a number in the address: what a page does not take, it says itself
MOST_PAGES = 4096  # of a layer's filters
LONGEST_CHAIN = 8  # steps
JOINS = ("Add up", "Each by itself")
BRANCHES = {"sobel_x": "sobel_y", "scharr_x": "scharr_y", "prewitt_x": "prewitt_y", "sobel_5x5_x": "sobel_5x5_y"}


def _one_of(*allowed: str) -> Callable[[str], str]:
    """One of these, or what begins with one that ends with a colon."""
    beginnings = tuple(word for word in allowed if word.endswith(":"))

    def read(text: str) -> str:
        if text not in allowed and not text.startswith(beginnings):
            raise ValueError(text)
        return text

    return read


def _within(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not low <= (number := int(text)) <= high:
            raise ValueError(text)
        return number

    return read


_number = _within(-MOST, MOST)


def _place(text: str) -> str:
    """Row and column of the output, such as ``10,20``."""
    row, column = text.split(",")
    return f"{_within(0, LARGEST_SIDE)(row)},{_within(0, LARGEST_SIDE)(column)}"


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _truth(text: str) -> bool:
    return _one_of("True", "False")(text) == "True"


def _kernel(name: str) -> str:
    return _one_of(OWN, SAVED, *PRESETS.names())(name)


def _names(text: str) -> str:
    """Names of kernels, as a layer of one's choice has them."""
    for name in filter(None, text.split(",")):
        _kernel(unquote(name))
    return text


def _chain(text: str) -> str:
    """Names of kernels; ``-`` before one that is off, then ``~`` before one whose absolute value is taken."""
    for part in filter(None, text.split(",")):
        _kernel(unquote(part.removeprefix("-").removeprefix("~")))
    return text


WIDGETS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "view": (_one_of(*VIEWS), "One filter"),
    "source": (_one_of(*SOURCES), "Gallery"),
    "picture": (_one_of(*GALLERY), "temple"),
    "dataset": (_one_of(*DATASETS, FOLDER_PREFIX), "digits"),
    "split": (_one_of("Test", "Training"), "Test"),
    "image": (_number, 0),
    "color": (_one_of(*COLORS), "Grey"),
    "join": (_one_of(*JOINS), "Add up"),
    "stride": (_number, 1),
    "padding": (str, "same"),
    "border": (_one_of(*BORDERS), "reflect"),
    "dilation": (_number, 1),
    "operation": (_one_of(*OPERATIONS), "Correlation"),
    "clipped": (_truth, False),
    "chain": (_chain, "gaussian,sobel_x"),
    "branches": (_truth, True),
    "pair": (_one_of(*BRANCHES), "sobel_x"),
    "stage": (_within(0, LONGEST_CHAIN), 1),
    "bank": (_one_of("four", "chosen", RUN), "four"),
    "chosen": (_names, f"{OWN},sobel_y,laplacian"),
    "pool": (_one_of("max", "avg"), "max"),
    "pool_size": (_number, 2),
    "pool_stride": (_number, 2),
    "place": (_place, ""),
    "page": (_within(1, MOST_PAGES), 1),
}
"""What else is in the address: name -> (how it is read, its value on a fresh page); the key is ``filters.<name>``."""


def key(name: str) -> str:
    """The session's key of the value that the address calls ``name``."""
    return f"filters.{name}"


def held(name: str) -> Any:
    """The value that the address calls ``name``."""
    return st.session_state.get(key(name), WIDGETS[name][1])


def anew(name: str) -> str:
    """The session's key of what a view begins with by the address: another one after another address was opened."""
    return f"filters.{name}.{st.session_state[OPENED]}"


def restore() -> None:
    """Take everything from the address on the first run of a session, and whenever the browser went to another one.

    That is told from a click that came before the last address was there: such a click changes what the page says.
    """
    asked, first = st.query_params.to_dict(), KERNEL not in st.session_state
    said, address = st.session_state.get(LEFT, (None, None))
    if not first and not asked and just_entered():
        st.session_state[LEFT] = None, asked  # from the menu: the page is as it was left, and must say so
    elif first or (asked != address and said == _address()):
        _open(asked)
        st.session_state[LEFT] = None if first else _address(), asked


def _open(asked: Mapping[str, str]) -> None:
    """Take from an address what it says, and all else from a fresh page; refuse what cannot be used."""

    def taken(name: str, read: Callable[[str], Any], fresh: Any) -> Any:
        try:
            return read(asked[name]) if name in asked else fresh
        except ValueError:
            refuse(name)
            return fresh

    for name, (read, fresh) in WIDGETS.items():
        st.session_state[key(name)] = taken(name, read, fresh)
    st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
    preset = taken("preset", _one_of(*PRESETS.names()), FIRST_PRESET)
    use_preset(preset, {p.name: taken(p.name, _finite, p.default) for p in PRESETS.get(preset).parameters})
    if "preset" not in asked and (own := taken("k", lambda k: parse_kernel(k, asked.get("name", OWN_NAME)), None)):
        use_kernel(own)
    st.session_state[FINISH] = {
        "bias": taken("bias", _finite, PLAIN["bias"]),
        "absolute": taken("absolute", _truth, PLAIN["absolute"]),
        "threshold": taken("threshold", _finite, PLAIN["threshold"]),
    }


def write_address() -> None:
    """Put into the address what differs from a fresh page.

    Only what is new is written: an address that the browser went back to is not ours to change.
    """
    wanted = _address()
    if st.query_params.to_dict() != wanted and st.session_state[LEFT][0] != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[LEFT] = wanted, st.query_params.to_dict()


def _address() -> dict[str, str]:
    """What differs from a fresh page, as in the page's address."""
    wanted = {name: str(held(name)) for name, (_, default) in WIDGETS.items() if held(name) != default}
    preset, params = st.session_state[PRESET], st.session_state[PARAMS]
    if preset == OWN:
        wanted |= {"k": kernel().text, "name": kernel().name}
    elif preset != FIRST_PRESET:
        defaults = {p.name: p.default for p in PRESETS.get(preset).parameters}
        wanted |= {"preset": preset, **{n: f"{v:g}" for n, v in params.items() if v != defaults[n]}}
    return wanted | {name: str(value) for name, value in st.session_state[FINISH].items() if value != PLAIN[name]}


def kernel() -> Kernel:
    """The kernel of the page."""
    found: Kernel = st.session_state[KERNEL]
    return found


def use_kernel(new: Kernel, preset: str = OWN, params: dict[str, float] | None = None) -> None:
    """Put ``new`` on the page: the browser shows it with the next run."""
    st.session_state[KERNEL] = new
    st.session_state[PRESET] = preset
    st.session_state[PARAMS] = params or {}
    st.session_state.setdefault(FINISH, dict(PLAIN))
    st.session_state[STAMP] = random.getrandbits(48)  # told from any other, also from another session's


def use_preset(name: str, params: dict[str, float] | None = None) -> None:
    """Put a preset on the page; parameters that are not given have their defaults. Raises UnknownName."""
    chosen = {p.name: p.nearest((params or {}).get(p.name, p.default)) for p in PRESETS.get(name).parameters}
    use_kernel(make_preset(name, **chosen), name, chosen)


def take_edit(new: Kernel, params: dict[str, float], finish: dict[str, Any]) -> None:
    """Take over what the browser shows already: ``params`` if a preset's sliders made it, none if it was typed."""
    st.session_state[FINISH] = {name: finish.get(name) for name in PLAIN}
    preset = st.session_state[PRESET]
    if params and preset != OWN:
        st.session_state[PARAMS] = params
        st.session_state[KERNEL] = made = make_preset(preset, **params)
        if made.text != new.text:  # a second slider moved before the first was known here: the browser must follow
            use_kernel(made, preset, params)
    elif new.text != kernel().text:
        st.session_state[KERNEL] = Kernel(new.weights, OWN_NAME)
        st.session_state[PRESET], st.session_state[PARAMS] = OWN, {}
