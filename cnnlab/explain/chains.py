"""Filters in a row, each on the output of the one before; and two branches joined into a gradient.

>>> from cnnlab.explain.presets import make_preset
>>> steps = [Step(make_preset("gaussian")), Step(make_preset("sobel_x"), absolute=True)]
>>> [stage.shape for stage in run_chain(np.zeros((1, 9, 9), np.uint8), steps, "reflect")]
[(1, 9, 9), (1, 9, 9)]
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnlab.explain.convolution import Border, Maps, Picture, Settings, convolve_values
from cnnlab.explain.kernels import Kernel


@dataclass(frozen=True)
class Step:
    """A filter of a chain; ``absolute`` drops the signs of its output."""

    kernel: Kernel
    absolute: bool = False

    def settings(self, border: Border) -> Settings:
        """How it is moved: the size stays, and channels are filtered each by itself."""
        return Settings(border=border, absolute=self.absolute, summed=False)


@dataclass(frozen=True)
class Gradient:
    """How steep a picture is, [H, W], and in which direction it gets brighter.

    Attributes:
        x, y: the two branches' outputs.
        magnitude: √(x² + y²).
        direction: in degrees, −180 to 180: 0 is to the right, 90 is down.
    """

    x: Maps
    y: Maps
    magnitude: Maps
    direction: Maps


def run_chain(picture: Picture, steps: Sequence[Step], border: Border) -> list[Maps]:
    """The output float64 [C, H, W] of each step, in order; ``picture`` is uint8 [C, H, W].

    The size stays, for every step pads with ``border``; channels are filtered each by itself. Raises SettingsError.
    """
    values, outputs = picture.astype(np.float64), []
    for step in steps:
        settings = step.settings(border)
        settings.check(values.shape, step.kernel)
        values = convolve_values(values, step.kernel, settings)
        outputs.append(values)
    return outputs


def gradient(values: Maps, along_x: Kernel, along_y: Kernel, border: Border) -> Gradient:
    """The two branches of ``values`` (float64 [C, H, W], its channels averaged) and what they tell together."""
    mean = values.mean(0, keepdims=True)
    settings = Settings(border=border)
    for kernel in (along_x, along_y):
        settings.check(mean.shape, kernel)
    x, y = (convolve_values(mean, kernel, settings)[0] for kernel in (along_x, along_y))
    return Gradient(x, y, np.hypot(x, y), np.rad2deg(np.arctan2(y, x)))
