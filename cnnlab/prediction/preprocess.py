"""From a picture as it was given to what the network takes: the one way, step by step, each step with its picture.

>>> prepared = prepare(Image.new("L", (200, 100), "white"), checkpoint)         # doctest: +SKIP
>>> [step.name for step in prepared.steps if step.on]                            # doctest: +SKIP
['grey', 'even', 'crop', 'centre', 'resize', 'normalise']

The page and the command line call this function; what is exported takes the pixels that it gives. Which steps are on
by default depends on the dataset that the network learnt from: drawings are made bright on black, cropped and centred
as that dataset's were; photographs are only fitted into the square, as in training. A picture that has the network's
size already is not moved, unless it is a drawing in dark on light, which is none of the dataset's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from cnnlab.checkpoints import Checkpoint
from cnnlab.loader import Scaling
from cnnlab.pictures import ENOUGH, fitted
from cnnlab.prediction.ink import even_out, ink_box, is_dark_on_light, mass_centre, needs_evening

STEPS = ("grey", "invert", "even", "crop", "centre", "resize", "normalise")


@dataclass(frozen=True)
class Layout:
    """How a dataset of bright shapes on black was made.

    Attributes:
        box: the longer side of the shape's box as a share of the image.
        mass: where its centre of mass lies, as a share of the image; None where the box is centred instead.
        grain: pixels of the source, where its images were enlarged; else 0.
    """

    box: float
    mass: float | None
    grain: int = 0


LAYOUTS: Mapping[str, Layout] = {
    # a 20×20 box, whose centre of mass comes onto pixel 14 of 28 (LeCun, Cortes, Burges: The MNIST database, 1998)
    "mnist": Layout(20 / 28, 14.5 / 28),
    "digits": Layout(1.0, None, 8),  # each fills the height; 8×8 counts of ink, enlarged (Alpaydin and Kaynak, 1998)
    "fashion_mnist": Layout(1.0, None),  # trimmed, its longest edge scaled to 28, centred (Xiao et al., 2017, figure 1)
    "kmnist": Layout(1.0, None),
}
FLAT = 2  # of 255
STROKES = ("mnist", "digits", "kmnist")  # thin on an empty ground, so that paper and shadows can be taken away


@dataclass(frozen=True)
class Step:
    """One step: its ``name``, whether it is ``on`` and would be by ``default``, whether that can be chosen
    (``switchable``), and the ``picture`` after it."""

    name: str
    on: bool
    default: bool
    switchable: bool
    picture: Image.Image


@dataclass(frozen=True)
class Prepared:
    """A picture made ready: the ``steps`` from ``given`` to ``pixels`` uint8 [C, H, W], and how these are scaled."""

    given: Image.Image
    steps: tuple[Step, ...]
    pixels: Tensor
    scaling: Scaling

    @property
    def inputs(self) -> Tensor:
        """What the network takes, float32 [1, C, H, W]."""
        return self.scaling(self.pixels[None])

    @property
    def blank(self) -> bool:
        """Whether there is nothing to see: each channel has one value throughout, or so nearly as a JPEG keeps it."""
        spread = self.pixels.amax((1, 2)).int() - self.pixels.amin((1, 2)).int()
        return bool((spread <= FLAT).all())

    @property
    def on(self) -> dict[str, bool]:
        """Which steps were taken."""
        return {step.name: step.on for step in self.steps}


def prepare(picture: Image.Image, checkpoint: Checkpoint, switched: Mapping[str, bool] | None = None) -> Prepared:
    """``picture`` (mode L or RGB, any size) as the network of ``checkpoint`` takes it.

    ``switched`` turns steps on and off against the defaults; a step that the network cannot do without stays on, and an
    unknown name raises ValueError.
    """
    switched = switched or {}
    if unknown := set(switched) - set(STEPS):
        raise ValueError(f"Unknown step '{min(unknown)}'. Available: {', '.join(STEPS)}.")
    layout = LAYOUTS.get(checkpoint.config.dataset)
    given = picture
    dark_on_light = layout is not None and is_dark_on_light(picture)
    as_is = picture.size == (checkpoint.image_size, checkpoint.image_size) and not dark_on_light
    if layout and not as_is and max(picture.size) > ENOUGH:
        picture = picture.copy()
        picture.thumbnail((ENOUGH, ENOUGH), Image.Resampling.BILINEAR)
    steps: list[Step] = []

    def take(name: str, default: bool, change: Callable[[], Image.Image], fixed: bool = False) -> None:
        nonlocal picture
        on = default if fixed else switched.get(name, default)
        picture = change() if on else picture
        steps.append(Step(name, on, default, not fixed, picture))

    grey = checkpoint.in_channels == 1
    take("grey", grey, lambda: picture.convert("L"), fixed=grey)
    drawn = layout is not None
    take("invert", dark_on_light, lambda: ImageOps.invert(picture))
    strokes = checkpoint.config.dataset in STROKES
    take("even", strokes and not as_is and needs_evening(picture), lambda: even_out(picture))
    take("crop", drawn and not as_is, lambda: picture.crop(ink_box(picture)))
    take("centre", drawn and not as_is, lambda: centred(picture, layout or Layout(1.0, 0.5)))
    picture = picture.convert("L" if grey else "RGB")
    take("resize", True, lambda: resized(picture, checkpoint.image_size, layout), fixed=True)
    return _normalised(given, steps, picture, checkpoint, switched.get("normalise", True))


def _normalised(
    given: Image.Image, steps: list[Step], picture: Image.Image, checkpoint: Checkpoint, on: bool
) -> Prepared:
    pixels = torch.from_numpy(np.array(picture)).reshape(*picture.size[::-1], -1).permute(2, 0, 1).contiguous()
    scaling = checkpoint.scaling if on else Scaling((0.0,) * len(pixels), (1.0,) * len(pixels))
    return Prepared(given, (*steps, Step("normalise", on, True, True, picture)), pixels, scaling)


def centred(picture: Image.Image, layout: Layout) -> Image.Image:
    """``picture`` on a black square, as large in it and in its middle as ``layout`` says."""
    width, height = picture.size
    side = round(max(width, height) / layout.box)
    x, y = mass_centre(picture) if layout.mass else (width / 2, height / 2)
    middle = side * (layout.mass or 0.5)
    square = Image.new(picture.mode, (side, side))
    square.paste(picture, (_inside(middle - x, width, side), _inside(middle - y, height, side)))
    return square


def _inside(corner: float, length: int, side: int) -> int:
    """``corner`` in whole pixels, moved as little as keeps all ``length`` pixels in the square of ``side``."""
    return max(0, min(round(corner), side - length))


def resized(picture: Image.Image, size: int, layout: Layout | None) -> Image.Image:
    """``picture`` in ``size``×``size`` pixels, antialiased: whole, on black, if it is a drawing, else its middle."""
    if picture.size == (size, size):
        return picture
    if layout and picture.width != picture.height:
        picture = centred(picture, Layout(1.0, None))
    if layout and layout.grain:
        coarse = picture.resize((layout.grain, layout.grain), Image.Resampling.BOX)
        coarse = ImageOps.autocontrast(coarse)  # the source's images all reach its black and its white
        return coarse.resize((size, size), Image.Resampling.BICUBIC)
    return fitted(picture, size)


def as_shown(prepared: Prepared) -> NDArray[np.uint8]:
    """What goes in, uint8 [H, W] or [H, W, 3], its own range stretched over black to white."""
    values = prepared.inputs[0].permute(1, 2, 0).numpy()
    low, high = float(values.min()), float(values.max())
    shown: NDArray[np.uint8] = ((values - low) * (255 / ((high - low) or 1))).round().astype(np.uint8).squeeze()
    return shown
