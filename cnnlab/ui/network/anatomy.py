"""Anatomy: the network drawn, its totals, each layer in a table, and the chosen layer's numbers as formulas."""

import pandas as pd
import streamlit as st

from cnnlab.explain.anatomy import Part
from cnnlab.explain.drawing import draw, size_text
from cnnlab.ui import cache, words
from cnnlab.ui.address import expect_number, expect_one_of
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.drawing import network_drawing
from cnnlab.ui.network.formula_table import formula_table

CHOSEN, PART_OF = "network.part", "network.part_of"
MOST_IMAGES = 65536
MEANINGS = {
    "Conv2d": "Slides its kernels over the picture; each kernel is as deep as its input and gives one channel.",
    "ReLU": "Sets everything below 0 to 0.",
    "LeakyReLU": "Lets a hundredth of what is below 0 through.",
    "GELU": "A smooth ReLU.",
    "Tanh": "Squeezes every value into −1 to 1.",
    "MaxPool2d": "Keeps the largest value of each window: the picture shrinks, the strongest answers stay.",
    "AvgPool2d": "Takes the mean of each window: the picture shrinks.",
    "AdaptiveAvgPool2d": "Takes means over windows chosen so that the output has a set size.",
    "AdaptiveMaxPool2d": "Keeps the largest values of windows chosen so that the output has a set size.",
    "BatchNorm2d": "Brings each channel to mean 0 and standard deviation 1 over the batch, then scales and shifts it.",
    "Flatten": "Writes all channels in one long row, for the linear layers.",
    "Linear": "Every output is a weighted sum of all inputs, plus a bias.",
    "Dropout": "While training, sets a random share of values to 0; otherwise does nothing.",
    "Add": "Adds the shortcut to the block's own answer: what the block learns is a correction.",
    "ZeroPad2d": "Puts zeros around the picture.",
}


def anatomy_view(subject: Subject) -> None:
    """The whole network, then the chosen layer, then the table."""
    above = st.container()  # what follows from the choices below it
    with st.container(border=True):
        chosen, batch = _choices(subject, cache.parts(subject.config, subject.shape))
        parts = cache.parts(subject.config, subject.shape, batch)
        _layer(parts[chosen])
    with above:
        _totals(parts, batch)
        drawing = draw(parts, subject.image)
        network_drawing(drawing, [_hover(p) for p in parts], chosen, f"network.drawing.{subject.id}", _choose)
    _table(subject, parts)


def _choose(index: int) -> None:
    st.session_state[CHOSEN] = index


def _choices(subject: Subject, parts: list[Part]) -> tuple[int, int]:
    """The layer, by default the first convolution, and how many images go through at once."""
    first = next((p.index for p in parts if p.kind == "Conv2d"), 0)
    labels = [f"{p.index + 1}. {p.kind} ({p.name})" for p in parts]
    if st.session_state.setdefault(PART_OF, subject.id) != subject.id:  # another network has other layers
        st.session_state[PART_OF], st.session_state[CHOSEN] = subject.id, first
    expect_one_of(CHOSEN, labels)
    expect_number("network.batch", 1, MOST_IMAGES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Layer", range(len(parts)), first, key=CHOSEN, format_func=labels.__getitem__, width=330,
            persist_state="session", bind="query-params",
        )  # fmt: skip
        batch = st.number_input(
            "Images at once (N)", 1, MOST_IMAGES, key="network.batch", width=170, persist_state="session",
            bind="query-params",
        )  # fmt: skip
    return chosen, int(batch)


def _hover(part: Part) -> str:
    settings = f", {part.settings}" if part.settings else ""
    return f"{part.index + 1}. {part.kind}{settings} → {size_text(part.output[1:])}"


def _totals(parts: list[Part], batch: int) -> None:
    seen = max((p.field.size for p in parts if p.field and len(p.output) == 4), default=0)
    weights, work = sum(p.parameters for p in parts), sum(p.multiply_adds for p in parts)
    of = "an image" if batch == 1 else f"{batch:,} images"
    with st.grid(4, min_column_width=190):
        st.metric(
            "Parameters", f"{weights:,}", border=True,
            help=f"Numbers that it learns, {words.memory(4 * weights)} as float32.",
        )  # fmt: skip
        st.metric(
            "Multiply-adds", f"{work:,}" if work < 1e9 else f"{work / 1e9:,.2f} billion", border=True,
            help="For one image, in convolutions and linear layers: a multiplication with its addition counts as one.",
        )  # fmt: skip
        st.metric(
            "Activations", words.memory(sum(p.activation_bytes for p in parts)), border=True,
            help=f"All layers' outputs for {of}, as float32: what training keeps in memory for the way back.",
        )  # fmt: skip
        st.metric(
            "Receptive field", f"{seen}×{seen}" if seen else "all", border=True,
            help="Pixels that one value of the last feature map sees, padding beyond the image's edge included; linear "
            "layers see all.",
        )  # fmt: skip


def _layer(part: Part) -> None:
    text = f"{MEANINGS.get(part.kind, '')} {f'Here: {part.settings}.' if part.settings else ''}"
    st.markdown(f"`{_shape(part.input)}` → `{_shape(part.output)}` &nbsp; {text}")
    formula_table(part.formulas)
    if part.field is None and part.kind in ("Linear", "Flatten"):
        st.caption("From here on every value sees the whole image.")


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _table(subject: Subject, parts: list[Part]) -> None:
    weights, work = max(1, sum(p.parameters for p in parts)), max(1, sum(p.multiply_adds for p in parts))
    table = pd.DataFrame(
        {
            "#": [p.index + 1 for p in parts],
            "Layer": [p.kind + (" (shortcut)" if p.shortcut else "") for p in parts],
            "Settings": [p.settings for p in parts],
            "Output (NCHW)": [_shape(p.output) for p in parts],
            "Sees": [f"{p.field.size}×{p.field.size}" if p.field else "all" for p in parts],
            "Stride": [str(p.field.stride) if p.field else "" for p in parts],
            "Parameters": [p.parameters for p in parts],
            "of all": [100 * p.parameters / weights for p in parts],
            "Multiply-adds": [p.multiply_adds for p in parts],
            "of all work": [100 * p.multiply_adds / work for p in parts],
            "Memory": [words.memory(p.activation_bytes) for p in parts],
        }
    )
    share = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100, width=75)
    key = f"network.table.{subject.id}"
    st.caption(
        "Choose a row to see its arithmetic above. *Sees* is the receptive field and *Stride* the distance of two "
        "neighbouring values' fields, in pixels of the image."
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(parts) <= 16 else 600,
        key=key,
        on_select=lambda: _row_chosen(key),
        selection_mode="single-row",
        column_config={
            "#": st.column_config.NumberColumn(width=40),
            "Settings": st.column_config.TextColumn(width=225),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Multiply-adds": st.column_config.NumberColumn(format="localized"),
            "of all": share,
            "of all work": share,
        },
    )


def _row_chosen(key: str) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        _choose(rows[0])
