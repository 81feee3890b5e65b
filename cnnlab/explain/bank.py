"""A bank of filters as a convolution layer has them: outputs before ReLU, after it and after pooling, with shapes.

>>> from cnnlab.explain.presets import FOUR, make_preset
>>> layer = run_layer(np.zeros((1, 28, 28), np.uint8), bank_of([make_preset(name) for name in FOUR]), Pooling())
>>> layer.shapes
((1, 1, 28, 28), (1, 4, 25, 25), (1, 4, 25, 25), (1, 4, 12, 12))
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from cnnlab.checkpoints import CheckpointError, load_trained
from cnnlab.explain.convolution import Maps, Picture, SettingsError, planes
from cnnlab.explain.kernels import Kernel, resized
from cnnlab.runs import Run

LARGEST_POOL = 64  # pixels


@dataclass(frozen=True)
class Bank:
    """The filters of a layer: ``weights`` float64 [F, C, K, K], ``bias`` [F] if any, and how pixels are scaled first.

    Attributes:
        names: one for each filter.
        stride, padding: of the convolution, in pixels.
        mean, std: of each channel in [0, 1], length C: pixels become (value − mean) / std.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64] | None
    names: tuple[str, ...]
    stride: int = 1
    padding: int = 0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @property
    def parameters(self) -> int:
        """How many numbers the layer holds: weights and biases."""
        return self.weights.size + (0 if self.bias is None else self.bias.size)

    def only(self, places: Sequence[int]) -> "Bank":
        """The filters at ``places`` alone."""
        chosen = list(places)
        bias = None if self.bias is None else self.bias[chosen]
        return replace(self, weights=self.weights[chosen], bias=bias, names=tuple(self.names[i] for i in chosen))


@dataclass(frozen=True)
class Pooling:
    """Each window of ``size``×``size`` becomes its largest value or its mean; windows start ``stride`` pixels apart."""

    kind: Literal["max", "avg"] = "max"
    size: int = 2
    stride: int = 2


@dataclass(frozen=True)
class Layer:
    """What a layer makes of one picture, each float64 [F, H, W], and all shapes as (N, C, H, W)."""

    sums: Maps
    rectified: Maps
    pooled: Maps
    shapes: tuple[tuple[int, ...], ...]

    def only(self, places: Sequence[int]) -> "Layer":
        """The outputs of the filters at ``places`` alone, with the shapes of the whole layer."""
        chosen = list(places)
        return Layer(self.sums[chosen], self.rectified[chosen], self.pooled[chosen], self.shapes)


def bank_of(kernels: Sequence[Kernel], channels: int = 1) -> Bank:
    """A bank of ``kernels``, the smaller ones with zeros around them so that all have one size; no bias.

    Raises SettingsError if there are none, or one is for more channels.
    """
    if not kernels:
        raise SettingsError("A layer needs at least one filter: choose some.")
    size = max(kernel.size for kernel in kernels)
    weights = np.stack([planes(resized(kernel, size), channels) for kernel in kernels])
    names = tuple(kernel.name for kernel in kernels)
    return Bank(weights, None, names, mean=(0.0,) * channels, std=(1.0,) * channels)


def first_layer(run: Run) -> Bank:
    """The first convolution that ``run`` has learnt; raises RunError without weights, CheckpointError if it has none,
    or cannot be read."""
    _, saved = load_trained(run)
    first = next((part for part in saved.network().modules() if isinstance(part, nn.Conv2d)), None)
    if first is None:
        raise CheckpointError(f"The network {saved.config.model} of {run.name} has no convolution: choose another run.")
    weights = first.weight.detach().double().numpy().copy()
    bias = first.bias.detach().double().numpy().copy() if first.bias is not None else None
    names = tuple(f"Filter {channel + 1} (channel {channel})" for channel in range(len(weights)))  # as in its output
    mean, std = saved.scaling.mean, saved.scaling.std
    return Bank(weights, bias, names, int(first.stride[0]), int(first.padding[0]), tuple(mean), tuple(std))


@torch.inference_mode()
def run_layer(picture: Picture, bank: Bank, pooling: Pooling) -> Layer:
    """Convolution, ReLU and pooling of ``picture`` (uint8 [C, H, W]); raises SettingsError where they do not fit."""
    _check(picture, bank, pooling)
    mean, std = (np.array(values)[:, None, None] for values in (bank.mean, bank.std))
    x = torch.from_numpy((picture / 255.0 - mean) / std)[None]
    bias = None if bank.bias is None else torch.from_numpy(bank.bias)
    sums = functional.conv2d(x, torch.from_numpy(bank.weights), bias, bank.stride, bank.padding)
    rectified = functional.relu(sums)
    pool = functional.max_pool2d if pooling.kind == "max" else functional.avg_pool2d
    pooled = pool(rectified, pooling.size, pooling.stride)
    shapes = tuple(tuple(t.shape) for t in (x, sums, rectified, pooled))
    return Layer(sums[0].numpy(), rectified[0].numpy(), pooled[0].numpy(), shapes)


def _check(picture: Picture, bank: Bank, pooling: Pooling) -> None:
    for what, value in (("window", pooling.size), ("stride", pooling.stride)):
        if not 1 <= value <= LARGEST_POOL:
            raise SettingsError(f"A pooling {what} of {value} is not allowed: give 1 to {LARGEST_POOL}.")
    channels, size = bank.weights.shape[1], bank.weights.shape[-1]
    if picture.shape[0] != channels:
        raise SettingsError(f"These filters are made for {channels} channels, and the picture has {picture.shape[0]}.")
    shortest = min(picture.shape[1:])
    padded = shortest + 2 * bank.padding
    if size > padded:
        raise SettingsError(
            f"The filters have {size}×{size} weights, and the picture with its padding has {padded} pixels "
            "on its shorter side: choose a larger picture or more padding."
        )
    left = (padded - size) // bank.stride + 1
    if pooling.size > left:
        raise SettingsError(
            f"A pooling window of {pooling.size}×{pooling.size} is larger than the {left} pixels that the convolution "
            "leaves: choose a smaller window or a larger picture."
        )


def similarity(kernel: Kernel, bank: Bank) -> NDArray[np.float64]:
    """The cosine between ``kernel`` and each filter, float64 [F], −1 to 1; 0 where one of them is all zeros.

    The smaller of the two gets zeros around it, and a kernel for all channels counts in each.
    """
    size = max(kernel.size, bank.weights.shape[-1])
    filters = resized(Kernel(bank.weights.reshape(-1, *bank.weights.shape[2:])), size).weights
    filters = filters.reshape(len(bank.weights), -1)
    shape = (bank.weights.shape[1], size, size)
    own = resized(kernel, size).weights
    own = np.broadcast_to(own if len(own) == 1 or shape[0] == 3 else own.mean(0, keepdims=True), shape).ravel()
    lengths = np.linalg.norm(filters, axis=1) * np.linalg.norm(own)
    cosines: NDArray[np.float64] = filters @ own / np.where(lengths > 0, lengths, np.inf)
    return cosines
