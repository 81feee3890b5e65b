"""A convolution with everything that can be set about it, its size formula, and the reason when they do not fit.

>>> from cnnlab.explain.kernels import parse_kernel
>>> picture = np.arange(49, dtype=np.uint8).reshape(1, 7, 7)
>>> convolve(picture, parse_kernel("-1,0,1;-2,0,2;-1,0,1"), Settings(padding="none", stride=2)).shape
(1, 3, 3)
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cnnlab.explain.kernels import Kernel, Weights

Border = Literal["zero", "reflect", "replicate", "wrap"]
BORDERS: tuple[Border, ...] = get_args(Border)
PAD_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "wrap": "circular"}
LARGEST_STRIDE, LARGEST_PADDING, LARGEST_DILATION = 16, 32, 8
WHITE = 255.0

Picture = NDArray[np.uint8]
Maps = NDArray[np.float64]


class SettingsError(ValueError):
    """Settings with which the kernel cannot be moved over the picture; the message is one sentence."""


@dataclass(frozen=True)
class Settings:
    """How a kernel is moved over a picture, and what is done with each sum.

    Attributes:
        stride: pixels from one place to the next, 1 to 16.
        padding: ``none``, ``same`` (as many as keep the size at stride 1), or pixels on each side, 0 to 32.
        border: what the added pixels hold.
        dilation: distance of neighbouring weights in pixels, 1 to 8.
        convolution: turn the kernel by 180° first, as mathematics does; networks do not.
        bias: added to each sum, in grey values of 0 to 255.
        absolute: drop the sign.
        threshold: above it white (255), else black (0); None leaves the values.
        summed: of a colour picture, add up the channels as a network does; else filter each by itself.
    """

    stride: int = 1
    padding: str = "same"
    border: Border = "zero"
    dilation: int = 1
    convolution: bool = False
    bias: float = 0.0
    absolute: bool = False
    threshold: float | None = None
    summed: bool = True

    def pads(self, size: int) -> tuple[int, int]:
        """Pixels added before and after each row and column for a kernel of ``size``; raises SettingsError."""
        total = self.dilation * (size - 1)
        if self.padding == "none":
            return 0, 0
        if self.padding == "same":
            return total // 2, total - total // 2  # where it is odd the side after gets one more, as in PyTorch
        if not self.padding.isdecimal() or len(self.padding) > 4 or int(self.padding) > LARGEST_PADDING:
            told = self.padding if len(self.padding) <= 12 else f"{self.padding[:11]}…"
            raise SettingsError(f"Padding '{told}' is not allowed: give none, same, or 0 to {LARGEST_PADDING}.")
        return int(self.padding), int(self.padding)

    def check(self, shape: tuple[int, ...], kernel: Kernel) -> None:
        """Raise SettingsError if ``kernel`` cannot be moved over a picture of ``shape`` (C, H, W)."""
        channels, height, width = shape
        size = planes(kernel, channels).shape[-1]
        for name, value, most in (
            ("stride", self.stride, LARGEST_STRIDE),
            ("dilation", self.dilation, LARGEST_DILATION),
        ):
            if not 1 <= value <= most:
                raise SettingsError(f"A {name} of {value} is not allowed: give 1 to {most}.")
        if self.border not in BORDERS:
            raise SettingsError(f"The border '{self.border}' is not known: give one of {', '.join(BORDERS)}.")
        shortest, (before, after) = min(height, width), self.pads(size)
        reach, padded = self.dilation * (size - 1) + 1, shortest + before + after
        most = {"reflect": shortest - 1, "wrap": shortest}.get(self.border, after)
        if after > most:
            raise SettingsError(
                f"A border that should {self.border} {after} pixels needs a larger picture than {width}×{height}: "
                "choose the border zero or replicate, or less padding."
            )
        if reach > padded:
            raise SettingsError(
                f"The kernel reaches over {reach} pixels, and the picture with its padding has {padded}: "
                "choose a smaller kernel, less dilation, more padding or a larger picture."
            )

    def output_size(self, length: int, size: int) -> int:
        """Pixels of the output where the picture has ``length``: floor((W − D(F − 1) − 1 + P) / S) + 1."""
        return (length + sum(self.pads(size)) - self.dilation * (size - 1) - 1) // self.stride + 1

    def formula(self, length: int, size: int, letter: str) -> str:
        """The output size formula in LaTeX, in letters (W or H for ``length``) and with the numbers put in.

        It is rounded down only where the division leaves a remainder.
        """
        before, after = self.pads(size)
        kernel = str(size) if self.dilation == 1 else f"({self.dilation} \\cdot ({size} - 1) + 1)"
        pads = f"2 \\cdot {before}" if before == after else f"{before} + {after}"
        reach = "F" if self.dilation == 1 else "(D(F - 1) + 1)"
        opening, closing = ("\\left\\lfloor ", " \\right\\rfloor") if self.unused(length, size) else ("", "")
        symbols = f"{opening}\\frac{{{letter} - {reach} + 2P}}{{S}}{closing} + 1"
        numbers = f"{opening}\\frac{{{length} - {kernel} + {pads}}}{{{self.stride}}}{closing} + 1"
        return f"{symbols} = {numbers} = {self.output_size(length, size)}"

    def unused(self, length: int, size: int) -> int:
        """Pixels at the end of each row that the last place of the kernel does not reach."""
        return (length + sum(self.pads(size)) - self.dilation * (size - 1) - 1) % self.stride


def planes(kernel: Kernel, channels: int) -> Weights:
    """The weights for each of ``channels``, [C, K, K]; raises SettingsError if grey lacks the colours they are for."""
    if len(kernel.weights) > channels:
        raise SettingsError(
            f"{kernel.name} has other weights for red, green and blue, and here the picture is grey: choose Colour "
            "where that is offered, or another kernel."
        )
    return np.broadcast_to(kernel.weights, (channels, kernel.size, kernel.size))


def convolve(picture: Picture, kernel: Kernel, settings: Settings) -> Maps:
    """The output float64 [1 or C, H', W'] of ``picture`` (uint8 [C, H, W], C = 1 or 3): PyTorch's conv2d.

    Raises SettingsError where the kernel does not fit.
    """
    settings.check(picture.shape, kernel)
    return convolve_values(picture.astype(np.float64), kernel, settings)


@torch.inference_mode()
def convolve_values(values: Maps, kernel: Kernel, settings: Settings) -> Maps:
    """The output float64 [1 or C, H', W'] of ``values``, which may be another filter's output, say."""
    channels = len(values)
    pads = settings.pads(kernel.size)
    padded = functional.pad(torch.from_numpy(values)[None], (*pads, *pads), mode=PAD_MODES[settings.border])
    weights = torch.from_numpy(planes(kernel, channels).copy())
    weights = weights.flip(-2, -1) if settings.convolution else weights
    groups = 1 if settings.summed else channels
    weights = weights[None] if settings.summed else weights[:, None]
    sums = functional.conv2d(padded, weights, stride=settings.stride, dilation=settings.dilation, groups=groups)
    return finish(sums[0].numpy(), settings)


def finish(sums: Maps, settings: Settings) -> Maps:
    """What is done with each sum: bias, absolute value, threshold."""
    values = sums + settings.bias
    values = np.abs(values) if settings.absolute else values
    return values if settings.threshold is None else np.where(values > settings.threshold, WHITE, 0.0)
