"""Convolution layers stacked: the shape and the parameters that each adds, by arithmetic alone.

>>> [(s.channels, s.height, s.parameters) for s in stack((3, 32, 32), [LayerSpec(6, 5), LayerSpec(10, 5)])]
[(6, 28, 456), (10, 24, 1510)]
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.explain.convolution import SettingsError

MOST_FILTERS = 4096


@dataclass(frozen=True)
class LayerSpec:
    """A convolution layer of ``filters`` kernels of ``size``×``size``."""

    filters: int
    size: int
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class Stage:
    """What leaves a layer, and how many numbers it learns; ``depth`` is the number of channels of each kernel."""

    channels: int
    height: int
    width: int
    depth: int
    parameters: int


def stack(shape: tuple[int, int, int], layers: Sequence[LayerSpec]) -> list[Stage]:
    """The stages after each of ``layers`` for an input of ``shape`` (C, H, W).

    A kernel has the depth of its input; a layer holds filters · (size² · depth + 1) numbers, the 1 being the bias.
    Raises SettingsError where a layer does not fit.
    """
    channels, height, width = shape
    stages = []
    for number, layer in enumerate(layers, 1):
        if not 1 <= layer.filters <= MOST_FILTERS or layer.size < 1 or layer.stride < 1 or layer.padding < 0:
            raise SettingsError(
                f"Layer {number} cannot be: give 1 to {MOST_FILTERS} filters, a size and a stride from 1 on, and a "
                "padding from 0 on."
            )
        sides = [(n + 2 * layer.padding - layer.size) // layer.stride + 1 for n in (height, width)]
        if min(sides) < 1:
            raise SettingsError(
                f"Layer {number} has kernels of {layer.size}×{layer.size}, and {height}×{width} pixels with a padding "
                f"of {layer.padding} are left for it: make it smaller, or add padding."
            )
        parameters = layer.filters * (layer.size**2 * channels + 1)
        stages.append(Stage(layer.filters, sides[0], sides[1], channels, parameters))
        channels, (height, width) = layer.filters, sides
    return stages
