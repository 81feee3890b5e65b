"""The one place that opens a picture: whatever a person brings becomes upright 8-bit grey or RGB.

>>> read_picture(b"")
Traceback (most recent call last):
cnnlab.pictures.UnreadableImage: The file is empty: choose a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF.

PNG, JPEG, WebP, AVIF, BMP, TIFF, PGM and the first frame of a GIF; 16 bits and floating point, palettes, transparency
(on white; what is drawn in white, on black), print colours (CMYK), and the orientation that a camera wrote into EXIF.
"""

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")  # none that runs another program
EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".ppm", ".pgm")
KNOWN = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
MOST_MEGAPIXELS = 64  # 192 MB in colour; a full-frame camera takes 61
ENOUGH = 560  # pixels of each side, 20 times the usual 28: of larger JPEGs a fraction of the size is decoded
NEARLY_WHITE = 225  # of 255
FLOAT_RANGES = {1.0: 2.0, 255.0: 280.0, 65535.0: 70000.0}  # white -> how high a value may be for this to be white
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class UnreadableImage(ValueError):
    """A file that is no picture that can be decoded; the message is one sentence with the reason."""


def is_picture(name: str) -> bool:
    """Whether a file called ``name`` is to be read as a picture, by its ending."""
    return name.lower().endswith(EXTENSIONS)


def is_hidden(name: str) -> bool:
    """Whether a file or folder called ``name`` was made by a program for itself, such as ``.ipynb_checkpoints``."""
    return name.startswith((".", "__MACOSX")) and name not in (".", "..")


def picture_paths(folder: Path) -> Iterator[str]:
    """The paths of the pictures in ``folder`` and the folders in it, in the order of their names."""
    return filter(is_picture, file_paths(folder))


def file_paths(folder: Path) -> Iterator[str]:
    """The paths of all files in ``folder`` and the folders in it that are not hidden, in the order of their names."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (f"{place}{os.sep}{name}" for name in sorted(names) if not is_hidden(name))


def read_picture(source: bytes | Path, color: bool = True) -> NDArray[np.uint8]:
    """The picture in ``source`` (a file's content, or its path) as uint8 [H, W, 3], or [H, W] if not ``color``.

    Raises UnreadableImage with a sentence.
    """
    return np.array(open_picture(source, color))


def open_picture(source: bytes | Path, color: bool = True, least: tuple[int, int] | None = None) -> Image.Image:
    """The picture in ``source`` (a file's content, or its path) as a Pillow image of mode ``RGB``, or ``L`` if not
    ``color``. Raises UnreadableImage with a sentence.

    Where a picture larger than ``least`` (width, height) is needed no more, a JPEG is decoded at a fraction of its
    size that is not below it, which is several times as fast.
    """
    try:
        _check_kind(source)
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=FORMATS) as opened:
            _check_size(opened.size)
            if least:
                opened.draft("RGB" if color else "L", least)
            return _plain(ImageOps.exif_transpose(opened), color, opened.format in ("PNG", "PPM"))
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(f"The file is not an image: choose a {KNOWN}.") from None
    except BOMBS:
        raise UnreadableImage(_too_large(f"far more than {MOST_MEGAPIXELS} megapixels")) from None
    except Exception as error:  # of a decoder that damaged bytes led astray: it may be of any kind
        raise UnreadableImage(_sentence(error)) from error


def enough(image_size: int) -> tuple[int, int]:
    """The width and height above which a picture has no more to tell a network that takes ``image_size`` pixels.

    For ``least`` of :func:`open_picture`, in training and in prediction alike: the pixels must be the same.
    """
    side = max(ENOUGH, image_size)
    return side, side


def fitted(picture: Image.Image, size: int) -> Image.Image:
    """The middle of ``picture``, its shorter side scaled to ``size`` pixels; in training and in prediction alike."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR)


def _check_kind(source: bytes | Path) -> None:
    """Raise UnreadableImage for what is empty, and for a pipe, which might never end; OSError for what is not there."""
    empty = not source
    if isinstance(source, Path):
        facts = source.stat()
        if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):  # of a folder, opening it tells
            raise UnreadableImage(f"It is a pipe or a device, not a file: choose a {KNOWN}.")
        empty = stat.S_ISREG(facts.st_mode) and not facts.st_size
    if empty:
        raise UnreadableImage(f"The file is empty: choose a {KNOWN}.")


def _check_size(size: tuple[int, int]) -> None:
    """Raise UnreadableImage before anything is decoded."""
    megapixels = size[0] * size[1] / 1e6
    if megapixels > MOST_MEGAPIXELS:
        raise UnreadableImage(_too_large(f"{megapixels:.0f} megapixels ({size[0]:,} × {size[1]:,})"))


def _too_large(how: str) -> str:
    return f"The picture has {how}, and at most {MOST_MEGAPIXELS} are read: make it smaller first."


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return f"The file cannot be opened ({error.strerror}): check its name and whether you may read it."
    reason = str(error).rstrip(".") or type(error).__name__
    return f"The picture is cut off or damaged ({reason}): save or fetch it again."


def _plain(picture: Image.Image, color: bool, at_most_16: bool) -> Image.Image:
    """``picture``, of a format whose numbers have ``at_most_16`` bits or more, in 8 bits, opaque, ``RGB`` or ``L``."""
    if picture.mode.startswith("I") or picture.mode == "F":
        sixteen = picture.mode.startswith("I;16") or (picture.mode == "I" and at_most_16)
        picture = Image.fromarray(_eight_bits(np.asarray(picture, dtype=np.float64), picture.mode, sixteen))
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, _ground(rgba)), rgba)
    return picture.convert("RGB" if color else "L")


def _ground(rgba: Image.Image) -> str:
    """The ground that shows what is drawn on a transparent one: black for what is nearly white, else white."""
    drawn = ImageStat.Stat(rgba.convert("L"), rgba.getchannel("A").point(lambda alpha: 255 * (alpha > 127)))
    return "black" if drawn.count[0] and drawn.mean[0] > NEARLY_WHITE else "white"


def _eight_bits(values: NDArray[np.float64], mode: str, sixteen: bool) -> NDArray[np.uint8]:
    """float [H, W] of a deep picture -> uint8 [H, W]; the range that its values can take is kept, not stretched.

    Of what is not ``sixteen`` bits deep, 32 or floating point, nobody says the range: the values tell it. Floating
    point may reach a little beyond, as after sharpening; what fits no usual range is bright where it is highest.
    """
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    highest = 65535.0 if sixteen else float(values.max())
    ranges = FLOAT_RANGES if mode == "F" else {top: top for top in (255.0, 65535.0)}
    top = next((top for top, reach in ranges.items() if highest <= reach), highest)
    scaled: NDArray[np.uint8] = (values * (255 / top)).clip(0, 255).round().astype(np.uint8)
    return scaled


def png(picture: Image.Image) -> bytes:
    """``picture`` as a PNG file, packed in haste: for the page, which forgets it soon."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
