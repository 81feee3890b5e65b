"""Every layer's answer to this picture: its feature maps, the strongest first, before and after ReLU and pooling."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.explain.activations import Layer, activations, strongest_channels
from cnnlab.explain.drawing import size_text
from cnnlab.figures.channels import signed_colors
from cnnlab.ui.predict.answer import Asked

MAPS, CELL, GAP = 12, 76, 6  # feature maps in a row, their size and the space between them in pixels
WORDS = {
    "Conv2d": "convolution", "ReLU": "after ReLU: below 0 becomes 0", "MaxPool2d": "after pooling: the largest of each "
    "square", "AdaptiveMaxPool2d": "after pooling: the largest of all", "AvgPool2d": "after pooling: the mean of each "
    "square", "AdaptiveAvgPool2d": "after pooling: the mean of all", "BatchNorm2d": "after batch norm", "Add":
    "the shortcut is added", "Linear": "linear layer", "Dropout": "dropout does nothing here",
}  # fmt: skip


def layers_view(asked: Asked) -> None:
    """A row of pictures for each layer, in the order of the calls."""
    network = asked.subject.predictor.network
    layers = activations(network, asked.prepared.inputs.to(next(network.parameters()).device))
    st.caption(
        f"The {MAPS} strongest channels of each layer, the strongest first; all shown of a layer share one scale. Dark "
        "is 0, orange above, blue below."
    )
    for layer in layers:
        if layer.kind not in ("Dropout", "Flatten", "Dropout2d"):
            _layer(layer)


def _layer(layer: Layer) -> None:
    output = layer.output[0].float().cpu()
    word = WORDS.get(layer.kind, layer.kind)
    every = False
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"**{word[0].upper() + word[1:]}** · {size_text(tuple(output.shape))} · :gray[`{layer.name}`]"
        st.markdown(title, width="content")
        if len(output) > MAPS:
            every = st.toggle(f"All {len(output):,}", key=f"predict.layers.{layer.name}")
    chosen = strongest_channels(output)[: None if every else MAPS]
    st.image(tiles(output[chosen].numpy()), caption="channels " + ", ".join(map(str, chosen)))


def tiles(maps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """``maps`` (float [C, H, W], or [C] for single numbers) in rows of MAPS, each pixel a square; uint8 [h, w, 4]."""
    pictures = maps.reshape(len(maps), *(maps.shape[1:] or (1, 1)))
    colors = signed_colors(pictures)
    rows, columns = (np.arange(CELL) * side // CELL for side in pictures.shape[1:])
    down, across = -(-len(maps) // MAPS), min(len(maps), MAPS)
    sheet = np.zeros((down * (CELL + GAP) - GAP, across * (CELL + GAP) - GAP, 4), np.uint8)
    for number, picture in enumerate(colors):
        top, left = (place * (CELL + GAP) for place in divmod(number, MAPS))
        sheet[top : top + CELL, left : left + CELL, :3] = picture[rows][:, columns]
        sheet[top : top + CELL, left : left + CELL, 3] = 255
    return sheet
