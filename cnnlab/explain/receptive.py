"""The receptive field: which pixels of the image a value of a feature map sees.

>>> Field().through(kernel=3, stride=1, padding=1).through(kernel=2, stride=2, padding=0)
Field(size=4, stride=2, start=-1)
>>> Field(size=4, stride=2, start=-1).span(0)
(-1, 3)

Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill, 2019.
"""

from dataclasses import dataclass, field, replace

from torch import nn

from cnnlab.explain.activations import Layer


@dataclass(frozen=True)
class Field:
    """In pixels of the image: how wide a value's view is, how far neighbours lie apart, where the first one begins.

    After adaptive pooling, whose windows lie unevenly, ``spans`` has what each value of a row sees, and ``size`` is the
    widest.
    """

    size: int = 1
    stride: int = 1
    start: int = 0
    spans: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def through(self, kernel: int, stride: int, padding: int) -> "Field":
        """The field after a further layer with such a window."""
        start = self.start - padding * self.stride
        return Field(self.size + (kernel - 1) * self.stride, self.stride * stride, start)

    def pooled(self, before: int, after: int) -> "Field":
        """The field after adaptive pooling of ``before`` values in a row to ``after``."""
        windows = [adaptive_span(place, before, after) for place in range(after)]
        spans = tuple((self.span(first)[0], self.span(end - 1)[1]) for first, end in windows)
        return replace(self.through(widest(before, after), before // after, 0), spans=spans)

    def span(self, place: int) -> tuple[int, int]:
        """The first pixel, and the one after the last, that the value at ``place`` (from 0 on) of a row sees.

        They may lie outside the image: there it sees padding.
        """
        if self.spans:
            return self.spans[place]
        first = self.start + place * self.stride
        return first, first + self.size

    def joined(self, other: "Field") -> "Field":
        """The field of a sum: all that either sees."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(end - start, max(self.stride, other.stride), start)


@dataclass(frozen=True)
class Window:
    """What a layer looks at to give one value, in its input's pixels."""

    kernel: int
    stride: int
    padding: int


def adaptive_span(place: int, before: int, after: int) -> tuple[int, int]:
    """The first value, and the one after the last, that adaptive pooling of ``before`` values in a row to ``after``
    takes for ``place``: from ⌊iH/O⌋ up to ⌈(i+1)H/O⌉, as PyTorch does.
    """
    return place * before // after, -(-(place + 1) * before // after)


def widest(before: int, after: int) -> int:
    """How many values in a row the widest window of adaptive pooling of ``before`` values to ``after`` takes."""
    return max(end - first for first, end in (adaptive_span(place, before, after) for place in range(after)))


def window_of(layer: Layer, input_side: int) -> Window | None:
    """The window of a layer that looks at neighbours; None for one that answers each place by itself.

    For adaptive pooling of a size that does not divide the input's it is the largest that occurs.
    """
    module = layer.module
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return Window(_one(module.kernel_size), _one(module.stride), _one(module.padding))
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        after = layer.output.shape[-1]
        return Window(widest(input_side, after), input_side // after, 0)
    if isinstance(module, nn.ZeroPad2d):
        return Window(1, 1, module.padding[0])
    return None


def _one(sizes: int | str | tuple[int, ...]) -> int:
    """One side of a square window; all networks here have such."""
    assert not isinstance(sizes, str)
    return sizes if isinstance(sizes, int) else sizes[0]
