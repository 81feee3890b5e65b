"""Attributions: as captum's, as known for networks made by hand, for every network here, and disturbing nothing."""

import copy
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion
from torch import nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.explain.attributions import (
    METHODS,
    AttributionError,
    grad_cam,
    integrated_gradients,
    last_convolution,
    methods_for,
    occlusion,
)
from cnnlab.loader import Scaling

PLAIN = Scaling((0.0,), (1.0,))
HALF = Scaling((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return models.build(TrainConfig(model="simple_cnn"), 1, 28, 10).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def quarters() -> nn.Module:
    """Class 0 is brightness in the upper left quarter minus that in the lower right; class 1 the negative of that."""
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    linear = nn.Linear(64, 2, bias=False)
    place = torch.zeros(8, 8)
    place[:4, :4], place[4:, 4:] = 1.0, -1.0
    with torch.no_grad():
        convolution.weight.fill_(1.0)
        linear.weight.copy_(torch.stack([place.flatten(), -place.flatten()]))
    return nn.Sequential(convolution, nn.Flatten(), linear)


def every_network() -> Iterator[tuple[str, nn.Module]]:
    for name in models.MODELS.names():
        torch.manual_seed(0)
        yield name, models.build(TrainConfig(model=name), 3, 32, 10).eval()


LABELS = [3, 5, 7]


def each(method: Callable[..., np.ndarray], network: nn.Module, images: torch.Tensor, scaling: Scaling, **more: int):
    """What ``method`` says of each of ``images`` and its label, float32 [N, H, W]."""
    return np.stack([method(network, image, scaling, c, **more) for image, c in zip(images, LABELS, strict=False)])


def test_grad_cam_is_captum_s_enlarged_and_scaled(network: nn.Module, images: torch.Tensor):
    found = each(grad_cam, network, images, PLAIN)
    relu = network[4]
    raw = LayerGradCam(copy.deepcopy(network), relu)
    raw.layer = raw.forward_func[4]
    maps = raw.attribute(PLAIN(images).requires_grad_(), torch.tensor(LABELS), relu_attributions=True)
    large = LayerAttribution.interpolate(maps, (28, 28), "bilinear")[:, 0].detach()
    wanted = large / large.amax((1, 2), keepdim=True).clamp_min(1e-30)
    assert found == pytest.approx(wanted.numpy(), abs=1e-6)
    assert found.dtype == np.float32 and found.min() >= 0 and sorted(found.max((1, 2)).tolist()) == [0, 1, 1]


def test_integrated_gradients_and_occlusion_are_captum_s(network: nn.Module, images: torch.Tensor):
    scaling = Scaling((0.5,), (0.5,))
    inputs, black = scaling(images).requires_grad_(), scaling(torch.zeros_like(images))
    labels = torch.tensor(LABELS)
    wanted = IntegratedGradients(network).attribute(inputs, black, labels, n_steps=50).sum(1)
    assert each(integrated_gradients, network, images, scaling) == pytest.approx(wanted.detach().numpy(), abs=1e-5)
    wanted = Occlusion(network).attribute(inputs, (1, 7, 7), (1, 2, 2), black, labels)[:, 0].detach()
    assert each(occlusion, network, images, scaling) == pytest.approx(wanted.detach().numpy(), abs=1e-5)


def test_a_square_covers_all_colours_as_captum_s():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10), nn.Tanh())
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    inputs, black = HALF(images), HALF(torch.zeros_like(images))
    wanted = Occlusion(network).attribute(inputs, (3, 2, 2), (3, 1, 1), black, torch.tensor([3, 5]))[:, 0].detach()
    assert each(occlusion, network, images, HALF) == pytest.approx(wanted.numpy(), abs=1e-5)


def test_a_known_network_is_explained_pixel_by_pixel(quarters: nn.Module):
    white = torch.full((1, 8, 8), 255, dtype=torch.uint8)
    exact = quarters[2].weight[0].reshape(8, 8).detach().numpy()
    assert integrated_gradients(quarters, white, PLAIN, 0) == pytest.approx(exact, abs=1e-5)
    assert integrated_gradients(quarters, white, PLAIN, 1) == pytest.approx(-exact, abs=1e-5)
    assert occlusion(quarters, white, PLAIN, 0, window=1) == pytest.approx(exact, abs=1e-5)


def test_grad_cam_of_a_known_network_is_its_one_map(quarters: nn.Module):
    """The linear layer sees the middle, more for than against: the map is the convolution's picture."""
    with torch.no_grad():
        quarters[2].weight[0] += 0.5
    picture = torch.zeros(1, 8, 8, dtype=torch.uint8)
    picture[0, 2, 5], picture[0, 6, 1] = 255, 51
    assert grad_cam(quarters, picture, PLAIN, 0) == pytest.approx(picture[0].numpy() / 255, abs=1e-6)
    with torch.no_grad():
        quarters[2].weight[1] -= 0.5  # all speaks against class 1
    assert (grad_cam(quarters, picture, PLAIN, 1) == 0).all()


def test_integrated_gradients_add_up_to_the_logit_s_difference(network: nn.Module, images: torch.Tensor):
    with torch.no_grad():
        logits = network(PLAIN(images)) - network(PLAIN(torch.zeros_like(images)))
    sums = each(integrated_gradients, network, images, PLAIN, steps=200).sum((1, 2))
    assert sums == pytest.approx(logits[range(3), LABELS].numpy(), abs=0.01)


@pytest.mark.parametrize("name", models.MODELS.names())
def test_every_network_is_explained_and_left_as_it_was(name: str):
    network = models.build(TrainConfig(model=name), 3, 32, 10).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    image = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    for method in methods_for(network).values():
        found = method.explain(network, image, HALF, 1)
        assert found.shape == (32, 32) and found.dtype == np.float32 and np.isfinite(found).all()
        assert method.signed or (found.min() >= 0 and found.max() <= 1)
    assert all((value == before[key]).all() for key, value in network.state_dict().items())
    assert network.training and all(p.requires_grad and p.grad is None for p in network.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())
    assert all(part.inplace for part in network.modules() if name == "resnet18" and isinstance(part, nn.ReLU))


def test_the_last_convolution_comes_with_its_activation_or_its_residual_block():
    found = {name: type(last_convolution(network)).__name__ for name, network in every_network()}
    assert found["simple_cnn"] == found["vgg16"] == "ReLU"
    assert found["conv_module"] == "Conv2d"  # pooled before ReLU
    assert (found["tiny_resnet"], found["resnet18"]) == ("ResidualBlock", "BasicBlock")
    assert found["mlp"] == "NoneType"


def test_a_network_without_convolution_offers_the_other_methods(images: torch.Tensor):
    perceptron = models.build(TrainConfig(model="mlp"), 1, 28, 10)
    assert list(methods_for(perceptron)) == ["integrated_gradients", "occlusion"]
    with pytest.raises(AttributionError, match="has none: take integrated gradients or occlusion"):
        grad_cam(perceptron, images[0], PLAIN, 0)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", METHODS)
def test_the_caller_s_gradient_mode_does_not_matter(name: str, mode: type, network: nn.Module, images: torch.Tensor):
    wanted = METHODS[name].explain(network, images[0], PLAIN, 4)
    with mode():
        made_there = copy.deepcopy(network)
        for part in (network, made_there):
            assert METHODS[name].explain(part, images[0].clone(), PLAIN, 4) == pytest.approx(wanted, abs=1e-6)
    assert METHODS[name].explain(made_there, images[0], PLAIN, 4) == pytest.approx(wanted, abs=1e-6)


def test_threads_that_share_a_network_do_not_meet(network: nn.Module, images: torch.Tensor):
    wanted = {label: grad_cam(network, images[0], PLAIN, label) for label in range(4)}
    found: dict[int, list[np.ndarray]] = {label: [] for label in wanted}

    def work(label: int) -> None:
        found[label] = [grad_cam(network, images[0], PLAIN, label) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(label,)) for label in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(maps == pytest.approx(wanted[label], abs=1e-6) for label in wanted for maps in found[label])
    assert all(len(maps) == 5 for maps in found.values())
