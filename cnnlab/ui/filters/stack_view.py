"""Layers stacked on paper: what shape and how many numbers each brings."""

import pandas as pd
import streamlit as st

from cnnlab.explain.convolution import SettingsError
from cnnlab.explain.stack import LayerSpec, stack
from cnnlab.ui import words
from cnnlab.ui.filters.state import MOST, anew, held, key

COLUMNS = {"Filters": 1, "Size": 1, "Stride": 1, "Padding": 0}
"""Column -> what an empty cell counts as."""
BEGUN = "filters.stack.begun"


def stack_view() -> None:
    """A table to edit, and what follows from it."""
    with st.expander("Stack layers: shapes and parameters", icon=":material/layers:"):
        st.caption(
            "A kernel is as deep as its input has channels, and a layer has as many channels as it has kernels. Change "
            "the numbers, or add a row."
        )
        left, right = st.columns([3, 4])
        with left:
            side = st.number_input(
                "Rows and columns of the input", 1, MOST, key=key("stack_side"), persist_state="session"
            )
            channels = st.number_input(
                "Channels of the input", 1, MOST, key=key("stack_channels"), persist_state="session"
            )
            rows = _edited()
        with right:
            _stages(int(channels), int(side), rows)


def _edited() -> pd.DataFrame:
    """The layers as they were edited, kept in the page's state: the editor itself forgets where it is not drawn."""
    editor = anew("stack.editor")
    if editor not in st.session_state:
        layers = [line.split(",") for line in held("stack").split(";") if line]
        st.session_state[BEGUN] = pd.DataFrame(layers, columns=list(COLUMNS)).astype(int)
    edited = st.data_editor(st.session_state[BEGUN], num_rows="dynamic", hide_index=True, key=editor)
    rows = edited.fillna(COLUMNS).astype(int)
    st.session_state[key("stack")] = ";".join(",".join(map(str, row)) for row in rows.to_numpy().tolist())
    return rows


def _stages(channels: int, side: int, rows: pd.DataFrame) -> None:
    try:
        stages = stack((channels, side, side), [LayerSpec(*row) for row in rows.to_numpy().tolist()])
    except SettingsError as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return
    table = [{"After": "Input", "Shape (C, H, W)": str((channels, side, side)), "Each kernel": "", "Parameters": ""}]
    for number, (stage, size) in enumerate(zip(stages, rows["Size"], strict=True), 1):
        table.append(
            {
                "After": f"Layer {number}",
                "Shape (C, H, W)": str((stage.channels, stage.height, stage.width)),
                "Each kernel": f"{stage.depth} × {size} × {size}",
                "Parameters": f"{stage.channels} · ({size}² · {stage.depth} + 1) = {stage.parameters:,}",
            }
        )
    st.table(pd.DataFrame(table).set_index("After"))
