"""fast_cnn: four convolutions of our own that learn small colour photographs in seconds, on a CPU too."""

from torch import nn

from cnnlab.config import TrainConfig
from cnnlab.models.base import halved, model, normed


@model("Fast CNN", "Our own: looks at patches of 2×2 pixels, and so learns CIFAR-10 in seconds.")
def fast_cnn(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """Four convolutions; the pictures' full size, where most of the work would be, is never convolved over.

    In the spirit of the speed records on CIFAR-10 (Page, How to train your ResNet, 2018; Jordan, 94 % on CIFAR-10 in
    3.29 seconds, 2024), which begin with patches of 2×2 or 3×3 pixels and pool before they normalise.
    """
    halved(image_size, 3)
    patches = 16 if in_channels == 1 else 24  # a patch of 2×2 has four numbers, or twelve
    return nn.Sequential(
        nn.Conv2d(in_channels, patches, 2, stride=2, bias=False),  # 16×16×24
        nn.BatchNorm2d(patches),
        nn.ReLU(),
        *normed(patches, 32),  # 8×8×32
        *normed(32, 64),  # 4×4×64
        *normed(64, 128, pool=False),  # 4×4×128
        nn.AdaptiveMaxPool2d(1),  # 1×1×128: the strongest answer anywhere in the image
        nn.Flatten(),
        nn.Linear(128, num_classes),
    )
