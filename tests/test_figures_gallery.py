"""Galleries as one composed picture."""

import base64
import io

import numpy as np
from PIL import Image

from cnnlab.figures.gallery import GAP, gallery_figure


def test_the_picture_holds_the_images_in_rows_by_their_nearest_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 8, 8), np.uint8)
    source = gallery_figure(images, ["a", "b", "c"], columns=2, cell=16).data[0].source
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))
    pitch = 16 + GAP
    assert (picture[:16:2, pitch : pitch + 16 : 2, :3] == images[1].transpose(1, 2, 0)).all()
    assert not picture[:16, 16:pitch, 3].any()  # nothing between two images: the page shines through


def test_a_page_of_images_is_small_to_send() -> None:
    images = np.random.default_rng(0).integers(0, 256, (28, 3, 32, 32), np.uint8)  # noise packs worst
    assert len(gallery_figure(images, ["caption"] * 28, columns=7, cell=96).to_json()) < 600_000


def test_a_gallery_begins_at_the_left_and_above_however_wide_its_plot_is() -> None:
    layout = gallery_figure(np.zeros((1, 1, 8, 8), np.uint8), ["a"], columns=1, cell=64).layout
    assert layout.meta["width"] == 64 + GAP
    assert (layout.xaxis.constraintoward, layout.yaxis.constraintoward) == ("left", "top")


def test_only_the_sign_before_a_caption_has_a_colour() -> None:
    captions = gallery_figure(np.zeros((1, 1, 8, 8), np.uint8), ["✗ a<b> (4)<br>0.5"], 1, colors=["#d64b4b"]).data[1]
    assert captions.text == ('<span style="color:#d64b4b">✗</span> a&lt;b&gt; (4)<br>0.5',)
    assert captions.textfont.color is None
