"""Pictures that need no download: two photographs from scikit-learn, a digit, and what the code draws itself.

>>> gallery_picture("checkerboard").shape
(256, 256, 3)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnlab.registry import Registry

Pixels = NDArray[np.uint8]
LARGEST = 512  # pixels of the longer side that filters are computed at


@dataclass(frozen=True)
class GalleryPicture:
    """A picture's title, what it is good for, and how it is made: uint8 [H, W, 3]."""

    title: str
    sentence: str
    make: Callable[[], Pixels]


GALLERY: Registry[GalleryPicture] = Registry("picture")


def gallery_picture(name: str) -> Pixels:
    """The picture called ``name`` as uint8 [H, W, 3]; raises UnknownName."""
    return GALLERY.get(name).make()


def display_copy(pixels: Pixels, largest: int = LARGEST) -> Pixels:
    """``pixels`` (uint8 [H, W, 3]) scaled down so that no side is longer than ``largest``; smaller ones as they are."""
    height, width = pixels.shape[:2]
    if max(height, width) <= largest:
        return pixels
    scale = largest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def grey(pixels: Pixels) -> Pixels:
    """uint8 [H, W, 3] -> [H, W]: 0.299 R + 0.587 G + 0.114 B, as television did (ITU-R BT.601)."""
    return np.array(Image.fromarray(pixels).convert("L"))


def _photograph(name: str) -> Pixels:
    from sklearn.datasets import load_sample_image  # takes a second to import

    return display_copy(np.array(load_sample_image(name)))


def _digit() -> Pixels:
    from cnnlab.datasets.digits import load

    image: Pixels = load().test.images[4][0].numpy()
    return np.repeat(image[..., None], 3, axis=2)


def _road() -> Pixels:
    """A road to the horizon with lane lines, drawn at twice the size so that slanting lines come out smooth."""
    picture = Image.new("RGB", (1024, 576), (136, 178, 214))
    draw = ImageDraw.Draw(picture)
    hills = [(0, 250), (180, 190), (330, 235), (520, 170), (700, 230), (860, 185), (1024, 245), (1024, 290), (0, 290)]
    draw.polygon(hills, (96, 118, 134))
    draw.rectangle([0, 270, 1024, 576], (92, 122, 74))
    draw.polygon([(484, 270), (540, 270), (960, 576), (64, 576)], (78, 80, 84))
    draw.polygon([(486, 270), (490, 270), (128, 576), (92, 576)], (232, 198, 74))
    draw.polygon([(534, 270), (538, 270), (932, 576), (896, 576)], (238, 238, 236))
    for near, far in ((1.0, 0.8), (0.62, 0.48), (0.36, 0.27), (0.2, 0.15), (0.11, 0.08)):
        top, bottom = 270 + 306 * far, 270 + 306 * near
        left, right = (512 - 9 * far, 512 - 9 * near), (512 + 9 * far, 512 + 9 * near)
        draw.polygon([(left[0], top), (right[0], top), (right[1], bottom), (left[1], bottom)], (238, 238, 236))
    grain = np.random.default_rng(0).normal(0, 3, (288, 512, 1))
    small = np.asarray(picture.resize((512, 288), Image.Resampling.LANCZOS), np.float64)
    return (small + grain).clip(0, 255).astype(np.uint8)


def _shapes() -> Pixels:
    picture = Image.new("RGB", (512, 512), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle([50, 60, 210, 220], (47, 127, 193))
    draw.ellipse([290, 50, 470, 230], (217, 115, 13))
    draw.polygon([(130, 290), (230, 460), (30, 460)], (18, 148, 107))
    draw.polygon([(380, 280), (470, 370), (380, 460), (290, 370)], (194, 94, 154))
    return np.array(picture.resize((256, 256), Image.Resampling.LANCZOS))


def _colourless(values: NDArray[Any]) -> Pixels:
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


def _checkerboard() -> Pixels:
    place = np.arange(256) // 32
    return _colourless((place[:, None] + place) % 2 * 255)


def _step() -> Pixels:
    return _colourless(np.where(np.arange(32) < 16, 60, 200) * np.ones((32, 1)))


def _ramp() -> Pixels:
    return _colourless(np.arange(7)[None, :] * 20 + np.arange(7)[:, None] * 15)


def _noise() -> Pixels:
    return _colourless(np.random.default_rng(0).normal(128, 40, (256, 256)).clip(0, 255))


def _add(name: str, title: str, sentence: str, make: Callable[[], Pixels]) -> None:
    GALLERY.add(name, GalleryPicture(title, sentence, make))


_add("temple", "Photograph: temple", "Edges of every direction.", lambda: _photograph("china.jpg"))
_add("flower", "Photograph: flower", "One sharp thing before a blurred one.", lambda: _photograph("flower.jpg"))
_add("road", "Road with lane lines", "What a car must find: lines that lead away.", _road)
_add("digit", "Handwritten digit", "28×28: small enough to read every pixel.", _digit)
_add("shapes", "Geometric shapes", "Straight and round edges, in colours.", _shapes)
_add("checkerboard", "Checkerboard", "Edges in two directions alone.", _checkerboard)
_add("step", "Step edge", "From dark to bright, once: 32×32.", _step)
_add("ramp", "Seven by seven", "49 grey values, to follow the size formula.", _ramp)
_add("noise", "Noise", "No edge at all: what does a filter make of it?", _noise)
