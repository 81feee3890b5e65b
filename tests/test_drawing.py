"""The drawing holds every layer once; questions and stacks are worth asking about."""

import re
from itertools import pairwise

import pytest
import torch

from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.explain.activations import IMAGE
from cnnlab.explain.anatomy import Part, anatomy
from cnnlab.explain.depth import gradient_norms
from cnnlab.explain.drawing import ATTACHED, draw
from cnnlab.explain.quiz import questions
from cnnlab.models import MODELS, outline

DEEP = TrainConfig(model="custom", blocks=(ConvBlock(pool="none"),) * 20)
CONFIGS = [TrainConfig(model=name) for name in MODELS] + [DEEP, TrainConfig(model="custom", blocks=(), hidden=())]
IMAGE_SHAPE = (3, 32, 32)


def parts_of(config: TrainConfig) -> list[Part]:
    return anatomy(outline(config, 3, 32, 10), IMAGE_SHAPE)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.model} {len(c.blocks)}")
def test_every_layer_is_drawn_once_and_boxes_do_not_overlap(config: TrainConfig) -> None:
    parts = parts_of(config)
    drawing = draw(parts, IMAGE_SHAPE)
    assert sorted(m.index for m in drawing.marks) == [IMAGE, *range(len(parts))]
    line = [m for m in drawing.marks if m.index == IMAGE or not parts[m.index].shortcut]
    assert all(a.x + a.width <= b.x for a, b in pairwise(line))
    assert all(drawing.top <= m.y and m.y + m.height <= drawing.height for m in drawing.marks)
    assert all(m.x + m.width <= drawing.width for m in drawing.marks)


def test_boxes_follow_what_flows_through() -> None:
    parts = parts_of(TrainConfig(model="vgg16"))
    marks = {m.index: m for m in draw(parts, IMAGE_SHAPE).marks}
    convolutions = [p for p in parts if p.kind == "Conv2d"]
    for before, after in pairwise(convolutions):
        if after.output[3] < before.output[3]:
            assert marks[after.index].height < marks[before.index].height
        if after.output[1] > before.output[1]:
            assert marks[after.index].width > marks[before.index].width


@pytest.mark.parametrize(("name", "bows"), [("resnet18", 8), ("tiny_resnet", 2), ("vgg16", 0)])
def test_each_shortcut_is_a_bow_over_its_block(name: str, bows: int) -> None:
    parts = parts_of(TrainConfig(model=name))
    drawing = draw(parts, IMAGE_SHAPE)
    additions = [m for m in drawing.marks if m.family == "add"]
    assert len(drawing.bows) == len(additions) == bows
    for bow, addition in zip(drawing.bows, additions, strict=True):
        under = [m for m in drawing.marks if bow.start <= m.x <= bow.end and m.family not in (*ATTACHED, "add")]
        assert bow.end == addition.x + addition.width / 2 and all(
            bow.y < m.y for m in under if not parts[m.index].shortcut
        )


@pytest.mark.parametrize("name", MODELS)
def test_every_network_can_be_asked_about(name: str) -> None:
    asked = questions(parts_of(TrainConfig(model=name)))
    assert len(asked) >= 4
    for question in asked:
        assert question.text.endswith("?") and question.hint(question.formula.value) == ""
    assert len({q.text for q in asked}) == len(asked)


@pytest.mark.parametrize("name", MODELS)
def test_how_far_a_value_sees_is_asked_with_all_that_is_needed_and_within_the_image(name: str) -> None:
    for question in questions(parts_of(TrainConfig(model=name))):
        if question.formula.name != "Receptive field":
            continue
        width = parts_of(TrainConfig(model=name))[0].input[-1]
        assert question.formula.value <= width
        before, _, step = re.fullmatch(r"(\d+) \+ \((\d+) − 1\)·(\d+)", question.formula.numbers).groups()  # type: ignore[union-attr]
        given = f"sees {before} pixels of the image in a row, and its neighbours' views begin {step} pixel"
        assert given in question.text or (before, step) == ("1", "1")


def test_of_the_first_layer_no_hint_speaks_of_a_layer_before() -> None:
    asked = [q for q in questions(parts_of(TrainConfig(model="cnn_5x5"))) if q.formula.name == "Receptive field"]
    assert asked[0].hint(1).startswith("Its input is as fine as the image itself") and "layer before" not in asked[
        0
    ].hint(1)


def test_a_forgotten_bias_gets_a_hint() -> None:
    question = next(q for q in questions(parts_of(TrainConfig(model="cnn_5x5"))) if q.formula.name == "Parameters")
    assert question.formula.value == 16 * (5 * 5 * 3) + 16
    assert "biases are missing" in question.hint(16 * (5 * 5 * 3))


def test_shortcuts_keep_the_gradient_alive() -> None:
    images = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    plain, residual = gradient_norms(24, False, images), gradient_norms(24, True, images)
    assert len(plain) == len(residual) == 24
    assert plain[0] < 1e-3 * plain[-1]
    assert residual[0] > 0.1 * residual[-1]
    assert gradient_norms(24, False, images) == plain


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plain_stacks_gradient_vanishes_by_pytorchs_first_weights_alone(seed: int) -> None:
    images = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    usual, he = gradient_norms(24, False, images, seed), gradient_norms(24, False, images, seed, he=True)
    assert usual[0] / usual[-1] == pytest.approx((1 / 6) ** (23 / 2), rel=0.9)
    assert 0.05 < he[0] / he[-1] < 20
