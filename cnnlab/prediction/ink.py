"""Where the ink of a drawing is: bright strokes on a dark ground, or dark on light and how to tell.

>>> page = Image.new("L", (40, 40)); page.paste(255, (10, 20, 14, 30))
>>> ink_box(page), mass_centre(page)
((10, 20, 14, 30), (12.0, 25.0))
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects, grey_opening, label, uniform_filter

FAINT = 0.15  # of the brightest value: what is darker is no ink
SPECK = 0.02  # of the largest blot's area: what is smaller is dust
CLEAN = 16  # grey values of 255 that an even black ground may reach
BRIGHT = 200  # what the brightest ink of a good drawing reaches
COARSE = 96  # pixels of the longer side on which the paper's brightness is estimated
WIDEST = 31  # coarse pixels: what is wider than this third of the picture is paper or shadow, not a stroke


def is_dark_on_light(picture: Image.Image) -> bool:
    """Whether the ground is light: the median of the outermost pixels, compared with the middle of all values."""
    grey = _grey(picture)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    low, high = np.percentile(grey, (0.5, 99.5))
    if low == high:  # a thin pen on a large page
        low, high = grey.min(), grey.max()
    return bool(np.median(edge) > (float(low) + float(high)) / 2)


def needs_evening(picture: Image.Image) -> bool:
    """Whether the ground is not black all over, or the ink is faint: a photograph of paper, not a drawing."""
    grey = _grey(picture)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return bool(np.percentile(edge, 75) > CLEAN or 0 < grey.max() < BRIGHT)


def even_out(picture: Image.Image) -> Image.Image:
    """A photographed drawing (bright on dark) on even black, its ink as bright as can be.

    The ground is what stays when everything narrower than a third of the picture is taken away (a grey-scale opening:
    Soille, Morphological Image Analysis, 2003, section 4.8, the white top-hat); what is left is split into ground and
    ink (Otsu, A threshold selection method from gray-level histograms, 1979).
    """
    small = picture.convert("L")
    small.thumbnail((COARSE, COARSE), Image.Resampling.BOX)
    ground = uniform_filter(grey_opening(np.asarray(small, np.float32), WIDEST, mode="nearest"), WIDEST // 2)
    large = np.asarray(Image.fromarray(ground).resize(picture.size, Image.Resampling.BILINEAR))
    rest = (_grey(picture) - large).clip(0)
    split = otsu(rest)
    low, high = split * 0.5, float(np.percentile(rest[rest > split], 90)) if (rest > split).any() else split
    if high <= low:
        return Image.new("L", picture.size)
    return Image.fromarray(((rest - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8))


def otsu(values: NDArray[np.float32]) -> float:
    """The value in [0, 255] that best splits ``values`` into two groups (Otsu, 1979)."""
    counts = np.bincount(values.round().astype(np.int64).ravel(), minlength=256).astype(np.float64)
    below, levels = np.cumsum(counts), np.arange(len(counts))
    mass = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * (below[-1] - below))
    return float(np.nan_to_num(between, posinf=0.0).argmax())


def ink_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the bright ink without dust; of the whole picture where there is none."""
    grey = _grey(picture)
    ink = grey > FAINT * max(float(grey.max()), 1.0)
    blots, _ = label(ink, np.ones((3, 3)))
    areas = np.bincount(blots.ravel())[1:]
    if not len(areas):
        return 0, 0, *picture.size
    kept = [box for box, area in zip(find_objects(blots), areas, strict=True) if area >= SPECK * areas.max()]
    rows, columns = [box[0] for box in kept], [box[1] for box in kept]
    return (
        min(c.start for c in columns),
        min(r.start for r in rows),
        max(c.stop for c in columns),
        max(r.stop for r in rows),
    )


def mass_centre(picture: Image.Image) -> tuple[float, float]:
    """(x, y) of the centre of mass of the brightness, in pixels from the left and upper edge."""
    grey = _grey(picture).astype(np.float64)
    total = grey.sum()
    if total == 0:
        return picture.width / 2, picture.height / 2
    x = (grey.sum(0) @ (np.arange(picture.width) + 0.5)) / total
    y = (grey.sum(1) @ (np.arange(picture.height) + 0.5)) / total
    return float(x), float(y)


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    return np.asarray(picture.convert("L"), dtype=np.float32)
