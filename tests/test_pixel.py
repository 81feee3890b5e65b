"""A value's account in numbers is what torch computed."""

import math
from itertools import product
from statistics import fmean

import pytest
import torch
from torch import Tensor, nn

from cnnlab.config import TrainConfig
from cnnlab.explain.activations import IMAGE, Layer, activations
from cnnlab.explain.anatomy import anatomy
from cnnlab.explain.pixel import contributions, plain_account, products
from cnnlab.models import build

NETWORKS = ["cnn_5x5", "tiny_resnet", "resnet18", "lenet5"]


def asked(name: str) -> tuple[list[Layer], Tensor]:
    torch.manual_seed(0)
    image = torch.randn(1, 3, 28, 28)
    return activations(build(TrainConfig(model=name), 3, 28, 10), image), image


def taken_by(layers: list[Layer], layer: Layer, image: Tensor) -> list[Tensor]:
    return [(image if s == IMAGE else layers[s].output)[0] for s in layer.sources]


@pytest.mark.parametrize("name", NETWORKS)
def test_all_products_of_a_convolution_sum_to_torchs_number(name: str) -> None:
    layers, image = asked(name)
    checked = 0
    for layer in layers:
        if layer.kind != "Conv2d":
            continue
        taken = taken_by(layers, layer, image)[0]
        _, channels, height, width = layer.output.shape
        for channel, row, column in ((0, 0, 0), (channels - 1, height - 1, width - 1), (1, height // 2, width // 3)):
            found = products(layer, taken, channel, row, column)
            assert found.products.shape[0] == taken.shape[0]
            assert found.total == pytest.approx(layer.output[0, channel, row, column].item(), abs=1e-5)
            assert found.total == pytest.approx(float(found.by_channel.sum()) + (found.bias or 0.0))
            checked += 1
    assert checked >= 6


@pytest.mark.parametrize("name", NETWORKS)
def test_all_contributions_to_a_linear_output_sum_to_torchs_number(name: str) -> None:
    layers, image = asked(name)
    layer = layers[-1]
    found = contributions(layer, taken_by(layers, layer, image)[0], 7)
    assert found.total == pytest.approx(layer.output[0, 7].item(), abs=1e-5)
    top = found.largest(10)
    least = float(found.products.abs()[top].min())
    assert len(top) == 10 and least >= float(found.products.abs().sort(descending=True).values[10])


def worked_out(account: str) -> tuple[float, float]:
    """What the arithmetic of an account comes to, and what it says that it does."""
    signs = {"−": "-", "·": "*", "√": "sqrt", "padding": "-inf"}
    for sign, python in signs.items():
        account = account.replace(sign, python)
    of_many = {"max": lambda *seen: max(seen), "mean": lambda *seen: fmean(seen)}
    names = {**of_many, "sqrt": math.sqrt, "Tanh": math.tanh, "inf": math.inf}
    arithmetic, _, result = account.partition(" = ")
    return eval(arithmetic, names), float(result)


@pytest.mark.parametrize("name", NETWORKS)
def test_any_other_layers_account_comes_to_its_value(name: str) -> None:
    layers, image = asked(name)
    for layer in layers:
        if layer.output.dim() == 4 and layer.kind != "Conv2d":
            side = layer.output.shape[-1]
            for row, column in ((0, 0), (side // 2, side // 3)):
                line = plain_account(layer, taken_by(layers, layer, image), 1, row, column)
                value = layer.output[0, 1, row, column].item()
                assert worked_out(line) == pytest.approx((value, value), abs=1e-4), (layer.kind, line)


@pytest.mark.parametrize("pooling", [nn.MaxPool2d(3, 2, padding=1), nn.AvgPool2d(3, 2, padding=1)], ids=str)
def test_a_poolings_account_at_the_border_counts_its_padding_as_torch_does(pooling: nn.Module) -> None:
    image = -1 - torch.rand(1, 1, 6, 6)
    layers = activations(nn.Sequential(pooling), image)
    for row, column in product(range(3), range(3)):
        value = layers[0].output[0, 0, row, column].item()
        assert worked_out(plain_account(layers[0], [image[0]], 0, row, column)) == pytest.approx((value,) * 2, abs=1e-4)


@pytest.mark.parametrize("side", [3, 7, 10])
@pytest.mark.parametrize("pooling", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
def test_an_adaptive_poolings_line_comes_to_its_value_whatever_the_sizes(pooling: type[nn.Module], side: int) -> None:
    image = torch.randn(1, 2, side, side)
    layers = activations(nn.Sequential(pooling(7)), image)
    for row, column in product(range(7), range(7)):
        worked, value = worked_out(plain_account(layers[0], [image[0]], 1, row, column))
        assert worked == pytest.approx(value, abs=2e-4)


def test_a_batch_norms_line_is_worked_out_with_its_numbers() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1))
    network[0].running_mean.fill_(2.0)
    network[0].running_var.fill_(4.0)
    layers = activations(network, torch.full((1, 1, 1, 1), 6.0))
    assert plain_account(layers[0], [torch.full((1, 1, 1), 6.0)], 0, 0, 0) == ("(6 − 2)/√(4 + 1e−5)·1 + 0 = 2.0000")
    network[0].running_mean.fill_(-2.0)
    network[0].running_var.fill_(0.0012345)
    network[0].bias.data.fill_(-1.0)
    layers = activations(network, torch.full((1, 1, 1, 1), -1.99))
    assert plain_account(layers[0], [torch.full((1, 1, 1), -1.99)], 0, 0, 0) == (
        "(−1.99 − (−2))/√(0.0012345 + 1e−5)·1 + (−1) = −0.7165"
    )


def test_what_a_value_does_not_see_cannot_change_it() -> None:
    torch.manual_seed(0)
    network, image = build(TrainConfig(model="cnn_5x5"), 1, 28, 10), torch.rand(1, 1, 28, 28)
    part = anatomy(network, (1, 28, 28))[5]
    assert part.field is not None
    (top, bottom), (left, right) = part.field.span(2), part.field.span(4)
    changed = torch.rand(1, 1, 28, 28)
    changed[:, :, max(0, top) : bottom, max(0, left) : right] = image[:, :, max(0, top) : bottom, max(0, left) : right]
    before, after = (activations(network, x)[5].output[0, :, 2, 4] for x in (image, changed))
    assert torch.allclose(before, after)


def test_the_parts_of_an_account_add_up_to_the_last_digit_of_its_result() -> None:
    layers, _ = asked("tiny_resnet")
    add = next(layer for layer in layers if layer.kind == "Add")
    taken = [layers[s].output[0] for s in add.sources]
    for row, column in product(range(7), range(7)):
        parts, _, result = plain_account(add, taken, 0, row, column).partition(" = ")
        numbers = [float(part.strip("()").replace("−", "-")) for part in parts.split(" + ")]
        assert f"{sum(numbers):.4f}".replace("-", "−") == result
