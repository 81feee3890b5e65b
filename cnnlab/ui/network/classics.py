"""Classics: VGG-16 and ResNet-18 with their structure and numbers, and why a shortcut helps, measured here and now."""

import streamlit as st
import torch

from cnnlab.config import TrainConfig
from cnnlab.explain.depth import gradient_norms
from cnnlab.explain.drawing import draw, size_text
from cnnlab.explain.groups import groups_of
from cnnlab.figures.gradients import depth_figure
from cnnlab.loader import scaling_of
from cnnlab.ui import cache, words
from cnnlab.ui.address import expect_number, expect_truth
from cnnlab.ui.network.choice import IMAGENET_SHAPE, Subject
from cnnlab.ui.network.drawing import network_drawing
from cnnlab.ui.network.formula_table import formula_table
from cnnlab.ui.plot import plot

EXPLODED = 1e3  # a gradient's norm that no step at a usual learning rate survives
TOLD = {
    "vgg16": (
        "VGG-16 (2014)",
        "One idea, repeated: two or three 3×3 convolutions, then a pooling of 2, five times over. Each group halves "
        "the picture and doubles the channels up to 512. Two stacked 3×3 convolutions see 5×5 pixels, three see 7×7, "
        "with fewer weights than one large kernel: 3·(3·3) = 27 against 7·7 = 49 for each pair of channels. Nine "
        "tenths of its parameters lie in the three linear layers; nearly all of its work lies in the convolutions.",
    ),
    "resnet18": (
        "ResNet-18 (2015)",
        "Eight blocks of two 3×3 convolutions. Around each runs a shortcut that adds the block's input to its output,"
        " so a block learns a correction only, and can be skipped by learning 0. Where the picture shrinks, a 1×1 "
        "convolution on the shortcut makes the sizes match. A mean over the last picture in place of large linear "
        "layers leaves it a twelfth of VGG-16's parameters. It needs less than an eighth of its work: a stride of 2 "
        "and a pooling shrink the picture to 56×56 before the blocks begin, and there it has 64 channels, VGG-16 256.",
    ),
}


def classics_view(subject: Subject | None) -> None:
    """Both networks, then the experiment; the sidebar's network is not needed."""
    for name, (title, text) in TOLD.items():
        _classic(name, title, text)
    _shortcut_experiment()


def _classic(name: str, title: str, text: str) -> None:
    parts = cache.parts(TrainConfig(model=name), IMAGENET_SHAPE)
    weights, work = sum(p.parameters for p in parts), sum(p.multiply_adds for p in parts)
    st.subheader(title, anchor=False)
    st.markdown(text)
    st.markdown(
        f"**{weights:,}** parameters · **{work / 1e9:.2f} billion** multiply-adds for an image of 224×224×3 · "
        f"**{sum(p.kind in ('Conv2d', 'Linear') and not p.shortcut for p in parts)}** layers with weights on its way"
    )
    titles = [f"{p.index + 1}. {p.kind} → {size_text(p.output[1:])}" for p in parts]
    drawing = draw(parts, (IMAGENET_SHAPE[0], IMAGENET_SHAPE[1], IMAGENET_SHAPE[1]))
    key = f"classics.{name}"
    chosen = st.session_state.get(f"{key}.part", -2)
    network_drawing(drawing, titles, chosen, key, lambda index: _remember(key, index))
    if chosen >= 0:
        st.caption(f"**{titles[chosen]}** {parts[chosen].settings}")
        formula_table(parts[chosen].formulas)
    with st.expander("Its groups in numbers"):
        groups = groups_of(parts)
        rows = [
            f"| {g.title} | {sum(p.kind == 'Conv2d' for p in g.parts)} | {size_text(g.output[1:])} | "
            f"{sum(p.parameters for p in g.parts):,} | {words.percent(sum(p.parameters for p in g.parts) / weights)} | "
            f"{words.percent(sum(p.multiply_adds for p in g.parts) / work)} |"
            for g in groups
        ]
        head = ["| Group | Convolutions | Leaves | Parameters | of all | of the work |", "|---|--:|---|--:|--:|--:|"]
        st.markdown("\n".join([*head, *rows]))


def _remember(key: str, index: int) -> None:
    st.session_state[f"{key}.part"] = index


def _shortcut_experiment() -> None:
    st.subheader("Why a shortcut helps", anchor=False)
    st.markdown(
        "A layer learns from the gradient that reaches it. PyTorch draws a convolution's initial weights so small "
        "that, with ReLU and without batch norm, each layer passes on about 1/√6 = 0.41 of it: in a deep plain stack "
        "little arrives at the first layers. A shortcut hands it on as it is. Both stacks here have the same 3×3 "
        "convolutions with the same initial weights; only the shortcuts differ."
    )
    st.markdown(
        "Larger initial weights (below), or batch norm, keep a plain stack's gradient alive too. ResNet has batch "
        "norm, and its authors think vanishing gradients an unlikely reason for what shortcuts mend: that a deeper "
        "plain network ends with a higher training error."
    )
    expect_number("classics.depth", 4, 48)
    expect_number("classics.seed", 0, 9999)
    depth = st.slider("Layers", 4, 48, 24, key="classics.depth", persist_state="session", bind="query-params")
    seed = st.number_input(
        "Seed of the weights", 0, 9999, 0, key="classics.seed", width=180, persist_state="session", bind="query-params"
    )
    expect_truth("classics.he")
    he = st.toggle(
        "Initial weights of He et al., 2015", key="classics.he", persist_state="session", bind="query-params",
        help="Drawn with a variance of 2/(inputs of a value), which makes up for what ReLU cuts off; PyTorch's own "
        "have 1/(3·inputs), a sixth of that.",
    )  # fmt: skip
    plain, residual = _measured(depth, int(seed), he)
    figure = depth_figure({"plain": plain, "with shortcuts": residual})
    alt = f"Gradient norms over {depth} layers, plain and with shortcuts."
    plot(figure, "Gradients over depth", "classics.gradients", alt=alt)
    st.markdown(
        f"Measured now on 16 digits: the first of {depth} plain layers gets {_against(plain)}; with shortcuts it gets "
        f"{_against(residual)}."
    )
    if max(residual) > EXPLODED:
        st.markdown(
            f"But see how large they are, {words.power(max(residual))} at most: each block adds to what it hands on, "
            "so in a stack as deep as this with shortcuts the gradients explode instead. ResNet's batch norm keeps "
            "that in check."
        )


def _against(norms: list[float]) -> str:
    """What the first layer gets, measured by what the last gets."""
    if not norms[0] or not norms[-1]:
        return "**no gradient at all**"
    share = norms[0] / norms[-1]
    times = f"{share:.2g}" if 0.001 <= share < 1000 else words.power(share)
    return f"**{times} times** the last one's gradient ({words.power(norms[0])} against {words.power(norms[-1])})"


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(depth: int, seed: int, he: bool) -> tuple[list[float], list[float]]:
    config = TrainConfig(dataset="digits")
    digits = cache.dataset(config)
    images = scaling_of(config, digits)(digits.train.images[:16])
    with torch.enable_grad():
        return gradient_norms(depth, False, images, seed, he), gradient_norms(depth, True, images, seed, he)
