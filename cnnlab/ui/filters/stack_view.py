"""Layers stacked on paper: what shape and how many numbers each brings."""

import pandas as pd
import streamlit as st

from cnnlab.explain.convolution import SettingsError
from cnnlab.explain.stack import LayerSpec, stack

FIRST = pd.DataFrame({"Filters": [6, 10], "Size": [5, 5], "Stride": [1, 1], "Padding": [0, 0]})
CHANNELS, SIDE = "filters.stack.channels", "filters.stack.side"


def stack_view() -> None:
    """A table to edit, and what follows from it."""
    with st.expander("Stack layers: shapes and parameters", icon=":material/layers:"):
        st.caption(
            "A kernel is as deep as its input has channels, and a layer has as many channels as it has kernels. Change "
            "the numbers, or add a row."
        )
        left, right = st.columns([3, 4])
        with left:
            side = int(st.number_input("Rows and columns of the input", 1, 4096, 32, key=SIDE, persist_state="session"))
            channels = int(st.number_input("Channels of the input", 1, 4096, 3, key=CHANNELS, persist_state="session"))
            edited = st.data_editor(FIRST, num_rows="dynamic", hide_index=True, key="filters.stack.layers")
        with right:
            _stages(channels, side, edited)


def _stages(channels: int, side: int, edited: pd.DataFrame) -> None:
    rows = edited.fillna({"Filters": 1, "Size": 1, "Stride": 1, "Padding": 0}).astype(int)
    try:
        stages = stack((channels, side, side), [LayerSpec(*row) for row in rows.to_numpy().tolist()])
    except SettingsError as error:
        st.error(str(error), icon=":material/error:")
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
