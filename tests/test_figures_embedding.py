"""The feature map: what tells its classes apart."""

import numpy as np
import pytest

from cnnlab.figures.embedding import NAMED, SYMBOLS, TEN, embedding_figure

WHITE, NEAR_BLACK = "#ffffff", "#12171f"  # the pages' backgrounds


def luminance(color: str) -> float:
    """WCAG 2.1's relative luminance of ``#rrggbb``."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("color", TEN)
def test_each_colour_stands_out_on_white_and_on_near_black(color: str) -> None:
    assert min(contrast(color, WHITE), contrast(color, NEAR_BLACK)) >= 3


def test_each_class_has_a_colour_a_sign_and_a_name_on_the_map() -> None:
    labels, names = np.repeat(np.arange(NAMED), 3), [f"class {c}" for c in range(NAMED)]
    points = np.stack([labels, 2 * labels], axis=1).astype(np.float32)
    points[0] = 100  # an outlier, which moves a mean
    figure = embedding_figure(points, labels, np.ones(len(labels), bool), names, [""] * len(labels))
    markers = [trace.marker for trace in figure.data[:NAMED]]
    assert len({m.color for m in markers}) == len({m.symbol for m in markers}) == NAMED == len(TEN) == len(SYMBOLS)
    told = [(a.text, a.x, a.y) for a in figure.layout.annotations]
    assert told == [(f"<b>{name}</b>", c, 2 * c) for c, name in enumerate(names)]


def test_a_class_of_which_no_image_is_right_is_in_the_legend_too() -> None:
    labels, right = np.array([0, 0, 1, 1]), np.array([True, False, False, False])
    figure = embedding_figure(np.zeros((4, 2), np.float32), labels, right, ["cat", "ship"], [""] * 4)
    shown = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert shown == ["cat", "ship ✗", "✗ wrong"]


def test_more_classes_than_colours_have_no_names_on_the_map() -> None:
    labels = np.arange(NAMED + 1)
    points, names = np.zeros((NAMED + 1, 2), np.float32), ["c"] * (NAMED + 1)
    figure = embedding_figure(points, labels, labels < 0, names, names)
    assert not figure.layout.annotations and not figure.layout.showlegend
