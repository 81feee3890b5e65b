"""Known kernels in families, each with what it finds; some have parameters, such as a blur's width.

>>> make_preset("sobel_x").text
'-1,0,1;-2,0,2;-1,0,1'
>>> make_preset("box", size=3).weights.sum().round(4)
np.float64(1.0)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.explain import kernel_formulas as formulas
from cnnlab.explain.kernels import DECIMALS, LARGEST, Kernel, KernelError, Weights
from cnnlab.registry import Registry


@dataclass(frozen=True)
class Parameter:
    """A number that a preset can be changed by, from ``low`` to ``high`` in steps of ``step``."""

    name: str
    title: str
    low: float
    high: float
    step: float
    default: float

    @property
    def steps(self) -> list[float]:
        """All values that it can take."""
        count = round((self.high - self.low) / self.step)
        return [round(self.low + number * self.step, 4) for number in range(count + 1)]

    def nearest(self, value: float) -> float:
        """The allowed value that lies nearest to ``value``."""
        return min(self.steps, key=lambda allowed: abs(allowed - value))


@dataclass(frozen=True)
class Preset:
    """A family of kernels of one kind, with a sentence on what it finds or does."""

    family: str
    title: str
    sentence: str
    make: Callable[..., Weights]
    parameters: tuple[Parameter, ...] = ()


SIZE = Parameter("size", "Size", 1, LARGEST, 2, 5)
PRESETS: Registry[Preset] = Registry("kernel")


def make_preset(name: str, **values: float) -> Kernel:
    """The kernel called ``name``; ``values`` are of its parameters, each taken to the nearest allowed.

    Raises UnknownName for a name that is none, and KernelError for a parameter that it has not.
    """
    preset = PRESETS.get(name)
    known = {p.name: p for p in preset.parameters}
    if strange := [v for v in values if v not in known]:
        raise KernelError(f"{preset.title} has no {strange[0]}. It has: {', '.join(known) or 'nothing to set'}.")
    chosen = {p.name: p.nearest(values.get(p.name, p.default)) for p in preset.parameters}
    weights: Weights = np.asarray(preset.make(**chosen), dtype=np.float64)
    return Kernel(weights.round(DECIMALS)[None] + 0.0, preset.title)


def slides(name: str, values: Mapping[str, float]) -> list[dict[str, Any]]:
    """For each parameter but the size all its values and their weights, the other parameters being ``values``."""
    return [
        {
            "name": p.name,
            "title": p.title,
            "values": p.steps,
            "at": p.nearest(values.get(p.name, p.default)),
            "weights": [make_preset(name, **{**values, p.name: step}).weights.tolist() for step in p.steps],
        }
        for p in PRESETS.get(name).parameters
        if p.name != "size"
    ]


def _fixed(rows: object) -> Callable[[], Weights]:
    return lambda: np.asarray(rows, dtype=np.float64)


def _add(name: str, family: str, title: str, sentence: str, rows: object) -> None:
    PRESETS.add(name, Preset(family, title, sentence, _fixed(rows)))


_SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
_SOBEL_5 = np.outer([1, 4, 6, 4, 1], [-1, -2, 0, 2, 1])
_SCHARR = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]])
_PREWITT = np.array([[-1, 0, 1]] * 3)
_HALVES = np.array([[-1, -1, 1, 1]] * 4)
_SIGMA = Parameter("sigma", "Width σ", 0.3, 4, 0.1, 1.0)
_ANGLE = Parameter("angle", "Angle °", 0, 175, 5, 0)

_add(
    "identity",
    "Plain",
    "Identity",
    "Takes each pixel alone, without its neighbours: the start for a kernel of your own.",
    [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
)
PRESETS.add(
    "box",
    Preset(
        "Blur",
        "Box blur",
        "The mean of the neighbours: noise goes, and so does detail.",
        formulas.box,
        (Parameter("size", "Size", 1, LARGEST, 2, 3),),
    ),
)
PRESETS.add(
    "gaussian",
    Preset(
        "Blur",
        "Gaussian blur",
        "A mean in which near neighbours count most: smooth, with no boxes.",
        formulas.gaussian,
        (SIZE, _SIGMA),
    ),
)
PRESETS.add(
    "motion",
    Preset(
        "Blur",
        "Motion blur",
        "A mean along a line, as if the camera had moved.",
        formulas.motion,
        (Parameter("size", "Size", 3, LARGEST, 2, 9), _ANGLE),
    ),
)
_add(
    "sharpen",
    "Sharpen",
    "Sharpen",
    "Five times the pixel less its four neighbours: small differences grow.",
    [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
)
PRESETS.add(
    "unsharp",
    Preset(
        "Sharpen",
        "Unsharp mask",
        "Adds what a blur would take away: what photographers call sharpening.",
        formulas.unsharp,
        (SIZE, _SIGMA, Parameter("amount", "Amount", 0, 3, 0.1, 1.0)),
    ),
)
_add("sobel_x", "Edges", "Sobel x", "Finds vertical edges: how much brighter it gets from left to right.", _SOBEL)
_add("sobel_y", "Edges", "Sobel y", "Finds horizontal edges: how much brighter it gets from top to bottom.", _SOBEL.T)
_add("scharr_x", "Edges", "Scharr x", "Vertical edges like Sobel, truer in slanting directions.", _SCHARR)
_add("scharr_y", "Edges", "Scharr y", "Horizontal edges like Sobel, truer in slanting directions.", _SCHARR.T)
_add("prewitt_x", "Edges", "Prewitt x", "Vertical edges, all three rows counting alike.", _PREWITT)
_add("prewitt_y", "Edges", "Prewitt y", "Horizontal edges, all three columns counting alike.", _PREWITT.T)
_add("sobel_5x5_x", "Edges", "Sobel x, 5×5", "Vertical edges over five pixels: calmer where there is noise.", _SOBEL_5)
_add(
    "sobel_5x5_y",
    "Edges",
    "Sobel y, 5×5",
    "Horizontal edges over five pixels: calmer where there is noise.",
    _SOBEL_5.T,
)
_add(
    "laplacian",
    "Edges",
    "Laplacian",
    "Finds edges of every direction, and dots: how far a pixel differs from its four neighbours.",
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
)
_add(
    "laplacian_8",
    "Edges",
    "Laplacian, 8 neighbours",
    "The same with the corners: diagonal edges count as well.",
    [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
)
_add(
    "emboss",
    "Relief",
    "Emboss",
    "Light from the top left: the picture looks pressed into metal.",
    [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
)
PRESETS.add(
    "gabor",
    Preset(
        "Texture",
        "Gabor",
        "Finds stripes of one direction and spacing, as the first layer of many trained networks does.",
        formulas.gabor,
        (
            Parameter("size", "Size", 3, LARGEST, 2, LARGEST),
            _ANGLE,
            Parameter("wavelength", "Wavelength", 2, 12, 0.25, 5),
            Parameter("sigma", "Width σ", 0.8, 5, 0.1, 2.4),
        ),
    ),
)
_add(
    "left_right",
    "A first layer, 4×4",
    "Dark left, bright right",
    "Left half −1, right half +1: bright where it turns from dark to bright.",
    _HALVES,
)
_add(
    "right_left",
    "A first layer, 4×4",
    "Bright left, dark right",
    "The negative of the first: the other side of every stroke.",
    -_HALVES,
)
_add(
    "top_bottom",
    "A first layer, 4×4",
    "Dark top, bright bottom",
    "The first one transposed: horizontal edges.",
    _HALVES.T,
)
_add("bottom_top", "A first layer, 4×4", "Bright top, dark bottom", "The negative of the third.", -_HALVES.T)

FOUR = ("left_right", "right_left", "top_bottom", "bottom_top")
"""The four 4×4 edge kernels of the tutorial on the first layer of a network."""
