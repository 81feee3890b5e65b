"""Networks by name, each built from (in_channels, image_size, num_classes).

>>> count_parameters(build(TrainConfig(model="simple_cnn"), in_channels=1, image_size=28, num_classes=10))
20490
"""

import torch
from torch import Tensor, nn

from cnnlab.config import TrainConfig
from cnnlab.models import tutorials, residual, fast, classics, custom  # noqa: F401  (registers them, in a person's order)
from cnnlab.models.base import MODELS, ModelError, ModelInfo, Shape, dropout_of
from cnnlab.models.faster import for_training, pooled_first


def build(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """The network that ``config`` names, for images [B, in_channels, image_size, image_size], giving [B, num_classes].

    Weights are drawn from torch's global generator, by PyTorch's defaults, or torchvision's for its two networks.
    Raises UnknownName for a name that is no network, ModelError where the images are too small for it.
    """
    return MODELS.get(config.model).build(config, in_channels, image_size, num_classes)


def outline(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """The network that ``config`` names without memory for its weights (on the meta device): to count and to check."""
    with torch.device("meta"):
        return build(config, in_channels, image_size, num_classes)


def unfilled(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """The network that ``config`` names on the CPU, with memory for its weights in which nothing was written: to load
    them, or to run it for its shapes. Nothing is drawn, so that no thread waits for another's draws (seeding.py).
    """
    network = outline(config, in_channels, image_size, num_classes)
    memory = {name: torch.empty(t.shape, dtype=t.dtype) for name, t in network.state_dict().items()}
    network.load_state_dict(memory, assign=True)  # to_empty() would import SymPy
    return network


def count_parameters(model: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def multiply_adds(model: nn.Module, in_channels: int, image_size: int) -> int:
    """How many multiplications, each with an addition, the network's convolutions and linear layers do for an image.

    The network sees a black one for that, and is set to evaluation.
    """
    counts: list[int] = []

    def count(layer: nn.Module, inputs: object, output: Tensor) -> None:
        counts.append(layer_multiply_adds(layer, output))

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        model.eval()(torch.zeros(1, in_channels, image_size, image_size, device=next(model.parameters()).device))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def layer_multiply_adds(layer: nn.Module | None, output: Tensor) -> int:
    """How many multiplications, each with an addition, ``layer`` does for an image; it gave ``output`` ([N, C, H, W] or
    [N, features]).

    Every weight of a convolution is used at every place of its output, every weight of a linear layer once; by the
    field's habit no other layer counts.
    """
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return 0
    return layer.weight.numel() * output.shape[2:].numel()  # of a linear layer's output that is 1


__all__ = [
    "MODELS",
    "ModelError",
    "ModelInfo",
    "Shape",
    "build",
    "count_parameters",
    "dropout_of",
    "for_training",
    "layer_multiply_adds",
    "multiply_adds",
    "outline",
    "pooled_first",
    "unfilled",
]
