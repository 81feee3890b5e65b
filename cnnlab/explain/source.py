"""A network as plain PyTorch source, built from its layers.

>>> from cnnlab.config import TrainConfig
>>> print(network_source(TrainConfig(model="mlp", dropout=0.0), (1, 8, 2)).splitlines()[1].strip())
nn.Flatten(),  # 64
"""

import inspect
from typing import Any

from torch import nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.explain.anatomy import anatomy
from cnnlab.explain.drawing import size_text
from cnnlab.models import Shape, dropout_of
from cnnlab.models.classics import SMALL, VGG_LEAST
from cnnlab.models.residual import ResidualBlock

BEGINS_A_LINE = (nn.Conv2d, nn.Linear, nn.Flatten, ResidualBlock)
WIDEST = 100  # characters of a line of layers


def network_source(config: TrainConfig, shape: Shape) -> str:
    """``model = …`` for images of ``shape`` (in_channels, image_size, num_classes); torch and nn are in reach.

    Run after ``torch.manual_seed(seed)`` it draws the very weights of :func:`cnnlab.models.build`.
    """
    if config.model == "vgg16":
        return _vgg16(config, *shape)
    if config.model == "resnet18":
        return _resnet18(*shape)
    network = models.outline(config, *shape)
    assert isinstance(network, nn.Sequential)
    image = (shape[0], shape[1], shape[1])
    sizes = {part.name: size_text(part.output[1:]) for part in anatomy(network, image)}
    lines: list[tuple[str, str]] = []  # layers with the activation, pooling … after them, and what leaves the last
    for name, layer in network.named_children():
        size = sizes.get(name) or sizes.get(f"{name}.relu (2)", "")
        call = f"{layer_source(layer)},"
        if lines and not isinstance(layer, BEGINS_A_LINE) and len(lines[-1][0]) + len(call) < WIDEST:
            call = f"{lines.pop()[0]} {call}"
        lines.append((call, size))
    return "model = nn.Sequential(\n" + "".join(f"    {calls}  # {size}\n" for calls, size in lines) + ")"


def helper_source(network: str) -> str:
    """The classes that a network's source needs beside torch's own; empty for most."""
    if "ResidualBlock(" not in network:
        return ""
    head, _, rest = inspect.getsource(ResidualBlock).split('"""')
    return f'{head}"""Two 3×3 convolutions whose result is added to the input."""{rest}'


def layer_source(layer: nn.Module) -> str:
    """One layer as the call that makes it, settings that are torch's defaults left out."""
    match layer:
        case nn.Conv2d():
            settings = {"stride": layer.stride[0], "padding": _first(layer.padding), "bias": layer.bias is not None}
            return _call(layer, layer.in_channels, layer.out_channels, layer.kernel_size[0], **settings)
        case nn.Linear():
            return _call(layer, layer.in_features, layer.out_features)
        case nn.BatchNorm2d():
            return _call(layer, layer.num_features)
        case nn.MaxPool2d() | nn.AvgPool2d():
            return _call(layer, layer.kernel_size)
        case nn.AdaptiveAvgPool2d() | nn.AdaptiveMaxPool2d():
            return _call(layer, layer.output_size)
        case nn.Dropout():
            return _call(layer, layer.p)
        case ResidualBlock():
            return _call(layer, layer.conv1.in_channels)
    return _call(layer)


DEFAULTS: dict[str, Any] = {"stride": 1, "padding": 0, "bias": True}


def _call(layer: nn.Module, *values: Any, **settings: Any) -> str:
    told = [str(value) for value in values]
    told += [f"{name}={value}" for name, value in settings.items() if value != DEFAULTS[name]]
    home = "" if isinstance(layer, ResidualBlock) else "nn."
    return f"{home}{type(layer).__name__}({', '.join(told)})"


def _first(sizes: Any) -> Any:
    return sizes[0] if isinstance(sizes, tuple) else sizes


def _vgg16(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> str:
    lines = [f"model = torchvision.models.vgg16(num_classes={num_classes}, dropout={dropout_of(config)})"]
    if in_channels != 3:
        lines.append(f"model.features[0] = nn.Conv2d({in_channels}, 64, 3, padding=1)")
    if image_size < VGG_LEAST:
        before = (VGG_LEAST - image_size) // 2
        after = VGG_LEAST - image_size - before
        lines.append(f"model.features.insert(0, nn.ZeroPad2d(({before}, {after}, {before}, {after})))  # to 32×32")
    return "\n".join(lines)


def _resnet18(in_channels: int, image_size: int, num_classes: int) -> str:
    lines = [f"model = torchvision.models.resnet18(num_classes={num_classes})"]
    if image_size <= SMALL:  # the paper's stem for small images
        lines.append(f"model.conv1 = nn.Conv2d({in_channels}, 64, 3, padding=1, bias=False)")
        lines.append("model.maxpool = nn.Identity()")
    elif in_channels != 3:
        lines.append(f"model.conv1 = nn.Conv2d({in_channels}, 64, 7, stride=2, padding=3, bias=False)")
    return "\n".join(lines)
