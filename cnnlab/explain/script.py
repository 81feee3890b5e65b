"""A plain PyTorch script that defines a network and trains it with the same settings, without this package.

>>> print(script(config, shape, mean, std))                              # doctest: +SKIP

It holds what the config needs and no more. For the same seed it draws the same weights, the same validation images and
the same batches, so on a CPU its losses are the lab's.
"""

from cnnlab.config import TrainConfig
from cnnlab.explain import script_data, script_loop
from cnnlab.explain.source import helper_source, network_source
from cnnlab.models import MODELS, Shape


def script(config: TrainConfig, shape: Shape, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """The script for ``config`` on images of ``shape`` (in_channels, image_size, num_classes).

    ``mean`` and ``std`` are those of the scaling, a number a channel. An image folder is looked at for its splits;
    raises DatasetError where it is gone.
    """
    network = _network(config, shape)
    functions = [*script_data.functions(config, shape), helper_source(network), *script_loop.functions(config)]
    parts = [
        _settings(config) + "\n" + _scaling(mean, std),
        "\n" + "\n\n\n".join(part.rstrip() for part in functions if part) + "\n",
        script_data.reading(config, shape),
        network,
        script_loop.optimizer(config),
        script_loop.loop(config, shape[1]),
    ]
    body = "\n\n".join(parts) + "\n"
    return f'"""Train {MODELS.get(config.model).title} on {script_data.title(config)}."""\n\n{_imports(body)}\n\n{body}'


STANDARD = {
    "hashlib.": "import hashlib",
    "math.": "import math",
    "Path(": "from pathlib import Path",
}
INSTALLED = {
    "": "import torch",
    "torchvision.": "import torchvision",
    "Image.": "from PIL import Image, ImageOps",
    "load_digits(": "from sklearn.datasets import load_digits",
    "nn.": "from torch import Tensor, nn",
}
"""The text that needs an import, and the import, in order."""
FUNCTIONS = ("affine_grid", "cross_entropy", "grid_sample", "interpolate", "pad", "relu")


def _imports(body: str) -> str:
    standard, installed = ([line for text, line in group.items() if text in body] for group in (STANDARD, INSTALLED))
    used = ", ".join(name for name in FUNCTIONS if f"{name}(" in body)
    last = ["from torchvision.transforms.functional import pil_to_tensor"] if "pil_to_tensor(" in body else []
    return "\n".join(
        [*standard, *([""] if standard else []), *installed, f"from torch.nn.functional import {used}", *last]
    )


def _settings(config: TrainConfig) -> str:
    device = '"cuda" if torch.cuda.is_available() else "cpu"' if config.device == "auto" else f'"{config.device}"'
    return (
        f"SEED, EPOCHS, BATCH, LR = {config.seed}, {config.epochs}, {config.batch_size}, {config.lr!r}\n"
        f"DEVICE = {device}"
    )


def _scaling(mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    return (
        f"MEAN, STD = torch.tensor([{list(mean)}, {list(std)}], dtype=torch.double).view(2, 1, -1, 1, 1)\n"
        "SCALE, SHIFT = (1 / (255 * STD)).float().to(DEVICE), (-MEAN / STD).float().to(DEVICE)"
    )


def _network(config: TrainConfig, shape: Shape) -> str:
    return (
        "torch.manual_seed(SEED)  # draws the first weights\n"
        f"{network_source(config, shape)}\n"
        "model.to(DEVICE, memory_format=torch.channels_last)\n"
        'print(f"{sum(p.numel() for p in model.parameters()):,} parameters")'
    )
