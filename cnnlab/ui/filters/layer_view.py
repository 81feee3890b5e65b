"""A convolution layer: its filters, what they find before and after ReLU and after pooling, with every shape."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.checkpoints import CheckpointError
from cnnlab.explain.bank import Bank, Layer, Pooling, bank_of, run_layer, similarity
from cnnlab.explain.convolution import Picture, SettingsError
from cnnlab.explain.gallery_pictures import display_copy, grey
from cnnlab.explain.presets import FOUR, make_preset
from cnnlab.figures.feature_maps import Map, described, maps_figure
from cnnlab.models import ModelError
from cnnlab.paths import runs_dir
from cnnlab.runs import RunError, list_runs
from cnnlab.ui import cache
from cnnlab.ui.filters.kernel_choice import kernel_label, kernel_options, named_kernel, saved_kernels
from cnnlab.ui.filters.picture_choice import Chosen
from cnnlab.ui.filters.state import RUN, anew, held, kernel, key
from cnnlab.ui.plot import plot
from cnnlab.ui.select import trained_runs
from cnnlab.ui.words import plain

LARGEST = 128  # pixels of the longer side: every output is a chart with all its values
SHOWN = 4  # filters at a time
POOLS = {"max": "Largest value (max)", "avg": "Mean (average)"}
ERRORS = (CheckpointError, SettingsError, RunError, ModelError)


def layer_view(chosen: Chosen, color: bool, learnt: Mapping[str, str]) -> None:
    """The bank's choice, with those ``learnt`` by runs, in the sidebar; kernels, outputs and shapes on the page."""
    with st.sidebar:
        source = _source(learnt)
        pooling = _pooling()
    try:
        bank = _bank(source, color)
        picture = _picture(chosen, bank)
        layer = run_layer(picture, bank, pooling)
        _shapes(source, picture, bank, layer)
        alike = similarity(kernel(), bank)
        _similar(source, alike)
        places = _page(source, bank)
        _figure(picture, bank.only(places), layer.only(places), alike[places])
    except ERRORS as error:
        st.error(plain(str(error)), icon=":material/error:")
    st.caption("How layers stack: on the Network page, by *Calculator & quiz* or in a network of your own from blocks.")


def _source(learnt: Mapping[str, str]) -> str:
    st.subheader("The layer's filters", anchor=False)
    names = {"four": "The four 4×4 edge kernels", "chosen": "Filters of your choice"}
    names |= {name: f"Learnt by {title}" for name, title in learnt.items()}
    if held("bank") not in names:
        st.warning(plain(_missing(held("bank").removeprefix(RUN))), icon=":material/warning:")
        st.session_state[key("bank")] = "four"
    return str(
        st.selectbox(
            "Filters",
            list(names),
            key=key("bank"),
            format_func=names.__getitem__,
            persist_state="session",
            label_visibility="collapsed",
            help="The first layer of any trained run can be shown.",
        )
    )


def banks_of_runs() -> dict[str, str]:
    """The names of the runs that have saved weights, by what the bank calls them."""
    return {RUN + id: run.name for id, run in trained_runs().items()}


def _missing(run: str) -> str:
    """Why the filters of ``run`` cannot be shown."""
    if run in {one.id for one in list_runs(runs_dir())}:
        return f"The run {run} has saved no weights: train it for at least one epoch, or choose another."
    return f"The run {run} is not here: choose another."


def _pooling() -> Pooling:
    st.subheader("Pooling", anchor=False)
    kind = st.selectbox(
        "Of each window", list(POOLS), key=key("pool"), format_func=POOLS.__getitem__, persist_state="session"
    )
    left, right = st.columns(2)
    size = left.number_input("Window", step=1, key=key("pool_size"), persist_state="session")
    stride = right.number_input("Stride", step=1, key=key("pool_stride"), persist_state="session")
    return Pooling("avg" if kind == "avg" else "max", int(size), int(stride))


def _bank(source: str, color: bool) -> Bank:
    channels = 3 if color else 1
    if source.startswith(RUN):
        return cache.first_layer(runs_dir() / source.removeprefix(RUN))
    if source == "four":
        return bank_of([make_preset(name) for name in FOUR], channels)
    saved = saved_kernels()
    options = kernel_options(saved)
    first = [name for name in map(unquote, held("chosen").split(",")) if name in options]
    st.session_state.setdefault(anew("bank.names"), first)
    names = st.multiselect(
        "Filters of the layer",
        options,
        key=anew("bank.names"),
        format_func=kernel_label,
        persist_state="session",
    )
    st.session_state[key("chosen")] = ",".join(quote(name, safe="") for name in names)
    return bank_of([found for name in names if (found := named_kernel(name, saved))], channels)


def _picture(chosen: Chosen, bank: Bank) -> Picture:
    """uint8 [C, H, W] with the bank's channels."""
    pixels = display_copy(chosen.pixels, LARGEST)
    planes = pixels.transpose(2, 0, 1) if bank.weights.shape[1] == 3 else grey(pixels)[None]
    return np.ascontiguousarray(planes)


def _page(source: str, bank: Bank) -> list[int]:
    """Which filters are shown; other filters begin with their first page."""
    count = len(bank.weights)
    pages = -(-count // SHOWN)
    if st.session_state.setdefault(anew("paged"), source) != source or held("page") > pages:
        st.session_state[anew("paged")], st.session_state[key("page")] = source, 1
    if pages == 1:
        return list(range(count))
    page = st.pagination(pages, key=key("page"), persist_state="session")
    return list(range(count))[(page - 1) * SHOWN : page * SHOWN]


def _shapes(source: str, picture: Picture, bank: Bank, layer: Layer) -> None:
    """Every tensor as (N, C, H, W)."""
    filters, depth, size, _ = bank.weights.shape
    names = ("Input", "Convolution", "ReLU", "Pooling")
    st.markdown("  →  ".join(f"{name} **{shape}**" for name, shape in zip(names, layer.shapes, strict=True)))
    words = "Shapes are (N, C, H, W): pictures, channels, rows, columns. "
    words += f"There are {filters} filters of {depth}×{size}×{size} weights"
    words += f"{' and a bias each' if bank.bias is not None else ', without biases'}: {bank.parameters:,} numbers. "
    words += f"Computed on {picture.shape[1]} rows of {picture.shape[2]} pixels, values in [0, 1]"
    if bank.mean != (0.0,) * depth:
        mean, std = (" / ".join(f"{value:.3g}" for value in values) for values in (bank.mean, bank.std))
        words += f", scaled as in training: mean {mean}, standard deviation {std}"
        words += " (red / green / blue)" if depth == 3 else ""
    if source.startswith(RUN):
        words += (
            ". Drawn are always ReLU, then the sidebar's pooling. The run's own network may have another activation "
        )
        words += "or pooling, batch norm, or pooling before ReLU: Network, Flow shows its way"
    st.caption(words + ".")


def _similar(source: str, alike: NDArray[np.float64]) -> None:
    """How like the learned filters the person's own kernel is."""
    if not source.startswith(RUN):
        return
    best = int(np.abs(alike).argmax())
    st.info(
        f"{plain(kernel().name)}, the kernel of One filter, is **{_signed(alike[best])}** like filter {best + 1} of "
        f"{len(alike)}. That is the cosine: 1 is the same pattern, 0 is unrelated, −1 is its negative.",
        icon=":material/compare:",
    )


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _figure(picture: Picture, bank: Bank, layer: Layer, alike: NDArray[np.float64]) -> None:
    """A column for each filter: weights, output, after ReLU, after pooling."""
    top = float(np.abs(layer.sums).max()) or 1.0
    weights = bank.weights.mean(1)
    rows = [
        Map(w, f"{n}<br>cosine {_signed(a)}", "weights", float(np.abs(weights).max()) or 1.0)
        for w, n, a in zip(weights, bank.names, alike, strict=True)
    ]
    for title, maps in (("Before ReLU", layer.sums), ("After ReLU", layer.rectified), ("After pooling", layer.pooled)):
        rows += [
            Map(m, f"{title}: {m.shape[0]}×{m.shape[1]}<br>{_signed(m.min())} to {_signed(m.max())}", top=top)
            for m in maps
        ]
    figure = maps_figure(rows, columns=len(bank.weights), height=250)
    plot(figure, "Layer", "filters.layer.maps", alt=described(rows))
    words = "Orange is above 0, blue below, dark is 0; all maps share one scale."
    words += " Weights are shown as the mean of their three channels." if len(picture) == 3 else ""
    st.caption(f"{words} The cosine tells how like the kernel of One filter ({plain(kernel().name)}) a filter is.")
