"""The registry of networks, and how one is registered."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from cnnlab.config import TrainConfig
from cnnlab.registry import Registry

Shape = tuple[int, int, int]
"""(in_channels, image_size, num_classes)."""

Builder = Callable[[TrainConfig, int, int, int], nn.Module]
"""(config, in_channels, image_size, num_classes) -> network of [B, C, H, W] -> [B, num_classes]."""


class ModelError(ValueError):
    """A network that cannot be built for these images; the message says where and why."""


DROPOUT = {"mlp": 0.2, "cifar_cnn": 0.2, "vgg16": 0.5}
"""Network -> its own dropout, as published; the others have none of their own."""


@dataclass(frozen=True)
class ModelInfo:
    """A network's title, what a user wants to know, and its builder."""

    title: str
    summary: str
    build: Builder


MODELS: Registry[ModelInfo] = Registry("network")


def model(title: str, summary: str) -> Callable[[Builder], Builder]:
    """Register the decorated builder under its function's name."""

    def register(build: Builder) -> Builder:
        MODELS.add(build.__name__, ModelInfo(title, summary, build))
        return build

    return register


def dropout_of(config: TrainConfig) -> float:
    """The dropout of the network of ``config``, as set or by its own default: a share in [0, 1)."""
    return DROPOUT.get(config.model, 0.0) if config.dropout is None else config.dropout


def halved(image_size: int, times: int) -> int:
    """What ``times`` poolings of 2 leave of ``image_size`` pixels; raises ModelError where nothing is left."""
    left: int = image_size >> times
    if left < 1:
        raise ModelError(
            f"Images of {image_size}×{image_size} vanish after {times} poolings of 2: "
            f"this network needs at least {1 << times}×{1 << times} pixels."
        )
    return left


def normed(in_channels: int, channels: int, pool: bool = True) -> list[nn.Module]:
    """A 3×3 convolution, batch norm and ReLU; pooled right after the convolution, so that these have less to do."""
    return [
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
        *([nn.MaxPool2d(2)] if pool else []),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]
