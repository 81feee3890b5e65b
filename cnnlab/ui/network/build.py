"""The person's own network: blocks and hidden layers in the sidebar; where it cannot work, why, and ways to mend it."""

import json
import math
from typing import Any

import streamlit as st

from cnnlab import recipes
from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.explain.mending import Fault, fault_of
from cnnlab.models import Shape
from cnnlab.models.custom import trace_sizes
from cnnlab.parsing import adapt
from cnnlab.ui.address import asked, expect_number, write
from cnnlab.ui.block_editor import Block, block_editor, forget_fields

BLOCKS, HIDDEN, FLAT = "network.blocks", "network.hidden", "network.flat"
EDITOR = "network.field.blocks"
FIRST: tuple[Block, ...] = tuple(block.model_dump() for block in TrainConfig().blocks)


def built_config(dataset: str, shape: Shape) -> TrainConfig | None:
    """The config of the sidebar's network; the fault on the page and None where it cannot work. Raises ConfigError."""
    blocks = asked(BLOCKS, _read, FIRST)
    write(BLOCKS, json.dumps(blocks, separators=(",", ":")) if blocks != FIRST else None)
    expect_number(FLAT, 1, math.inf)
    with st.sidebar:
        block_editor(blocks, EDITOR, _keep)
        hidden = st.text_input(
            "Hidden layers",
            "64",
            key=HIDDEN,
            placeholder="none",
            persist_state="session",
            bind="query-params",
            help="Sizes of the linear layers before the last, such as 128, 64.",
        )
        own = st.toggle(
            "I work out the flattened size",
            key="network.own_flat",
            persist_state="session",
            bind="query-params",
            help="As in plain PyTorch, where the first linear layer must be told how many features come to it.",
        )
        flat = (
            st.number_input(
                "Inputs of the first linear layer",
                1,
                value=1000,
                key=FLAT,
                persist_state="session",
                bind="query-params",
            )
            if own
            else None
        )
    sizes = [part.strip() for part in hidden.split(",") if part.strip()]
    made: dict[str, Any] = {"model": "custom", "dataset": dataset, "blocks": blocks, "hidden": sizes}
    config = adapt(recipes.get(recipes.FIRST_RECIPE).config, made)
    if fault := fault_of(config.blocks, shape[1], shape[0]):
        _show_fault(fault, config.blocks, shape[1])
        return None
    if flat is not None and not _sizes_meet(config, shape, int(flat)):
        return None
    return config


def _read(text: str) -> tuple[Block, ...]:
    """Blocks from an address, in JSON as on the Train page; raises ValueError."""
    made = adapt(recipes.get(recipes.FIRST_RECIPE).config, {"model": "custom", "blocks": json.loads(text)})
    return tuple(block.model_dump() for block in made.blocks)


def forget_build() -> None:
    """Let the fields of the blocks show what the address says, after the browser went to another one."""
    forget_fields(EDITOR)


def _keep(blocks: tuple[Block, ...]) -> None:
    st.session_state[BLOCKS] = blocks


def _show_fault(fault: Fault, blocks: tuple[ConvBlock, ...], image_size: int) -> None:
    channels, height, width = fault.given
    block = blocks[fault.block - 1]
    side = block.kernel if fault.layer == "convolution" else fault.needed
    window = f"{side}×{side} {'kernel' if fault.layer == 'convolution' else 'pool'}"
    st.error(
        f"**The picture vanishes in the {fault.layer} of block {fault.block}.** What comes to it is "
        f"{height}×{width}×{channels}; its {window} needs at least {fault.needed}×{fault.needed}"
        + (f" (with padding {block.padding} on each side)." if fault.layer == "convolution" and block.padding else "."),
        icon=":material/broken_image:",
    )
    _road(blocks[: fault.block - 1], fault, image_size)
    st.markdown("**Ways to fix it**")
    for number, mend in enumerate(fault.mends):
        st.button(
            mend.sentence,
            key=f"network.mend.{number}",
            icon=":material/build:",
            on_click=_mend,
            args=(tuple(b.model_dump() for b in mend.blocks),),
        )


def _road(before: tuple[ConvBlock, ...], fault: Fault, image_size: int) -> None:
    """The sizes that led to the fault."""
    steps = [f"{side}×{side}" for side in trace_sizes(before, image_size)]
    if fault.layer == "pooling":
        steps.append(f"{fault.given[1]}×{fault.given[2]} after its convolution")
    st.caption("The road there: " + " → ".join([*steps, "nothing"]))


def _mend(blocks: tuple[Block, ...]) -> None:
    _keep(blocks)
    forget_fields(EDITOR)


def _sizes_meet(config: TrainConfig, shape: Shape, told: int) -> bool:
    """Whether the first linear layer takes what flattening gives; else both shapes and two ways to mend it."""
    side = trace_sizes(config.blocks, shape[1])[-1]
    channels = config.blocks[-1].channels if config.blocks else shape[0]
    given = channels * side * side
    if told == given:
        st.success(f"The sizes match: {side}·{side}·{channels} = {given:,}.", icon=":material/check_circle:")
        return True
    out = config.hidden[0] if config.hidden else shape[2]
    st.error(
        f"**The sizes do not match at the first linear layer.** Flattening {side}×{side}×{channels} gives "
        f"{side}·{side}·{channels} = {given:,} features, but the layer takes {told:,}.",
        icon=":material/link_off:",
    )
    st.code(f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x{given} and {told}x{out})", language=None)
    st.markdown("**Ways to fix it**")
    st.button(
        f"Let the linear layer take {given:,} inputs.", key="network.mend.flat", icon=":material/build:",
        on_click=_set, args=(FLAT, given),
    )  # fmt: skip
    st.button(
        "Let the lab work the size out from the image size.", key="network.mend.auto", icon=":material/build:",
        on_click=_set, args=("network.own_flat", False),
    )  # fmt: skip
    return False


def _set(key: str, value: Any) -> None:
    st.session_state[key] = value
