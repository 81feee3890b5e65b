"""A map over its image, as drawn."""

import numpy as np
import pytest

from cnnlab.figures.attribution import attribution_figure
from cnnlab.figures.picture import picture_figure

COLOUR = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)


def test_the_picture_holds_every_pixel():
    assert np.array(picture_figure(COLOUR).data[0].z)[1, 2].tolist() == COLOUR[:, 1, 2].tolist()
    grey = picture_figure(COLOUR[:1]).data[0]
    assert np.array(grey.z)[1, 2].tolist() == [6, 6, 6] and "grey" in grey.hovertemplate


@pytest.mark.parametrize("opacity", [0.0, 0.4, 1.0])
def test_the_map_lies_over_the_image_with_its_opacity(opacity: float):
    picture, overlay = attribution_figure(COLOUR, np.eye(4, dtype=np.float32), opacity).data
    assert overlay.opacity == opacity
    assert (np.array(overlay.z) == np.eye(4)).all()
    assert overlay.text[1][2] == "red 6, green 22, blue 38"
    assert picture.type == "image"


def test_a_signed_map_has_its_zero_in_the_middle():
    overlay = attribution_figure(COLOUR, np.full((4, 4), -0.2, np.float32), signed=True).data[1]
    assert (overlay.zmin, overlay.zmax) == pytest.approx((-0.2, 0.2))
    one = np.zeros((40, 40), np.float32)
    one[:5], one[7, 7] = 0.1, 9.0
    strong = attribution_figure(np.zeros((1, 40, 40), np.uint8), one, signed=True).data[1]
    assert strong.zmax == pytest.approx(0.1), "one strong pixel makes all others pale"
    plain = attribution_figure(COLOUR, np.full((4, 4), 0.2, np.float32)).data[1]
    assert (plain.zmin, plain.zmax) == (0, 1)


def test_a_map_of_nothing_can_be_drawn():
    overlay = attribution_figure(COLOUR[:1], np.zeros((4, 4), np.float32), signed=True).data[1]
    assert (overlay.zmin, overlay.zmax) == (-1, 1)
