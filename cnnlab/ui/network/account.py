"""How the chosen value came about: what it sees of the image, and every product of its sum."""

import numpy as np
import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab.explain.activations import IMAGE, Layer
from cnnlab.explain.anatomy import Part
from cnnlab.explain.numbers import inside, shown
from cnnlab.explain.pixel import Contributions, Products, contributions, number, plain_account, products
from cnnlab.figures.framed import framed
from cnnlab.ui import cache, words
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.maps import Place
from cnnlab.ui.network.way import Way

IMAGE_SIDE = 280  # pixels of the image on the screen, at most
TOP = 10  # contributions of a linear layer
TABLE = "border-collapse: collapse; font-size: 11px; text-align: right; font-variant-numeric: tabular-nums"
EXACT = st.column_config.NumberColumn(format="%.8f")
CELL = "white-space: nowrap; border: 1px solid rgba(128, 128, 128, 0.3); padding: 2px 4px"


def account(subject: Subject, way: Way, pixels: Tensor, chosen: Place, names: tuple[str, ...]) -> None:
    """The account of the value at ``chosen`` on the ``way`` of ``pixels`` (uint8 [1, C, H, W]) through the network."""
    layers, inputs = way.layers, way.inputs
    index, channel, row, column = chosen
    if index == IMAGE:
        _scaled(way, pixels, chosen)
        return
    layer, part = layers[index], cache.parts(subject.config, subject.shape)[index]
    taken = [(inputs if s == IMAGE else layers[s].output)[0] for s in layer.sources]
    flat = layer.output.dim() == 2
    value = float(layer.output[0, channel] if flat else layer.output[0, channel, row, column])
    where = f"feature {channel}" if flat else f"channel {channel}, row {row}, column {column}"
    side = f"{way.side}: " if subject.run is not None else ""
    st.markdown(f"{side}**{index + 1}. {layer.kind}**, {where}: **{number(value)}**")
    if layer.kind == "Flatten" and taken[0].dim() == 3:  # each feature is a value of the layer before
        row, column = divmod(channel % taken[0][0].numel(), taken[0].shape[-1])
    _seen(part, pixels, row, column, whole=layer.kind == "Linear")
    if layer.kind == "Conv2d":
        _convolution(products(layer, taken[0], channel, row, column))
    elif layer.kind == "Linear":
        last = index == len(layers) - 1
        _linear(contributions(layer, taken[0], channel), names[channel] if last and names else "")
    elif flat:
        _flat(layer, taken[0], channel)
    else:
        st.markdown(f"`{plain_account(layer, taken, channel, row, column)}`")


def _scaled(way: Way, pixels: Tensor, chosen: Place) -> None:
    _, channel, row, column = chosen
    value, pixel = float(way.inputs[0, channel, row, column]), int(pixels[0, channel, row, column])
    mean, std = way.scaling.mean[channel], way.scaling.std[channel]
    st.markdown(f"**Image**, channel {channel}, row {row}, column {column}: **{number(value)}**")
    _framed(pixels, (row, row + 1), (column, column + 1), "The pixel itself.")
    st.markdown(
        f"(x/255 − mean)/std: ({pixel}/255 − {shown(mean)})/{shown(std)} = **{number(value)}**. Networks "
        "learn faster from inputs around 0."
    )


def _seen(part: Part, pixels: Tensor, row: int, column: int, whole: bool) -> None:
    side = pixels.shape[-1]
    if part.field is None or whole:
        _framed(pixels, (0, side), (0, side), "It sees the whole image.")
        return
    rows, columns = part.field.span(row), part.field.span(column)
    seen = f"rows {rows[0]} to {rows[1] - 1}, columns {columns[0]} to {columns[1] - 1}".replace("-", "−")
    outside = min(rows[0], columns[0]) < 0 or max(rows[1], columns[1]) > side
    caption = f"It sees {rows[1] - rows[0]}×{columns[1] - columns[0]} pixels of the image: {seen}."
    _framed(pixels, rows, columns, caption + (" Beyond the edge is padding." if outside else ""))


def _framed(pixels: Tensor, rows: tuple[int, int], columns: tuple[int, int], caption: str) -> None:
    image = pixels[0].numpy()
    picture = framed(image, rows, columns, max(1, IMAGE_SIDE // image.shape[1]))
    st.image(picture, width=picture.shape[1])
    st.caption(caption)


def _convolution(found: Products) -> None:
    count = found.products.numel()
    channels, side = found.products.shape[0], found.products.shape[1]
    bias = ""
    if found.bias is not None:
        bias = f" and the bias: {shown(float(found.products.sum()))} + {inside(found.bias)} ="
    st.markdown(
        f"The sum of **{count:,}** products ({side}·{side}·{channels}){bias or ':'} **{number(found.total)}**. "
        f"torch gave {number(found.value)}."
    )
    order = found.by_channel.abs().argsort(descending=True).tolist()
    channel = order[0]
    if channels > 1:
        st.caption("Each input channel adds a sum of its own; the largest first.")
        channel = st.selectbox(
            "Input channel", order, key=f"account.channel.{channels}",
            format_func=lambda c: f"channel {c}: {shown(float(found.by_channel[c]))}",
        )  # fmt: skip
    st.caption(f"input × weight = product, for channel {channel}: {number(float(found.by_channel[channel]))} in all")
    st.html(_table(found.patch[channel], found.kernel[channel], found.products[channel]))
    with st.expander(f"All {count:,} products"):
        place = np.indices(found.products.shape).reshape(3, -1)
        table = pd.DataFrame(
            {
                "Channel": place[0],
                "Row": place[1],
                "Column": place[2],
                "Input": found.patch.flatten().tolist(),
                "Weight": found.kernel.flatten().tolist(),
                "Product": found.products.flatten().tolist(),
                "Sum so far": found.products.flatten().cumsum(0).tolist(),
            }
        )
        st.dataframe(table, hide_index=True, height=280, column_config=dict.fromkeys(table.columns[3:], EXACT))


def _table(patch: Tensor, kernel: Tensor, products: Tensor) -> str:
    """Input, weight and product for each place of a kernel [k, k], small enough for its column, or scrolled in it."""
    rows = [
        "".join(f"<td style='{CELL}'>{_cell(*place)}</td>" for place in zip(*line, strict=True))
        for line in zip(patch.tolist(), kernel.tolist(), products.tolist(), strict=True)
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div style='overflow-x: auto'><table style='{TABLE}'>{body}</table></div>"


def _cell(x: float, w: float, product: float) -> str:
    """The factors have two decimals more, so that multiplying them gives the product."""
    weight = f"({w:.7f})" if w < 0 else f"{w:.7f}"
    return f"{x:.7f}<br>× {weight}<br><b>{product:.5f}</b>".replace("-", "−")


def _linear(found: Contributions, name: str) -> None:
    top = found.largest(TOP)
    rest = float(found.products.sum() - found.products[top].sum())
    if name:
        st.markdown(f"This is the logit of class **{words.plain(name)}**.")
    table = pd.DataFrame(
        {
            "Input": top,
            "Value": found.inputs[top].tolist(),
            "Weight": found.weights[top].tolist(),
            "Product": found.products[top].tolist(),
        }
    )
    st.caption(f"The {len(top)} largest contributions of {len(found.products):,}")
    st.dataframe(table, hide_index=True, height="content", column_config=dict.fromkeys(table.columns[1:], EXACT))
    st.markdown(
        f"These {len(top)}: {shown(float(found.products[top].sum()))}, all others: {shown(rest)}, bias: "
        f"{shown(found.bias)}. Together **{number(found.total)}**; torch gave {number(found.value)}."
    )


def _flat(layer: Layer, taken: Tensor, feature: int) -> None:
    if layer.kind == "Flatten" and taken.dim() == 3:
        _, height, width = taken.shape
        channel, place = divmod(feature, height * width)
        st.markdown(
            f"Feature {feature} = {channel}·{height}·{width} + {place // width}·{width} + {place % width}: channel "
            f"{channel}, row {place // width}, column {place % width} of the layer before."
        )
    else:
        st.markdown(f"`{layer.kind}({number(float(taken[feature]))}) = {number(float(layer.output[0, feature]))}`")
