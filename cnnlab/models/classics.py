"""VGG-16 and ResNet-18 as torchvision builds them, with a stem that suits small images."""

from typing import Any

from torch import nn

from cnnlab.config import TrainConfig
from cnnlab.models.base import dropout_of, halved, model

SMALL = 64  # up to this many pixels an image counts as small: ResNet's own stem would leave a quarter of it
VGG_LEAST = 32  # five poolings of 2


@model("VGG-16", "The classic of 2014: 13 convolutions in five blocks, then three linear layers.")
def vgg16(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """Simonyan and Zisserman, Very deep convolutional networks, 2014, configuration D.

    Images below 32×32 are padded with zeros to 32×32, or the fifth pooling would leave nothing.
    """
    import torchvision  # here, for it takes a second or two, and the other networks do without

    network: nn.Module = torchvision.models.vgg16(num_classes=num_classes, dropout=dropout_of(config))
    features: Any = network.features
    if in_channels != 3:
        features[0] = nn.Conv2d(in_channels, 64, 3, padding=1)
    if image_size < VGG_LEAST:
        missing = VGG_LEAST - image_size
        before = missing // 2
        features.insert(0, nn.ZeroPad2d((before, missing - before, before, missing - before)))
    return network


@model("ResNet-18", "The residual classic of 2015: shortcuts let a block be skipped.")
def resnet18(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    """He et al., Deep residual learning for image recognition, 2016.

    Images up to 64×64 get the paper's CIFAR stem (section 4.2): a 3×3 convolution with stride 1 and no pooling.
    """
    halved(image_size, 3)
    import torchvision

    network: nn.Module = torchvision.models.resnet18(num_classes=num_classes)
    if image_size <= SMALL:
        network.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    elif in_channels != 3:
        network.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
    return network
