"""A network's numbers come from running it, and every formula gives the same."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.explain.activations import activations
from cnnlab.explain.anatomy import Part, anatomy
from cnnlab.explain.formulas import conv_parameters, output_size
from cnnlab.explain.groups import groups_of
from cnnlab.models import MODELS, ModelError, build, count_parameters, multiply_adds, outline

SHAPES = [(1, 28, 10), (3, 32, 10), (3, 65, 7), (3, 224, 1000)]


def taken_apart(
    config: TrainConfig, channels: int = 1, size: int = 28, classes: int = 10, batch: int = 1
) -> list[Part]:
    return anatomy(outline(config, channels, size, classes), (channels, size, size), batch)


def assert_formulas_agree(parts: list[Part]) -> None:
    for part in parts:
        told = {f.name: f.value for f in part.formulas}
        sizes = {"Output height": 2, "Output width": 3, "Features": 1}
        for name, axis in sizes.items():
            if name in told:
                assert told.pop(name) == part.output[axis], (part.name, name)
        assert told.pop("Parameters", 0) == part.parameters, part.name
        assert told.pop("Multiply-adds", 0) == part.multiply_adds, part.name
        assert told.pop("Memory") == part.activation_bytes, part.name
        if told:
            assert part.field is not None
            assert told == {"Receptive field": part.field.size, "Stride so far": part.field.stride}


def worked_out(numbers: str) -> int:
    """What a formula's text comes to, read as arithmetic."""
    text = numbers.replace("·", "*").replace("−", "-").replace("⌊", "math.floor(").replace("⌋", ")")
    return int(eval(text, {"math": math}))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_every_networks_numbers_are_those_of_its_formulas(name: str, shape: tuple[int, int, int]) -> None:
    parts = taken_apart(TrainConfig(model=name), *shape, batch=2)
    assert_formulas_agree(parts)
    assert sum(p.parameters for p in parts) == count_parameters(outline(TrainConfig(model=name), *shape))
    assert parts[-1].output == (2, shape[2])


@pytest.mark.parametrize("name", MODELS)
def test_a_formulas_text_comes_to_its_value(name: str) -> None:
    for part in taken_apart(TrainConfig(model=name), 3, 64, 10):
        for formula in part.formulas:
            assert worked_out(formula.numbers) == formula.value, formula


@pytest.mark.parametrize("name", MODELS)
def test_multiply_adds_are_half_of_what_torch_counts_as_operations(name: str) -> None:
    network = outline(TrainConfig(model=name), 3, 64, 10).eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 64, 64, device="meta"))
    counted = sum(p.multiply_adds for p in anatomy(network, (3, 64, 64)))
    assert 2 * counted == counter.get_total_flops()
    assert multiply_adds(network, 3, 64) == counted


any_blocks = st.lists(
    st.builds(
        ConvBlock,
        channels=st.integers(1, 5),
        kernel=st.integers(1, 7),
        stride=st.integers(1, 3),
        padding=st.integers(0, 3),
        batch_norm=st.booleans(),
        activation=st.sampled_from(["relu", "tanh", "none"]),
        pool=st.sampled_from(["none", "max", "avg"]),
        pool_size=st.integers(1, 3),
    ),
    max_size=4,
).map(tuple)


@settings(max_examples=40, deadline=None)
@given(blocks=any_blocks, hidden=st.lists(st.integers(1, 30), max_size=2).map(tuple), size=st.integers(8, 40))
def test_a_custom_networks_numbers_are_those_of_its_formulas(blocks, hidden, size) -> None:
    config = TrainConfig(model="custom", blocks=blocks, hidden=hidden, dropout=0.5 if hidden else None)
    try:
        parts = taken_apart(config, 3, size, 10)
    except ModelError:
        assume(False)
    assert_formulas_agree(parts)
    assert all(worked_out(f.numbers) == f.value for p in parts for f in p.formulas)


@settings(max_examples=25, deadline=None)
@given(blocks=any_blocks, size=st.integers(10, 30))
def test_a_value_sees_exactly_its_receptive_field(blocks, size) -> None:
    """Where the gradient of one value with respect to the image is not 0, there it sees the image."""
    linear = [block.model_copy(update={"pool": "avg" if block.pool == "max" else block.pool}) for block in blocks]
    config = TrainConfig(model="custom", blocks=tuple(b.model_copy(update={"activation": "none"}) for b in linear))
    assume(all(b.stride <= b.kernel for b in linear))  # else it sees a comb of pixels
    try:
        network = build(config, 1, size, 10).eval()
    except ModelError:
        assume(False)
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    for part in anatomy(network, (1, size, size)):
        if part.field is None or len(part.output) != 4:
            continue
        image = torch.ones(1, 1, size, size, requires_grad=True)
        x = image
        for module in list(network)[: part.index + 1]:
            x = module(x)
        place = x.shape[-1] // 2
        x[0, 0, place, place].backward()
        seen = image.grad[0, 0].abs().sum(0).nonzero().flatten().tolist()
        first, end = part.field.span(place)
        in_view = list(range(max(0, first), min(size, end)))
        assert seen and seen == in_view[: len(seen)]
        assert seen == in_view or end > size  # padding may stand where a stride left the image's last pixels out


@pytest.mark.parametrize("side", [3, 4, 5, 6, 7, 10, 12, 14])
def test_a_value_of_adaptive_pooling_sees_exactly_its_span(side: int) -> None:
    """Where the gradient of one value with respect to the image is not 0, there it sees the image."""
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(7))
    nn.init.constant_(network[0].weight, 0.1)
    part = anatomy(network, (1, 2 * side, 2 * side))[-1]
    assert part.field is not None and part.window is not None
    seen = []
    for place in range(7):
        image = torch.ones(1, 1, 2 * side, 2 * side, requires_grad=True)
        network(image)[0, 0, place, place].backward()
        pixels = image.grad[0, 0].abs().sum(0).nonzero().flatten().tolist()
        first, end = part.field.span(place)
        assert pixels == list(range(max(0, first), min(2 * side, end)))
        seen.append(end - first)
    assert max(seen) == part.field.size == 4 + (part.window.kernel - 1) * 2


def test_vgg_sees_no_more_than_its_widest_window_before_its_classifier() -> None:
    parts = taken_apart(TrainConfig(model="vgg16"), 3, 128, 10)
    assert [p.field.size for p in parts if p.kind == "AdaptiveAvgPool2d" and p.field] == [244]


def test_the_tutorials_sizes_and_counts() -> None:
    assert str(output_size(7, 3)) == "(7 − 3 + 2·0)/1 + 1 = 5"
    assert str(output_size(7, 3, stride=2)) == "(7 − 3 + 2·0)/2 + 1 = 3"
    assert str(output_size(32, 5, padding=2)) == "(32 − 5 + 2·2)/1 + 1 = 32"
    assert str(output_size(28, 3, stride=2)) == "⌊(28 − 3 + 2·0)/2⌋ + 1 = 13"
    assert str(conv_parameters(10, (5, 5), 3)) == "10·(5·5·3) + 10 = 760"
    parts = taken_apart(TrainConfig(model="cnn_5x5"))
    assert parts[5].output == (1, 32, 7, 7) and parts[6].output == (1, 1568)
    assert str(parts[6].formulas[0]) == "32·7·7 = 1,568"


def test_stacked_kernels_are_as_deep_as_what_they_see() -> None:
    plain = {"kernel": 5, "padding": 0, "pool": "none", "batch_norm": False}
    blocks = (ConvBlock(channels=6, **plain), ConvBlock(channels=10, **plain))
    parts = taken_apart(TrainConfig(model="custom", blocks=blocks), 3, 32)
    convolutions = [p for p in parts if p.kind == "Conv2d"]
    assert [p.output[1:] for p in convolutions] == [(6, 28, 28), (10, 24, 24)]
    assert [p.settings for p in convolutions] == ["6 kernels 5×5×3", "10 kernels 5×5×6"]


def test_vgg16_has_its_138_million_weights_and_allocates_none() -> None:
    parts = taken_apart(TrainConfig(model="vgg16"), 3, 224, 1000)
    assert sum(p.parameters for p in parts) == 138_357_544
    assert sum(p.multiply_adds for p in parts) == 15_470_264_320  # 15.5 billion, as is told of it
    assert all(p.is_meta for part in parts if part.module for p in part.module.parameters())


def test_vgg16_has_five_groups_and_a_classifier() -> None:
    groups = groups_of(taken_apart(TrainConfig(model="vgg16"), 3, 224, 1000))
    convolutions = [sum(p.kind == "Conv2d" for p in g.parts) for g in groups]
    assert convolutions == [2, 2, 3, 3, 3, 0]
    assert [g.parts[-1].output[1:] for g in groups[:2]] == [(64, 112, 112), (128, 56, 56)]


def test_resnet_18_is_as_much_smaller_than_vgg_16_as_classics_says() -> None:
    vgg, resnet = (taken_apart(TrainConfig(model=name), 3, 224, 1000) for name in ("vgg16", "resnet18"))
    assert round(sum(p.parameters for p in vgg) / sum(p.parameters for p in resnet)) == 12
    assert 8 < sum(p.multiply_adds for p in vgg) / sum(p.multiply_adds for p in resnet) < 9
    first_add = next(p for p in resnet if p.kind == "Add")
    assert first_add.output[1:] == (64, 56, 56)
    assert (256, 56, 56) in [p.output[1:] for p in vgg]


@pytest.mark.parametrize(("name", "blocks", "aside"), [("resnet18", 8, 6), ("tiny_resnet", 2, 0)])
def test_residual_blocks_are_groups_and_their_shortcuts_known(name: str, blocks: int, aside: int) -> None:
    parts = taken_apart(TrainConfig(model=name))
    assert sum(g.title.startswith("Residual") for g in groups_of(parts)) == blocks
    assert sum(p.shortcut for p in parts) == aside  # resnet18: three 1×1 convolutions with their batch norms
    assert all("downsample" in p.name for p in parts if p.shortcut)


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_is_in_one_group(name: str) -> None:
    parts = taken_apart(TrainConfig(model=name))
    assert [p for g in groups_of(parts) for p in g.parts] == parts


def test_shapes_are_those_of_a_real_run() -> None:
    torch.manual_seed(0)
    network = build(TrainConfig(model="tiny_resnet"), 1, 28, 10)
    ran = activations(network, torch.rand(3, 1, 28, 28))
    parts = anatomy(outline(TrainConfig(model="tiny_resnet"), 1, 28, 10), (1, 28, 28), batch=3)
    assert [tuple(layer.output.shape) for layer in ran] == [part.output for part in parts]
