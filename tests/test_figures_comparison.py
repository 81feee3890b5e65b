"""Runs' curves laid over each other."""

import pytest

from cnnlab.figures.comparison import MOST, comparison_figure
from cnnlab.figures.curves import curves_figure

CURVES = {"val/loss": ([1, 2], [0.5, 0.4]), "val/accuracy": ([1, 2], [0.8, 0.9]), "train/loss": ([1, 2], [0.6, 0.3])}


def test_each_run_has_its_own_colour_and_marker_in_both_charts():
    figure = comparison_figure({f"run {n}": CURVES for n in range(MOST)}, "val")
    signs = {(t.name, t.line.color, t.marker.symbol) for t in figure.data}
    assert len(signs) == MOST and len({sign[1:] for sign in signs}) == MOST
    assert [t.yaxis for t in figure.data] == ["y", "y2"] * MOST
    assert [t.showlegend for t in figure.data] == [True, False] * MOST
    assert list(figure.data[1].y) == [0.8, 0.9]


@pytest.mark.parametrize(("split", "names"), [("val", ["b", "b"]), ("train", ["b"]), ("test", [])])
def test_a_run_without_such_figures_has_no_curve(split, names):
    figure = comparison_figure({"a": {}, "b": CURVES}, split)
    assert [t.name for t in figure.data] == names and all(
        t.line.color == figure.data[0].line.color for t in figure.data
    )


@pytest.mark.parametrize("make", [lambda log: comparison_figure({"a": CURVES}, "val", log_loss=log),
                                  lambda log: curves_figure(CURVES, log_loss=log)])  # fmt: skip
def test_losses_may_be_drawn_by_their_powers_of_ten(make):
    assert make(True).layout.yaxis.type == "log" and make(True).layout.yaxis2.type is None
    assert make(False).layout.yaxis.type is None and make(False).layout.yaxis.rangemode == "tozero"
