"""Every layer's output is recorded as it was, of any network, and the network is left alone."""

import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from cnnlab.config import TrainConfig
from cnnlab.explain.activations import IMAGE, Layer, activations, strongest_channels, twin_of
from cnnlab.figures.channels import signed_colors, strip_figure
from cnnlab.models import MODELS, build, outline

SMALL = [name for name in MODELS if name != "vgg16"]


def network_of(name: str, channels: int = 1, size: int = 28) -> nn.Module:
    torch.manual_seed(0)
    return build(TrainConfig(model=name), channels, size, 10).eval()


def kinds(layers: list[Layer]) -> list[str]:
    return [layer.kind for layer in layers]


@pytest.mark.parametrize("name", SMALL)
def test_the_last_output_is_the_networks_own_answer(name: str) -> None:
    network, images = network_of(name), torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        assert activations(network, images)[-1].output.equal(network(images))


@pytest.mark.parametrize("name", SMALL)
def test_each_layer_gives_its_output_again_from_its_sources(name: str) -> None:
    """So nothing was recorded that a later in-place layer has changed."""
    images = torch.rand(2, 1, 28, 28)
    layers = activations(network_of(name), images)
    checked = 0
    for layer in layers:
        taken = [images if place == IMAGE else layers[place].output for place in layer.sources]
        if layer.module is not None:
            again = layer.module(taken[0].clone())
        else:
            plain = {"ReLU": lambda x: relu(x), "Add": lambda x, y: x + y, "Flatten": lambda x: x.flatten(1)}
            again = plain[layer.kind](*taken)
        torch.testing.assert_close(again, layer.output)
        checked += 1
    assert checked == len(layers) > 5


def test_a_sequential_network_gives_its_layers_in_order() -> None:
    layers = activations(network_of("cnn_5x5"), torch.rand(1, 1, 28, 28))
    assert kinds(layers) == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear"]
    assert [layer.sources for layer in layers] == [(place,) for place in range(-1, 7)]


def test_in_place_relu_leaves_what_came_before_it() -> None:
    images = torch.randn(1, 1, 8, 8)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    before, after, _ = activations(network, images)
    assert (before.output < 0).any() and after.output.equal(before.output.clamp(min=0))


@pytest.mark.parametrize(("name", "additions"), [("tiny_resnet", 2), ("resnet18", 8)])
def test_shortcuts_are_additions_of_two_layers(name: str, additions: int) -> None:
    images = torch.rand(1, 1, 28, 28)
    layers = activations(network_of(name), images)
    added = [layer for layer in layers if layer.kind == "Add"]
    assert len(added) == additions and all(len(layer.sources) == 2 for layer in added)
    assert len({layer.name for layer in layers}) == len(layers)
    norms = {layers[place].kind for layer in added for place in layer.sources}
    assert norms == {"BatchNorm2d", "ReLU"}  # the way through the block, and the shortcut


def test_plain_functions_are_recorded_also_those_of_an_unknown_kind() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Conv2d(1, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([torch.sigmoid(self.one(x)), x], dim=1)

    layers = activations(Odd(), torch.rand(1, 1, 4, 4))
    assert kinds(layers) == ["Conv2d", "sigmoid", "Concat"]
    assert layers[2].sources == (1, IMAGE) and layers[2].output.shape == (1, 3, 4, 4)


def test_the_network_is_left_as_it_was() -> None:
    network = network_of("tiny_resnet").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    activations(network, torch.rand(2, 1, 28, 28))
    assert network.training and all(m.training for m in network.modules())
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_twin_shares_the_weights() -> None:
    network = network_of("resnet18")
    shared = {p.data_ptr() for p in network.parameters()}
    assert {p.data_ptr() for p in twin_of(network).parameters()} == shared


def test_two_sessions_may_ask_the_same_network_at_once() -> None:
    network, images = network_of("tiny_resnet"), torch.rand(1, 1, 28, 28)
    alone = kinds(activations(network, images))
    heard: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: heard.extend(kinds(activations(network, images)) for _ in range(5)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [alone] * 15


def test_vgg16_is_recorded_without_its_weights() -> None:
    layers = activations(outline(TrainConfig(model="vgg16"), 3, 224, 1000), torch.empty(1, 3, 224, 224, device="meta"))
    assert kinds(layers).count("Conv2d") == 13 and layers[-1].output.shape == (1, 1000)
    assert all(layer.output.is_meta for layer in layers)


def test_strongest_channels_come_first() -> None:
    maps = torch.tensor([0.0, -3.0, 2.0]).view(3, 1, 1).expand(3, 4, 4)
    assert strongest_channels(maps) == [1, 2, 0]
    assert strongest_channels(torch.tensor([0.5, 0.1, -0.9])) == [2, 0, 1]


def test_colours_tell_sign_and_strength() -> None:
    dark, warm, cold, odd = signed_colors(np.array([0.0, 2.0, -2.0, np.nan]))
    assert dark.sum() < warm.sum() and dark.sum() < cold.sum()
    assert warm[0] > warm[2] and cold[2] > cold[0] and odd.tolist() == [128] * 3
    faint = signed_colors(np.array([2.0, 20.0]))[0]
    assert faint.sum() < warm.sum()


def test_a_strip_shows_each_channel_with_its_caption() -> None:
    figure = strip_figure(
        np.random.default_rng(0).normal(size=(5, 7, 7)), ["a", "b", "c", "d", "e"], columns=3, cell=40
    )
    assert list(figure.data[1].text) == ["a", "b", "c", "d", "e"]
    assert figure.data[0].z.shape[2] == 4 if figure.data[0].z is not None else figure.data[0].source
    assert len(strip_figure(np.array([0.1, -0.4]), ["0", "1"]).data[1].text) == 2
