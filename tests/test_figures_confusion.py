"""The confusion matrix as drawn: its numbers, its clickable squares, and a hundred classes."""

import numpy as np
import pytest

from cnnlab.figures.confusion import confusion_figure
from cnnlab.metrics import share_matrix

MADE = np.array([[8, 2, 0, 0], [1, 9, 0, 0], [3, 0, 7, 0], [0, 0, 0, 0]])
NAMES = ["ant", "bee", "cat", "dog"]


def squares(figure):
    return {
        tuple(cell): (x, y) for cell, x, y in zip(*(figure.data[-1][k] for k in ("customdata", "x", "y")), strict=True)
    }


def test_each_cell_with_images_can_be_clicked_where_it_stands():
    figure = confusion_figure(MADE, MADE.astype(float), NAMES)
    assert squares(figure) == {(t, p): (p, t) for t, p in np.argwhere(MADE).tolist()}
    assert figure.data[-1].text[1].startswith("<b>ant</b> taken for <b>bee</b><br>2 images<br>20.0% of all ant")
    assert figure.data[-1].text[2].startswith("<b>bee</b> taken for <b>ant</b><br>1 image<br>10.0% of all bee")


def test_another_order_moves_cells_with_their_classes():
    figure = confusion_figure(MADE, MADE.astype(float), NAMES, order=[2, 0, 1, 3])
    assert squares(figure)[2, 0] == (1, 0)
    assert figure.data[0].z[0][1] == 3
    assert list(figure.layout.yaxis.ticktext) == ["cat", "ant", "bee", "dog"]


def test_a_hidden_diagonal_leaves_only_errors():
    figure = confusion_figure(MADE, MADE.astype(float), NAMES, hide_diagonal=True)
    assert np.isnan(np.diagonal(figure.data[0].z)).all()
    assert set(squares(figure)) == {(0, 1), (1, 0), (2, 0)}
    assert figure.data[0].zmax == 3


def test_numbers_are_counts_or_percentages():
    def texts(figure):
        return sorted(text for trace in figure.data[1:-1] for text in trace.text)

    assert texts(confusion_figure(MADE, MADE.astype(float), NAMES)) == ["1", "2", "3", "7", "8", "9"]
    shares = share_matrix(MADE, "row")
    assert texts(confusion_figure(MADE, shares, NAMES, share_of="row")) == ["10", "20", "30", "70", "80", "90"]
    many = np.array([[9_821, 99, 78, 2], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    shares = share_matrix(many, "row")
    assert texts(confusion_figure(many, shares, NAMES, share_of="row")) == ["0.8", "1.0", "98", "<0.1"]


def test_log_colour_lifts_small_counts():
    plain = confusion_figure(np.array([[1000, 1], [0, 900]]), np.array([[1000.0, 1], [0, 900]]), ["a", "b"])
    log = confusion_figure(np.array([[1000, 1], [0, 900]]), np.array([[1000.0, 1], [0, 900]]), ["a", "b"], log=True)
    assert plain.data[0].z[0][1] / plain.data[0].zmax < 0.01
    assert log.data[0].z[0][1] / log.data[0].zmax > 0.1


@pytest.mark.parametrize("share_of", ["", "row", "column"])
def test_a_hundred_classes_thin_their_labels_out(share_of: str):
    dice = np.random.default_rng(0)
    counts = dice.poisson(0.3, (100, 100)) + np.diag(np.full(100, 70))
    values = share_matrix(counts, share_of) if share_of else counts.astype(float)
    figure = confusion_figure(counts, values, [f"class number {n}" for n in range(100)], share_of=share_of, height=860)
    assert 20 <= len(figure.layout.xaxis.ticktext) <= 60
    assert figure.data[0].showscale
    assert len(figure.data) == 1  # no numbers, no squares, but all can be hovered
    assert figure.data[0].text[0][0].startswith("<b>class number 0</b> taken for")
    assert list(figure.layout.meta["labels"]) == list(range(100))


def test_a_matrix_without_any_image_can_be_drawn():
    empty = np.zeros((3, 3), np.int64)
    assert len(confusion_figure(empty, empty.astype(float), list("abc"), hide_diagonal=True, log=True).data[-1].x) == 0


def test_names_are_shown_letter_by_letter():
    counts = np.array([[5, 2], [0, 6]])
    figure = confusion_figure(counts, counts.astype(float), ["<b>", "a class <with a long name>"])
    assert list(figure.layout.xaxis.ticktext) == ["&lt;b&gt;", "a class &lt;with…"]
    assert "<b>&lt;b&gt;</b> taken for" in figure.data[-1].text[1]
