"""A plain PyTorch script that defines a network and trains it with the same settings, without this package.

>>> print(script(config, shape))                                         # doctest: +SKIP

It holds what the config needs and no more. For the same seed it draws the same weights, the same validation images and
the same batches, so on a CPU its losses are the lab's. No image is needed to write it: it downloads and looks at them
itself.
"""

from cnnlab.config import TrainConfig
from cnnlab.explain import script_data, script_loop
from cnnlab.explain.source import helper_source, network_source
from cnnlab.models import MODELS, Shape


def script(config: TrainConfig, shape: Shape) -> str:
    """The script for ``config`` on images of ``shape`` (in_channels, image_size, num_classes).

    An image folder is looked at for its splits; raises DatasetError where it is gone.
    """
    network = network_source(config, shape)
    functions = [*script_data.functions(config, shape), helper_source(network), *script_loop.functions(config)]
    parts = [
        _settings(config),
        "\n" + "\n\n\n".join(part.rstrip() for part in functions if part) + "\n",
        script_data.reading(config, shape),
        f"{DRAWN}\n{network}\n{SENT}\n{COUNTED}",
        script_loop.optimizer(config),
        script_loop.loop(config, shape[1]),
    ]
    body = "\n\n".join(parts) + "\n"
    return f'"""Train {MODELS.get(config.model).title} on {script_data.title(config)}."""\n\n{_imports(body)}\n\n{body}'


def network_script(config: TrainConfig, shape: Shape) -> str:
    """The network of ``config`` alone with its initial weights, for images of ``shape`` that the lab does not have."""
    network = network_source(config, shape)
    helper = helper_source(network)
    parts = [f"SEED = {config.seed}", *([f"\n{helper.rstrip()}\n"] if helper else []), f"{DRAWN}\n{network}\n{COUNTED}"]
    body = "\n\n".join(parts) + "\n"
    return f'"""{MODELS.get(config.model).title}."""\n\n{_imports(body)}\n\n{body}'


DRAWN = "torch.manual_seed(SEED)  # draws the initial weights"
SENT = "model.to(DEVICE, memory_format=torch.channels_last)"
COUNTED = 'print(f"{sum(p.numel() for p in model.parameters()):,} parameters")'
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
    functions = [f"from torch.nn.functional import {used}"] if used else []
    last = ["from torchvision.transforms.functional import pil_to_tensor"] if "pil_to_tensor(" in body else []
    return "\n".join([*standard, *([""] if standard else []), *installed, *functions, *last])


def _settings(config: TrainConfig) -> str:
    device = '"cuda" if torch.cuda.is_available() else "cpu"' if config.device == "auto" else f'"{config.device}"'
    return (
        f"SEED, EPOCHS, BATCH, LR = {config.seed}, {config.epochs}, {config.batch_size}, {config.lr!r}\n"
        f"DEVICE = {device}"
    )
