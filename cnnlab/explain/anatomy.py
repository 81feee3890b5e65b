"""A network taken apart: every layer with its shapes, weights, work, memory and receptive field.

>>> from cnnlab.config import TrainConfig
>>> from cnnlab.models import outline
>>> parts = anatomy(outline(TrainConfig(model="simple_cnn"), 1, 28, 10), (1, 28, 28))
>>> parts[0].output, parts[0].parameters, parts[0].field.size
((1, 16, 28, 28), 160, 3)

The network is run, and what it did is written down; on the meta device even VGG-16 takes no memory.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cnnlab.explain import formulas
from cnnlab.explain.activations import IMAGE, Layer, activations
from cnnlab.explain.formulas import Formula
from cnnlab.explain.receptive import Field, Window, window_of
from cnnlab.models import layer_multiply_adds

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A layer of the network as it ran.

    Attributes:
        index: its place in the list.
        name, kind, module, sources: as in :class:`~cnnlab.explain.activations.Layer`.
        settings: in short, such as ``16 kernels 5×5, padding 2``.
        input, output: shapes with the batch in front, (N, C, H, W) or (N, features).
        parameters: numbers that it learns.
        multiply_adds: for one image.
        activation_bytes: of its output for the whole batch, in float32.
        field: the receptive field of its values; None once every value may see the whole image.
        field_before, window: what the receptive field was made of.
        shortcut: whether it lies on a way around a residual block.
    """

    index: int
    name: str
    kind: str
    module: nn.Module | None
    sources: tuple[int, ...]
    settings: str
    input: Shape
    output: Shape
    parameters: int
    multiply_adds: int
    activation_bytes: int
    field: Field | None
    field_before: Field | None
    window: Window | None
    shortcut: bool

    @property
    def formulas(self) -> list[Formula]:
        """Every number of this layer that is not 0 or simply set, as a formula, its numbers put in."""
        return [*_size_formulas(self), *_cost_formulas(self), *_field_formulas(self)]


def anatomy(network: nn.Module, image: tuple[int, int, int], batch: int = 1) -> list[Part]:
    """The layers of ``network`` in the order in which they run, for ``batch`` images of ``image`` (C, H, W)."""
    device = next(network.parameters()).device
    layers = activations(network, torch.empty(batch, *image, device=device))
    aside = _shortcuts(layers)
    parts: list[Part] = []
    for index, layer in enumerate(layers):
        taken = [Field() if s == IMAGE else parts[s].field for s in layer.sources]
        shape = (batch, *image) if layer.sources[0] == IMAGE else parts[layer.sources[0]].output
        parts.append(_part(index, layer, shape, _joined(taken), index in aside))
    return parts


def _part(index: int, layer: Layer, shape: Shape, before: Field | None, shortcut: bool) -> Part:
    output = tuple(layer.output.shape)
    window = window_of(layer, shape[-1])
    after = before
    if before and isinstance(layer.module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        after = before.pooled(shape[-1], output[-1])
    elif before and window:
        after = before.through(window.kernel, window.stride, window.padding)
    if isinstance(layer.module, nn.Linear):
        after = None
    return Part(
        index=index,
        name=layer.name,
        kind=layer.kind,
        module=layer.module,
        sources=layer.sources,
        settings=settings_of(layer.module),
        input=shape,
        output=output,
        parameters=sum(p.numel() for p in layer.module.parameters()) if layer.module else 0,
        multiply_adds=layer_multiply_adds(layer.module, layer.output),
        activation_bytes=layer.output.numel() * layer.output.element_size(),
        field=after,
        field_before=before,
        window=window,
        shortcut=shortcut,
    )


def settings_of(module: nn.Module | None) -> str:
    """A layer's settings in short; empty where it has none."""
    match module:
        case nn.Conv2d():
            text = f"{module.out_channels} kernels {module.kernel_size[0]}×{module.kernel_size[1]}×{module.in_channels}"
            text += f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
            text += f", padding {module.padding[0]}" if module.padding[0] else ""
            return text + ("" if module.bias is not None else ", no bias")
        case nn.MaxPool2d() | nn.AvgPool2d():
            text = f"{module.kernel_size}×{module.kernel_size}, stride {module.stride}"
            return text + (f", padding {module.padding}" if module.padding else "")
        case nn.AdaptiveAvgPool2d() | nn.AdaptiveMaxPool2d():
            size: Any = module.output_size
            return "to {0}×{0}".format(size if isinstance(size, int) else size[0])
        case nn.Linear():
            return f"{module.in_features:,} → {module.out_features:,}"
        case nn.Dropout():
            return f"share {module.p:g}"
        case nn.BatchNorm2d():
            return f"{module.num_features} channels"
        case nn.ZeroPad2d():
            return f"{module.padding[0]} and {module.padding[1]} pixels"
    return ""


def _joined(fields: list[Field | None]) -> Field | None:
    known = [field for field in fields if field is not None]
    if len(known) < len(fields):
        return None
    first, *others = known
    for other in others:
        first = first.joined(other)
    return first


def _shortcuts(layers: list[Layer]) -> set[int]:
    """The layers that lie only on the shorter of the two ways into an addition."""
    aside: set[int] = set()
    for layer in layers:
        if layer.kind == "Add" and len(layer.sources) == 2:
            ways = [_way_back(layers, source) for source in layer.sources]
            long, short = sorted(ways, key=len, reverse=True)
            aside |= {place for place in short if place not in long} if len(short) < len(long) else set()
    return aside


def _way_back(layers: list[Layer], place: int) -> list[int]:
    """All layers from ``place`` back to the image, by first sources."""
    way = []
    while place != IMAGE:
        way.append(place)
        place = layers[place].sources[0]
    return way


def _size_formulas(part: Part) -> list[Formula]:
    if part.kind == "Flatten":
        return [formulas.flat_size(part.input[1:])]
    if len(part.output) == 2:
        return []  # as many as it is set to, or as come in
    return [_side(part, "height", 2), _side(part, "width", 3)]


def _side(part: Part, side: str, axis: int) -> Formula:
    before, after, module = part.input[axis], part.output[axis], part.module
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return formulas.adaptive_size(after, side)
    if isinstance(module, nn.ZeroPad2d):
        first = 2 if axis == 2 else 0  # (left, right, top, bottom)
        return formulas.padded_size(before, module.padding[first], module.padding[first + 1], side)
    if part.window:
        return formulas.output_size(before, part.window.kernel, part.window.padding, part.window.stride, side)
    return formulas.same_size(before, side)


def _cost_formulas(part: Part) -> list[Formula]:
    module, memory = part.module, formulas.activation_bytes(part.output)
    if isinstance(module, nn.Conv2d):
        kernel = (module.kernel_size[0], module.kernel_size[1])
        count, depth = module.out_channels, module.in_channels // module.groups
        return [
            formulas.conv_parameters(count, kernel, module.in_channels, module.bias is not None, module.groups),
            formulas.conv_multiply_adds(part.output[2], part.output[3], count, kernel, depth),
            memory,
        ]
    if isinstance(module, nn.Linear):
        return [
            formulas.linear_parameters(module.in_features, module.out_features, module.bias is not None),
            formulas.linear_multiply_adds(module.in_features, module.out_features),
            memory,
        ]
    if isinstance(module, nn.BatchNorm2d):
        return [formulas.norm_parameters(part.input[1]), memory]
    return [memory]


def _field_formulas(part: Part) -> list[Formula]:
    if not (part.field and part.field_before and part.window) or isinstance(part.module, nn.ZeroPad2d):
        return []
    before, window = part.field_before, part.window
    return [
        formulas.receptive_field(before.size, window.kernel, before.stride),
        formulas.stride_so_far(before.stride, window.stride),
    ]
