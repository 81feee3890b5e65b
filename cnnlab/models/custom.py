"""The custom network: convolution blocks, then hidden linear layers, as the person chose them."""

from torch import nn

from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.models.base import ModelError, dropout_of, model

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "none": nn.Identity,
}
POOLS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


@model("Custom", "Your own blocks of convolution, batch norm, activation and pooling, then linear layers.")
def custom(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> nn.Module:
    side = trace_sizes(config.blocks, image_size)[-1]
    layers: list[nn.Module] = []
    for block in config.blocks:
        layers += _block_layers(block, in_channels)
        in_channels = block.channels
    layers.append(nn.Flatten())
    features = in_channels * side * side
    for size in config.hidden:
        layers += [nn.Linear(features, size), nn.ReLU()]
        if dropout := dropout_of(config):
            layers.append(nn.Dropout(dropout))
        features = size
    return nn.Sequential(*layers, nn.Linear(features, num_classes))


def _block_layers(block: ConvBlock, in_channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = [
        nn.Conv2d(
            in_channels,
            block.channels,
            block.kernel,
            block.stride,
            block.padding,
            bias=not block.batch_norm,  # batch norm takes the mean away and adds a bias of its own
        )
    ]
    if block.batch_norm:
        layers.append(nn.BatchNorm2d(block.channels))
    if block.activation != "none":
        layers.append(ACTIVATIONS[block.activation]())
    if block.pool != "none":
        layers.append(POOLS[block.pool](block.pool_size))
    return layers


def trace_sizes(blocks: tuple[ConvBlock, ...], image_size: int) -> list[int]:
    """Width and height of the picture before the first block and after each, by (W − F + 2P) / S + 1, rounded down.

    Raises ModelError that names the layer where the picture vanishes, the sizes that led there, and two ways out.
    """
    sizes = [image_size]
    for number, block in enumerate(blocks, start=1):
        road = " → ".join(f"{s}×{s}" for s in sizes)
        padded = sizes[-1] + 2 * block.padding
        if block.kernel > padded:
            raise ModelError(
                f"The picture vanishes in the convolution of block {number}: {road}, and a kernel of "
                f"{block.kernel}×{block.kernel} does not fit into {padded}×{padded} (padding included). "
                f"Use a kernel of at most {padded}, or pool less before."
            )
        side = (padded - block.kernel) // block.stride + 1
        if block.pool != "none":
            if block.pool_size > side:
                raise ModelError(
                    f"The picture vanishes in the pooling of block {number}: {road} → {side}×{side} after its "
                    f"convolution, and a pool of {block.pool_size}×{block.pool_size} leaves nothing. "
                    f"Set its pool to none, or pool less before."
                )
            side //= block.pool_size
        sizes.append(side)
    return sizes
