"""How one value of a layer's output came about: every product of its sum, and what it saw of the image.

>>> import torch
>>> from cnnlab.explain.activations import activations
>>> layers = activations(nn.Sequential(nn.Conv2d(1, 2, 3)), image := torch.rand(1, 1, 8, 8))
>>> sum_ = products(layers[0], image[0], channel=1, row=2, column=3)
>>> tuple(sum_.products.shape), abs(sum_.total - layers[0].output[0, 1, 2, 3].item()) < 1e-6
((1, 3, 3), True)
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import pad

from cnnlab.explain.activations import Layer
from cnnlab.explain.numbers import inside, shown
from cnnlab.explain.receptive import adaptive_span, window_of


@dataclass(frozen=True)
class Products:
    """A convolution's value as its sum: ``patch``, ``kernel`` and ``products`` float64 [C, F, F], and the bias, if any.

    ``total`` is the sum of all products and the bias, in double precision; ``value`` what torch gave.
    """

    patch: Tensor
    kernel: Tensor
    products: Tensor
    bias: float | None
    total: float
    value: float

    @property
    def by_channel(self) -> Tensor:
        """What each input channel adds: float64 [C]."""
        return self.products.sum((1, 2))


@dataclass(frozen=True)
class Contributions:
    """A linear layer's value: what each input adds (float64 [inputs]), and the bias."""

    inputs: Tensor
    weights: Tensor
    products: Tensor
    bias: float
    total: float
    value: float

    def largest(self, count: int = 10) -> list[int]:
        """The inputs that add or take most."""
        return self.products.abs().argsort(descending=True, stable=True)[:count].tolist()


def products(layer: Layer, taken: Tensor, channel: int, row: int, column: int) -> Products:
    """The sum behind ``output[0, channel, row, column]`` of a convolution that took in ``taken`` ([C, H, W])."""
    module = layer.module
    assert isinstance(module, nn.Conv2d) and module.groups == 1
    window = window_of(layer, taken.shape[-1])
    assert window is not None
    padded = pad(taken.double(), (window.padding,) * 4)
    top, left = row * window.stride, column * window.stride
    patch = padded[:, top : top + window.kernel, left : left + window.kernel]
    kernel = module.weight.detach()[channel].double()
    bias = float(module.bias.detach()[channel]) if module.bias is not None else None
    terms = patch * kernel
    value = float(layer.output[0, channel, row, column])
    return Products(patch, kernel, terms, bias, float(terms.sum()) + (bias or 0.0), value)


def contributions(layer: Layer, taken: Tensor, feature: int) -> Contributions:
    """The sum behind ``output[0, feature]`` of a linear layer that took in ``taken`` ([inputs])."""
    assert isinstance(layer.module, nn.Linear)
    weights = layer.module.weight.detach()[feature].double()
    terms = taken.double() * weights
    bias = float(layer.module.bias.detach()[feature]) if layer.module.bias is not None else 0.0
    value = float(layer.output[0, feature])
    return Contributions(taken.double(), weights, terms, bias, float(terms.sum()) + bias, value)


def plain_account(layer: Layer, taken: list[Tensor], channel: int, row: int, column: int) -> str:
    """A value of any other layer as a line of arithmetic; ``taken`` are its sources' outputs, [C, H, W] each."""
    module, value = layer.module, float(layer.output[0, channel, row, column])
    if (seen := _seen(layer, taken[0], channel, row, column)) is not None:
        largest = isinstance(module, nn.MaxPool2d | nn.AdaptiveMaxPool2d)
        name, write = ("max", number) if largest else ("mean", shown)
        return f"{name}({', '.join(map(write, seen.flatten().tolist()))}) = {number(value)}"
    if isinstance(module, nn.ZeroPad2d):
        return f"{number(value)}, moved or a 0 that was put around the picture"
    first, *others = (float(t[channel, row, column]) for t in taken)
    if layer.kind == "Add":
        return f"{' + '.join([shown(first), *map(inside, others)])} = {number(value)}"
    if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None:
        mean, var = float(module.running_mean[channel]), float(module.running_var[channel])
        gain, offset = float(module.weight.detach()[channel]), float(module.bias.detach()[channel])
        root = f"√({shown(var)} + {shown(module.eps)})"
        return f"({shown(first)} − {inside(mean)})/{root}·{inside(gain)} + {inside(offset)} = {number(value)}"
    if layer.kind == "ReLU":
        return f"max(0, {number(first)}) = {number(value)}"
    return f"{layer.kind}({shown(first)}) = {number(value)}"


def _seen(layer: Layer, taken: Tensor, channel: int, row: int, column: int) -> Tensor | None:
    """The values [F, F] that a pooling layer looked at; None for any other layer."""
    module, (height, width) = layer.module, taken.shape[-2:]
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        rows, columns = layer.output.shape[-2:]
        (top, bottom), (left, right) = adaptive_span(row, height, rows), adaptive_span(column, width, columns)
        return taken[channel, top:bottom, left:right]
    window = window_of(layer, width)
    if window is None or isinstance(module, nn.ZeroPad2d):
        return None
    padded = pad(taken, (window.padding,) * 4, value=_filling(module))
    top, left = row * window.stride, column * window.stride
    return padded[channel, top : top + window.kernel, left : left + window.kernel]


def _filling(module: nn.Module | None) -> float:
    """What padding counts as: nothing wins against it in a maximum."""
    return float("-inf") if isinstance(module, nn.MaxPool2d) else 0.0


def number(value: float) -> str:
    """``value`` as an account's result; its parts have more digits (see ``shown``), so that they add up to it."""
    return "padding" if value == float("-inf") else f"{value:.4f}".replace("-", "−")
