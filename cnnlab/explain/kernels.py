"""A kernel: the small grid of weights that a convolution moves over a picture; how it is changed, kept and shared.

>>> sobel = parse_kernel("-1,0,1;-2,0,2;-1,0,1")
>>> sobel.size, TRANSFORMS["Transpose"](sobel).text
(3, '-1,-2,-1;0,0,0;1,2,1')
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnlab.paths import printable

LARGEST = 11  # rows and columns
DECIMALS = 6  # that a preset's weights are given in: what is shown is what is computed
FORMAT = "cnnlab-kernel"  # tells our JSON from any other
LONGEST_NAME = 60  # characters
OWN_NAME = "Your own kernel"  # until somebody gives it one

Weights = NDArray[np.float64]


class KernelError(ValueError):
    """Weights that make no kernel; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """Weights float64 [C, K, K], 1 ≤ K ≤ 11: C is 1 if every channel of the picture has the same, else 3 (R, G, B)."""

    weights: Weights
    name: str = OWN_NAME

    @property
    def size(self) -> int:
        """K, in pixels."""
        return int(self.weights.shape[-1])

    @property
    def text(self) -> str:
        """The weights for an address: rows parted by semicolons, channels by bars."""
        return "|".join(
            ";".join(",".join(f"{v:.10g}" for v in row) for row in plane) for plane in self.weights.tolist()
        )

    @property
    def json(self) -> str:
        """The kernel as a file that :func:`read_kernel` reads."""
        return json.dumps({"format": FORMAT, "name": self.name, "weights": self.weights.tolist()}, indent=1)


def make_kernel(values: object, name: str = OWN_NAME) -> Kernel:
    """A kernel of nested lists [K][K] or [C][K][K]; raises KernelError."""
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise KernelError("A kernel has rows of equal length that hold numbers alone, such as -1,0,1.") from None
    weights = weights[None] if weights.ndim == 2 else weights
    if weights.ndim != 3 or weights.shape[0] not in (1, 3) or weights.shape[1] != weights.shape[2]:
        shape = "×".join(str(length) for length in weights.shape) or "a single value"
        raise KernelError(f"A kernel is square, for one channel or three, and this is {shape}: use 3 rows of 3, say.")
    if not 1 <= weights.shape[1] <= LARGEST:
        raise KernelError(f"A kernel has 1 to {LARGEST} rows, and this has {weights.shape[1]}.")
    if not np.isfinite(weights).all() or np.abs(weights).max() > 1e6:
        raise KernelError("A weight lies between -1,000,000 and 1,000,000, and one of these does not.")
    return Kernel(weights, printable(name).strip()[:LONGEST_NAME] or OWN_NAME)


def parse_kernel(text: str, name: str = OWN_NAME) -> Kernel:
    """The kernel whose :attr:`Kernel.text` this is; raises KernelError."""
    return make_kernel([[row.split(",") for row in plane.split(";")] for plane in text.split("|")], name)


def read_kernel(content: bytes) -> Kernel:
    """The kernel in a JSON file: ours, or plain rows of numbers. Raises KernelError."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise KernelError("The file is no JSON that can be read: choose one that was downloaded here.") from None
    if isinstance(found, dict):
        if "weights" not in found:
            raise KernelError('The file holds no "weights": choose one that was downloaded here.')
        return make_kernel(found["weights"], str(found.get("name") or ""))
    return make_kernel(found)


def advice(kernel: Kernel, channels: int, summed: bool) -> str:
    """What a person should know of ``kernel``: its sum, and what that means for the picture's brightness.

    The picture has ``channels``, 1 or 3, which are ``summed`` or filtered each by itself.
    """
    if not kernel.weights.any():
        return "All weights are 0: whatever the picture, the output is 0 everywhere. Change a weight."
    sums = [_told(float(plane.sum())) for plane in kernel.weights[:channels]]
    sums *= channels // len(sums)
    if not any(sums):
        return "The weights add up to 0: where the picture is even, the output is 0, and only changes are seen."
    if channels > 1 and (summed or len(set(sums)) > 1):
        return _advice_in_colour(sums, summed)
    if sums[0] == 1:
        return "The weights add up to 1: the picture keeps its brightness."
    return (
        f"The weights add up to {sums[0]:.4g}: an even area comes out {sums[0]:.4g} times as bright. "
        "Normalise makes it 1."
    )


def _advice_in_colour(sums: Sequence[float], summed: bool) -> str:
    """What the channels' ``sums`` (R, G, B) mean for the brightness where they are added up, or not alike."""
    red, green, blue = (f"{total:.4g}" for total in sums)
    each = f"{red} in each channel" if red == green == blue else f"{red} in red, {green} in green, {blue} in blue"
    if not summed:
        return f"The weights add up to {each}: in an even area each channel comes out so many times as bright."
    total = _told(sum(sums))
    outcome = {0.0: "gives 0", 1.0: "keeps its brightness"}.get(total, f"comes out {total:.4g} times as bright")
    return f"The weights add up to {each}, {total:.4g} in all: an even grey {outcome}."


def _told(total: float) -> float:
    """A sum as a whole number where only the weights' last decimals keep it from being one."""
    return float(round(total)) if abs(total - round(total)) < 1e-4 else total


def _normalised(weights: Weights) -> Weights:
    """Divided by their sum, so that brightness stays; where that is 0, by the sum of their sizes."""
    total = weights.sum((1, 2), keepdims=True)
    total = np.where(np.abs(total) < 1e-9, np.abs(weights).sum((1, 2), keepdims=True), total)
    rounded: Weights = np.round(weights / np.where(total == 0, 1, total), DECIMALS)
    return rounded


def random_kernel(size: int, seed: int) -> Kernel:
    """Weights drawn as PyTorch draws those of a new convolution of one channel: evenly between ±1/√(size²)."""
    drawn = np.random.default_rng(seed).uniform(-1, 1, (1, size, size)) / size
    return Kernel(np.round(drawn, 3), f"Random {seed}")


def resized(kernel: Kernel, size: int) -> Kernel:
    """``kernel`` with ``size`` rows and columns: its middle is kept, and zeros are added around it."""
    weights, old = np.zeros((len(kernel.weights), size, size)), kernel.size
    shift, common = abs(size - old) // 2, min(size, old)
    inner = slice(shift, shift + common)
    if size >= old:
        weights[:, inner, inner] = kernel.weights
    else:
        weights = kernel.weights[:, inner, inner].copy()
    return replace(kernel, weights=weights)


def _changing(change: Callable[[Weights], Weights]) -> Callable[[Kernel], Kernel]:
    return lambda kernel: replace(kernel, weights=np.ascontiguousarray(change(kernel.weights)) + 0.0)  # -0 becomes 0


TRANSFORMS: dict[str, Callable[[Kernel], Kernel]] = {
    "Rotate": _changing(lambda w: np.rot90(w, -1, (1, 2))),
    "Flip left-right": _changing(lambda w: w[:, :, ::-1]),
    "Flip up-down": _changing(lambda w: w[:, ::-1]),
    "Transpose": _changing(lambda w: w.transpose(0, 2, 1)),
    "Negate": _changing(lambda w: -w),
    "Normalise": _changing(_normalised),
}
"""What can be done to a kernel, by the words on the button; Rotate turns it clockwise by 90°."""
