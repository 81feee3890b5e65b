"""The arithmetic behind a network's numbers, each as its formula with the numbers put in.

>>> str(output_size(32, kernel=5, padding=2, stride=1))
'(32 − 5 + 2·2)/1 + 1 = 32'
>>> str(conv_parameters(kernels=10, kernel=(5, 5), in_channels=3))
'10·(5·5·3) + 10 = 760'

Sources: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016; for the receptive field Araujo,
Norris and Sim, Computing receptive fields of convolutional neural networks, Distill, 2019.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

FLOAT_BYTES = 4  # float32


LETTERS = {
    "[WH]": "W, H: width and height, of the input for sizes, of the output for work and memory",
    "F": "F: the kernel's side",
    "P": "P: padding",
    "S": "S: stride",
    "C": "C: channels, of the input but for memory",
    "K": "K: kernels",
    "N": "N: images at once",
    "r": "r: the receptive field before this layer",
    "j": "j: how far apart its neighbours lie in the image",
}
"""A pattern of letters -> what they mean."""


@dataclass(frozen=True)
class Formula:
    """A number and where it comes from.

    Attributes:
        name: what is computed, such as ``Output width``.
        symbols: the formula in letters, such as ``(W − F + 2P)/S + 1``.
        numbers: the same with the numbers put in.
        value: what comes out.
        unit: such as ``pixels``.
    """

    name: str
    symbols: str
    numbers: str
    value: int
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit in ("bytes",) else ""
        return f"{self.numbers} = {self.value:,}{unit}"


def letters_of(formulas: Sequence[Formula]) -> str:
    """What the letters in ``formulas`` mean; empty where there are none."""
    text = " ".join(formula.symbols for formula in formulas)
    said = [said for letter, said in LETTERS.items() if re.search(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", text)]
    return " · ".join(said)


def output_size(width: int, kernel: int, padding: int = 0, stride: int = 1, side: str = "width") -> Formula:
    """Pixels that a kernel of ``kernel`` leaves of ``width`` (all in pixels); at most 0 where it does not fit."""
    room = width - kernel + 2 * padding
    letter = side[0].upper()
    if room % stride == 0 or room < 0:
        symbols, numbers = f"({letter} − F + 2P)/S + 1", f"({width} − {kernel} + 2·{padding})/{stride} + 1"
    else:  # the kernel's last step would leave the picture: it is not taken
        symbols, numbers = f"⌊({letter} − F + 2P)/S⌋ + 1", f"⌊({width} − {kernel} + 2·{padding})/{stride}⌋ + 1"
    return Formula(f"Output {side}", symbols, numbers, room // stride + 1, "pixels")


def same_size(width: int, side: str = "width") -> Formula:
    """The output size of a layer that answers each value by itself."""
    return Formula(f"Output {side}", side[0].upper(), str(width), width, "pixels")


def adaptive_size(wanted: int, side: str = "width") -> Formula:
    """The output size of adaptive pooling: the layer is told it and chooses its windows to suit."""
    return Formula(f"Output {side}", "as set", str(wanted), wanted, "pixels")


def padded_size(width: int, before: int, after: int, side: str = "width") -> Formula:
    """The output size of padding alone."""
    return Formula(
        f"Output {side}", f"{side[0].upper()} + P₁ + P₂", f"{width} + {before} + {after}", width + before + after
    )


def flat_size(shape: tuple[int, ...]) -> Formula:
    """How many features flattening makes of ``shape`` (C, H, W)."""
    symbols = "C·H·W" if len(shape) == 3 else "features"
    return Formula("Features", symbols, "·".join(map(str, shape)), math.prod(shape))


def conv_parameters(
    kernels: int, kernel: tuple[int, int], in_channels: int, bias: bool = True, groups: int = 1
) -> Formula:
    """Weights of ``kernels`` kernels, each as deep as its input, and a bias each."""
    depth = in_channels // groups
    numbers = f"{kernels}·({kernel[0]}·{kernel[1]}·{depth})" + (f" + {kernels}" if bias else "")
    value = kernels * kernel[0] * kernel[1] * depth + kernels * bias
    return Formula("Parameters", "K·(F·F·C)" + (" + K" if bias else ""), numbers, value)


def linear_parameters(inputs: int, outputs: int, bias: bool = True) -> Formula:
    """A weight from every input to every output, and a bias for each output."""
    numbers = f"{outputs}·{inputs}" + (f" + {outputs}" if bias else "")
    symbols = "outputs·inputs" + (" + outputs" if bias else "")
    return Formula("Parameters", symbols, numbers, outputs * inputs + outputs * bias)


def norm_parameters(channels: int) -> Formula:
    """A factor and an offset for each channel."""
    return Formula("Parameters", "2·C (a factor and an offset each)", f"2·{channels}", 2 * channels)


def conv_multiply_adds(height: int, width: int, kernels: int, kernel: tuple[int, int], depth: int) -> Formula:
    """Multiplications with an addition each, for one image: every kernel at every place of the output."""
    numbers = f"{height}·{width}·{kernels}·({kernel[0]}·{kernel[1]}·{depth})"
    value = height * width * kernels * kernel[0] * kernel[1] * depth
    return Formula("Multiply-adds", "H·W·K·(F·F·C)", numbers, value)


def linear_multiply_adds(inputs: int, outputs: int) -> Formula:
    """Multiplications with an addition each, for one image: every weight once."""
    return Formula("Multiply-adds", "outputs·inputs", f"{outputs}·{inputs}", outputs * inputs)


def activation_bytes(shape: tuple[int, ...]) -> Formula:
    """Memory of an output of ``shape`` (N, …) in float32."""
    factors = (*shape, FLOAT_BYTES)
    symbols = "N·C·H·W·4" if len(shape) == 4 else "N·features·4"
    return Formula("Memory", symbols, "·".join(map(str, factors)), math.prod(factors), "bytes")


def receptive_field(before: int, kernel: int, stride_before: int) -> Formula:
    """Pixels of the image, in a row, that one output value sees."""
    return Formula(
        "Receptive field", "r + (F − 1)·j", f"{before} + ({kernel} − 1)·{stride_before}",
        before + (kernel - 1) * stride_before, "pixels",
    )  # fmt: skip


def stride_so_far(before: int, stride: int) -> Formula:
    """Pixels of the image between two neighbours of the output."""
    return Formula("Stride so far", "j·S", f"{before}·{stride}", before * stride, "pixels")
