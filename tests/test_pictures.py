"""Whatever a person brings becomes upright 8-bit grey or RGB, and what cannot is said in one sentence."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnlab.pictures import MOST_MEGAPIXELS, UnreadableImage, open_picture, read_picture

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_what_is_kept_without_loss_is_read_bit_for_bit(kind, tmp_path):
    pixels = noise(7, 5, 3)
    content = encoded(Image.fromarray(pixels), kind)
    (tmp_path / "a").write_bytes(content)
    assert (read_picture(content) == pixels).all() and (read_picture(tmp_path / "a") == pixels).all()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF"])
def test_what_is_kept_with_loss_is_read(kind):
    found = read_picture(encoded(Image.new("RGB", (20, 10), BLUE), kind))
    assert found.shape == (10, 20, 3) and np.abs(found.astype(int) - BLUE).max() < 12


def test_grey_is_asked_for_and_colour_comes_from_grey():
    pixels = noise(4, 6)
    content = encoded(Image.fromarray(pixels))
    assert (read_picture(content, color=False) == pixels).all()
    assert (read_picture(content) == pixels[..., None]).all()


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.new("RGB", (6, 6), color) for color in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "TIFF"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(read_picture(content).astype(int) - RED).max() < 12, kind


def test_a_camera_s_jpeg_of_several_pictures_is_read():
    content = encoded(Image.new("RGB", (16, 16), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert read_picture(content).shape == (16, 16, 3)


def test_sixteen_bits_keep_their_range():
    ramp = np.tile(np.arange(0, 65536, 8192, dtype=np.uint16), (8, 1))
    for kind in ("PNG", "TIFF"):
        found = read_picture(encoded(Image.fromarray(ramp), kind), color=False)
        assert np.abs(found - ramp / 257).max() <= 0.5


def test_a_dark_picture_of_sixteen_bits_stays_dark():
    dark = np.array([[0, 50, 100, 200]], np.uint16)
    pgm = b"P5 4 1 65535 " + dark.astype(">u2").tobytes()
    for content in (pgm, encoded(Image.fromarray(dark), "PNG"), encoded(Image.fromarray(dark), "TIFF")):
        assert read_picture(content, color=False).tolist() == [[0, 0, 0, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_what_fits_no_usual_range_is_as_bright_as_its_highest_value(dtype: type):
    values = np.linspace(0, 1_000_000, 256).reshape(16, 16).astype(dtype)
    found = read_picture(encoded(Image.fromarray(values), "TIFF"), color=False)
    assert found.flatten().tolist() == list(range(256))


def test_floating_point_from_0_to_1_and_from_0_to_255_are_both_read():
    for top in (1, 255):
        values = np.linspace(0, top, 12, dtype=np.float32).reshape(3, 4)
        found = read_picture(encoded(Image.fromarray(values), "TIFF"), color=False)
        assert np.abs(found - values * 255 / top).max() <= 0.5
    lit = np.array([[0.0, 0.5, 1.0, 1.2]], dtype=np.float32)  # one pixel too bright does not blacken the others
    assert read_picture(encoded(Image.fromarray(lit), "TIFF"), color=False).tolist() == [[0, 128, 255, 255]]
    broken = np.array([[np.nan, np.inf], [-np.inf, 1.0]], dtype=np.float32)
    assert read_picture(encoded(Image.fromarray(broken), "TIFF"), color=False).tolist() == [[0, 0], [0, 255]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(mode):
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0)).convert("RGBA" if mode == "PA" else mode)
    assert (read_picture(encoded(clear)) == 255).all()
    half = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    assert np.abs(read_picture(encoded(half)).astype(int) - 127).max() <= 1


def test_what_is_drawn_in_white_on_nothing_is_seen_on_black():
    ink = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    ink.paste((255, 255, 255, 255), (1, 1, 3, 3))
    found = read_picture(encoded(ink, "PNG"))
    assert (found[0, 0] == 0).all() and (found[1, 1] == 255).all()


def test_a_palette_with_a_transparent_colour_is_on_white():
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([*RED, *BLUE])
    picture.putpixel((0, 0), 0)
    found = read_picture(encoded(picture, "PNG", transparency=0))
    assert found[0, 0].tolist() == [255, 255, 255] and found[1, 1].tolist() == [*BLUE]


def test_print_colours_become_screen_colours():
    red, green, blue = read_picture(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")).mean((0, 1))
    assert red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_s_orientation_is_undone(orientation):
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:4, :8] = RED
    stored = Image.fromarray(upright)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # the transpositions that lead to `upright`
    if undo is not None:
        stored = stored.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert (read_picture(encoded(stored, "PNG", exif=exif)) == upright).all()


def test_a_jpeg_is_decoded_no_smaller_than_asked():
    content = encoded(Image.new("RGB", (1600, 800)), "JPEG")
    width, height = open_picture(content, least=(200, 200)).size
    assert 200 <= height < 800 and width == 2 * height


# ── what cannot be read ───────────────────────────────────────────────────────────────────────────────────────────


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header says that it is large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"no picture", "The file is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The file is not an image"),
        (encoded(Image.fromarray(noise(40, 40, 3)))[:2000], "The picture is cut off or damaged"),
        (encoded(Image.fromarray(noise(40, 40, 3)), "JPEG")[:900], "The picture is cut off or damaged"),
        (png_that_claims(10_000, 10_000), f"100 megapixels (10,000 × 10,000), and at most {MOST_MEGAPIXELS} are read"),
        (png_that_claims(60_000, 60_000), f"far more than 64 megapixels, and at most {MOST_MEGAPIXELS} are read"),
        (Path("nowhere/none.png"), "The file cannot be opened (No such file or directory)"),
        (Path(), "The file cannot be opened (Is a directory)"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_sentence(content, sentence):
    with pytest.raises(UnreadableImage) as error:
        read_picture(content)
    said = str(error.value)
    assert sentence in said and said.endswith(".") and "\n" not in said


def test_a_file_without_a_byte_is_called_empty_by_its_path_too(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(UnreadableImage, match=r"^The file is empty: choose a PNG"):
        read_picture(tmp_path / "a.png")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM"])
def test_damage_is_a_sentence_or_a_picture_but_never_another_error(kind):
    whole = encoded(Image.fromarray(noise(16, 16, 3)), kind)

    @settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        cut=st.integers(0, len(whole)),
        spots=st.dictionaries(st.integers(0, len(whole) - 1), st.integers(0, 255), max_size=4),
    )
    def damage(cut, spots):
        content = bytearray(whole)
        for place, value in spots.items():
            content[place] = value
        try:
            assert read_picture(bytes(content[:cut])).dtype == np.uint8
        except UnreadableImage as error:
            assert str(error).endswith(".")

    damage()
