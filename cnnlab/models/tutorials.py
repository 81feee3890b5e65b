"""The tutorials' networks, layer by layer as published, and LeNet-5.

Sizes in comments are for 28×28×1 images (``cifar_cnn``: 32×32×3); the flattened size follows from the image size.
"""

from torch import nn

from cnnlab.config import TrainConfig
from cnnlab.models.base import ModelError, dropout_of, halved, model


def _two_convolutions(kernel: int, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    side = halved(image_size, 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, 16, kernel, padding=kernel // 2),  # 28×28×16
        nn.ReLU(),
        nn.MaxPool2d(2),  # 14×14×16
        nn.Conv2d(16, 32, kernel, padding=kernel // 2),  # 14×14×32
        nn.ReLU(),
        nn.MaxPool2d(2),  # 7×7×32
        nn.Flatten(),
        nn.Linear(32 * side * side, num_classes),
    )


@model("Simple CNN", "Two 3×3 convolutions and one linear layer.")
def simple_cnn(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    return _two_convolutions(3, in_channels, image_size, num_classes)


@model("5×5 CNN", "Two 5×5 convolutions and one linear layer.")
def cnn_5x5(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    return _two_convolutions(5, in_channels, image_size, num_classes)


@model("Convolution module", "Two wide convolutions, pooled before ReLU, and three linear layers.")
def conv_module(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    side = halved(image_size, 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, 32, 3, padding=1),  # 28×28×32
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),  # 14×14×64
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * side * side, 1024),  # 3136 → 1024
        nn.ReLU(),
        nn.Linear(1024, 512),
        nn.ReLU(),
        nn.Linear(512, num_classes),
    )


@model("Perceptron", "No convolution: three linear layers with dropout, to compare with.")
def mlp(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    dropout = dropout_of(config)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_channels * image_size * image_size, 256),  # 784 → 256
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(256, 64),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(64, num_classes),
    )


@model("CIFAR CNN", "Three 3×3 convolutions and two linear layers with dropout, for small colour images.")
def cifar_cnn(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    dropout = dropout_of(config)
    side = halved(image_size, 3)
    return nn.Sequential(
        nn.Conv2d(in_channels, 16, 3, padding=1),  # 32×32×16
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),  # 16×16×32
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),  # 8×8×64
        nn.ReLU(),
        nn.MaxPool2d(2),  # 4×4×64
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(64 * side * side, 200),  # 1024 → 200
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(200, num_classes),
    )


@model("LeNet-5", "The 1998 network that read cheques: tanh and average pooling.")
def lenet5(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """LeCun et al., Gradient-based learning applied to document recognition, 1998, figure 2.

    As it is usually rebuilt: full connections between the two convolutions, a linear output, and 28×28 images padded
    to the paper's 32×32 by the first convolution.
    """
    padding = 2 if image_size < 32 else 0
    side = ((image_size + 2 * padding - 4) // 2 - 4) // 2
    if side < 1:
        raise ModelError(
            f"Images of {image_size}×{image_size} are too small for lenet5: it needs at least 12×12 pixels."
        )
    return nn.Sequential(
        nn.Conv2d(in_channels, 6, 5, padding=padding),  # 28×28×6
        nn.Tanh(),
        nn.AvgPool2d(2),  # 14×14×6
        nn.Conv2d(6, 16, 5),  # 10×10×16
        nn.Tanh(),
        nn.AvgPool2d(2),  # 5×5×16
        nn.Flatten(),
        nn.Linear(16 * side * side, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, num_classes),
    )
