"""The editor of the custom network's blocks: each in a popover, with a button that adds one.

>>> block_editor(blocks, "field.blocks", keep)                           # doctest: +SKIP
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cnnlab.config import ConvBlock, TrainConfig, choices, limits
from cnnlab.ui import words

Block = dict[str, Any]
"""A ConvBlock's fields as they were typed."""

Keep = Callable[[tuple[Block, ...]], None]
MOST_BLOCKS = 12


def block_editor(blocks: Sequence[Block], key: str, keep: Keep) -> None:
    """Show ``blocks``; ``keep`` takes what a person makes of them. ``key`` begins the keys of all fields."""
    st.markdown("Convolution blocks", help=TrainConfig.model_fields["blocks"].description)
    edit = _Edit(list(blocks), key, keep)
    for number, block in enumerate(blocks):
        pool = f", {block['pool']} {block['pool_size']}" if block["pool"] != "none" else ""
        label = f"{number + 1}: {block['channels']} × {block['kernel']}×{block['kernel']}{pool}"
        with st.popover(label, width="stretch"):
            st.markdown(f"**Block {number + 1}**")
            for name, info in ConvBlock.model_fields.items():
                _field(edit, number, name, info, block[name])
            st.button("Remove this block", key=f"{key}.remove.{number}", on_click=edit.remove, args=(number,))
    if len(blocks) < MOST_BLOCKS:
        st.button("Add a block", key=f"{key}.add", icon=":material/add:", on_click=edit.add, width="stretch")


def forget_fields(key: str) -> None:
    """Let the fields show their blocks anew, after these were changed elsewhere."""
    for name in [n for n in st.session_state if str(n).startswith(f"{key}.")]:
        del st.session_state[name]


class _Edit:
    """The three things that a person does to blocks."""

    def __init__(self, blocks: list[Block], key: str, keep: Keep) -> None:
        self.blocks, self.key, self.keep = blocks, key, keep

    def change(self, number: int, name: str) -> None:
        self.blocks[number] = {**self.blocks[number], name: st.session_state[f"{self.key}.{number}.{name}"]}
        self.keep(tuple(self.blocks))

    def add(self) -> None:
        self.keep((*self.blocks, dict(self.blocks[-1]) if self.blocks else ConvBlock().model_dump()))

    def remove(self, number: int) -> None:
        self.keep((*self.blocks[:number], *self.blocks[number + 1 :]))
        forget_fields(self.key)


def _field(edit: _Edit, number: int, name: str, info: FieldInfo, value: Any) -> None:
    """A field that is handed its value: one from the session would not reach a popover that nobody has opened yet."""
    key = f"{edit.key}.{number}.{name}"
    common: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "help": info.description,
        "key": key,
        "on_change": edit.change,
        "args": (number, name),
    }
    if options := choices(info):
        st.selectbox(options=options, index=list(options).index(value), format_func=words.choice, **common)
    elif info.annotation is bool:
        st.toggle(value=value, **common)
    else:
        low, high = limits(info)
        st.number_input(min_value=int(low or 0), max_value=int(high or 0), value=int(value), step=1, **common)
