"""Several filters in a row, each stage to be seen; then two branches that become a gradient."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

import numpy as np
import streamlit as st

from cnnlab.explain.chains import Gradient, Step, gradient, run_chain
from cnnlab.explain.convolution import Border, Maps, Picture, SettingsError
from cnnlab.explain.filter_code import chain_code, opencv_code, pytorch_code
from cnnlab.explain.gallery_pictures import display_copy, grey
from cnnlab.explain.kernels import Kernel
from cnnlab.explain.presets import PRESETS, make_preset
from cnnlab.figures.feature_maps import Map, described, histogram_figure, maps_figure
from cnnlab.ui import words
from cnnlab.ui.filters.kernel_choice import kernel_label, kernel_options, named_kernel, saved_kernels
from cnnlab.ui.filters.picture_choice import Chosen
from cnnlab.ui.filters.settings_form import border_choice
from cnnlab.ui.filters.state import BRANCHES, LONGEST_CHAIN, SAVED, held, key
from cnnlab.ui.filters.takeaway import download_output, download_picture, python_tabs
from cnnlab.ui.plot import plot

STAGE = "filters.chain.stage"
LARGEST = 256  # pixels of the longer side: each stage is a chart with all its values


@dataclass
class _Link:
    """A step as the page holds it: a preset's name, ``own`` or ``saved:…``, and what is done with it."""

    name: str
    on: bool = True
    absolute: bool = False

    @property
    def text(self) -> str:
        return ("" if self.on else "-") + ("~" if self.absolute else "") + quote(self.name, safe="")


def chain_view(chosen: Chosen) -> None:
    """The steps, their pictures, and the gradient."""
    with st.sidebar:
        st.subheader("How it moves", anchor=False)
        border = border_choice()
    saved, links = saved_kernels(), _links()
    st.caption(
        "Each filter works on what the one above it gives; all keep the picture's size. Blur first, and edges are "
        "found where things end, not in every grain. A preset has its default parameters here; for others, set "
        "them in One filter and choose “Your own kernel”: that is the kernel you see there."
    )
    for number, link in enumerate(links):
        _row(number, link, links, saved)
    if len(links) < LONGEST_CHAIN:
        st.button(
            "Add a filter",
            icon=":material/add:",
            key="filters.chain.add",
            on_click=_write,
            args=([*links, _Link("sharpen")],),
        )
    st.session_state[key("chain")] = _text(links)
    _results(chosen, border, links, saved)


def _links() -> list[_Link]:
    """The chain that the page's state spells out."""
    found = []
    for text in filter(None, held("chain").split(",")):
        named = text.removeprefix("-")
        found.append(_Link(unquote(named.removeprefix("~")), not text.startswith("-"), named.startswith("~")))
    return found[:LONGEST_CHAIN]


def _text(links: list[_Link]) -> str:
    return ",".join(link.text for link in links)


def _write(links: list[_Link]) -> None:
    st.session_state[key("chain")] = _text(links)


def _row(number: int, link: _Link, links: list[_Link], saved: dict[str, Kernel]) -> None:
    """One step; what its widgets say goes into ``link``. A chain of another shape has other widgets."""
    mark = f"filters.chain.{_text(links)}.{number}"
    options = kernel_options(saved)
    options += [] if link.name in options else [link.name]
    others = links[:number] + links[number + 1 :]

    def moved(by: int) -> list[_Link]:
        return [*others[: number + by], link, *others[number + by :]]

    def put() -> None:
        link.on = st.session_state[f"{mark}.on"]
        link.name = st.session_state[f"{mark}.name"]
        link.absolute = st.session_state[f"{mark}.abs"]
        _write(links)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{number + 1}**", width=20)
        st.toggle("On", link.on, key=f"{mark}.on", on_change=put, width=80)
        st.selectbox(
            "Filter",
            options,
            options.index(link.name),
            key=f"{mark}.name",
            on_change=put,
            format_func=kernel_label,
            label_visibility="collapsed",
            width=300,
        )
        st.checkbox("Absolute value", link.absolute, key=f"{mark}.abs", on_change=put, width=150)
        last = number == len(links) - 1
        st.button("Earlier", key=f"{mark}.up", on_click=_write, args=(moved(-1),), disabled=number == 0)
        st.button("Later", key=f"{mark}.down", on_click=_write, args=(moved(1),), disabled=last)
        st.button("Remove", key=f"{mark}.gone", on_click=_write, args=(others,))


def _results(chosen: Chosen, border: Border, links: list[_Link], saved: dict[str, Kernel]) -> None:
    pixels = display_copy(chosen.pixels, LARGEST)
    picture = grey(pixels)[None]
    steps, gone = {}, []  # steps by their rows, from 1
    for row, link in enumerate(links, 1):
        found = named_kernel(link.name, saved)
        if found and link.on:
            steps[row] = Step(found, link.absolute)
        gone += [] if found else [link.name.removeprefix(SAVED)]
    if gone:
        st.warning(
            f"No kernel is saved as {words.plain(', '.join(gone))}: that step is left out.", icon=":material/warning:"
        )
    try:
        outputs = run_chain(picture, list(steps.values()), border)
        st.caption(f"Computed in grey at {pixels.shape[1]} × {pixels.shape[0]} pixels.")
        names = {row: f"{row}. {step.kernel.name}" for row, step in steps.items()}
        _pictures(picture, outputs, list(names.values()))
        if steps:
            with st.expander("The same in Python", icon=":material/code:"):
                writers, chained = (opencv_code, pytorch_code), list(steps.values())
                python_tabs(*(chain_code(write, chained, border, picture.shape) for write in writers))
        stages = {0: picture.astype(np.float64), **dict(zip(steps, outputs, strict=True))}
        _branches(stages, {0: "Input", **names}, border)
    except SettingsError as error:
        st.error(words.plain(str(error)), icon=":material/error:")


def _pictures(picture: Picture, outputs: list[Maps], names: list[str]) -> None:
    maps = [Map(picture[0], "Input", "grey")]
    maps += [_map(output[0], name) for output, name in zip(outputs, names, strict=True)]
    figure = maps_figure(maps, columns=min(3, len(maps)), height=260)
    plot(figure, "Filter chain", "filters.chain.maps", alt=described(maps))
    if not outputs:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        download_picture("Input", "picture.png", lambda: picture, "filters.chain.input.png")
        download_output(lambda: outputs[-1], "filters.chain.png")
    with st.expander("Histogram of the output", icon=":material/bar_chart:"):
        alt = f"How often each value occurs. {described(maps[-1:])}"
        plot(histogram_figure(maps[-1].values, "value"), "Histogram", "filters.chain.histogram", alt=alt)


def _map(values: Maps, title: str) -> Map:
    """Grey where no value is negative or too bright, else signed; the title tells the range."""
    low, high = float(values.min()), float(values.max())
    kind = "grey" if low >= 0 and high <= 255.5 else "signed"
    return Map(values, f"{title}<br>{low:.0f} to {high:.0f}".replace("-", "−"), kind)  # type: ignore[arg-type]


def _branches(stages: dict[int, Maps], names: dict[int, str], border: Border) -> None:
    """Two filters side by side on one of the chain's ``stages``, joined into one picture.

    Stages and their ``names`` go by the rows that made them; 0 is the input.
    """
    st.subheader("Two branches become a gradient", anchor=False)
    st.toggle("Show the gradient", key=key("branches"), persist_state="session")
    if not held("branches"):
        return
    with st.container(horizontal=True):
        pair = st.selectbox(
            "Branches",
            list(BRANCHES),
            format_func=lambda n: f"{PRESETS.get(n).title} and {PRESETS.get(BRANCHES[n]).title}",
            key=key("pair"),
            persist_state="session",
            width=260,
        )
        stage = _stage(names)
    found: Gradient = gradient(stages[stage], make_preset(pair), make_preset(BRANCHES[pair]), border)
    strong = np.where(found.magnitude >= 0.1 * found.magnitude.max(), found.direction, np.nan)
    maps = [
        _map(found.x, PRESETS.get(pair).title),
        _map(found.y, PRESETS.get(BRANCHES[pair]).title),
        Map(found.magnitude, f"Magnitude √(x² + y²)<br>0 to {found.magnitude.max():.0f}", "signed"),
        Map(strong, "Direction in degrees<br>where the magnitude is over a tenth", "angle"),
    ]
    plot(maps_figure(maps, columns=2, height=280), "Gradient", "filters.chain.gradient", alt=described(maps))
    st.caption("Direction: 0° where it gets brighter to the right, 90° downwards, ±180° to the left, −90° upwards.")


def _stage(names: dict[int, str]) -> int:
    """Which picture the branches start from: a blurred one at first, as the gradient of an edge picture misleads.

    While the row that was chosen is off, that is the last one before it that is on.
    """
    st.session_state[STAGE] = max(row for row in names if row <= held("stage"))
    stage = st.selectbox(
        "Computed from", list(names), key=STAGE, format_func=names.__getitem__, on_change=_start, width=260
    )
    return int(stage)


def _start() -> None:
    st.session_state[key("stage")] = st.session_state[STAGE]
