"""Curves of one class against the rest, of answers made by hand and of many."""

from itertools import pairwise

import numpy as np
import pytest

from cnnlab.evaluation.ranking import MOST_POINTS, ranking
from cnnlab.figures.calibration import coverage_figure, reliability_figure
from cnnlab.figures.ranking import ranking_figure


def test_areas_of_made_answers_are_known():
    found = ranking(np.array([0.9, 0.8, 0.7, 0.1], np.float32), np.array([True, False, True, False]))
    assert found is not None
    assert found.roc_area == 0.75
    assert found.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found.positives == 2


def test_one_class_alone_has_no_curves():
    assert ranking(np.array([0.9, 0.8], np.float32), np.array([True, True])) is None
    assert ranking(np.array([0.9, 0.8], np.float32), np.array([False, False])) is None


def test_many_images_give_curves_that_can_be_drawn():
    dice = np.random.default_rng(1)
    positive = dice.random(20_000) < 0.3
    found = ranking((dice.normal(size=20_000) + positive).astype(np.float32), positive)
    assert found is not None
    for x, y in (found.precision_recall, found.roc):
        assert len(x) == len(y) <= MOST_POINTS and np.all(np.diff(x) >= 0)
    assert len(ranking_figure({"a": (found.precision_recall, found.roc)}).data) == 2


def test_a_steep_curve_keeps_its_corner():
    probability = np.linspace(1, 0, 10_000, dtype=np.float32)
    positive = np.arange(10_000) < 1000
    positive[[990, 1020]] = positive[[1020, 990]]
    found = ranking(probability, positive)
    assert found is not None
    recall, precision = map(np.array, found.precision_recall)
    corner = (recall > 0.98) & (precision > 0.95)
    assert corner.sum() >= 15 and min(precision[recall == 1.0].max(), 1.0) == pytest.approx(1000 / 1021)


def test_the_corner_is_a_tenth_of_each_axis():
    figure = ranking_figure({"a": (([0.9, 1.0], [1.0, 0.9]), ([0.0, 0.1], [0.9, 1.0]))}, corner=True)
    ranges = [axis.range for axis in (figure.layout.xaxis, figure.layout.xaxis2, figure.layout.yaxis)]
    assert [round(end, 1) for low, high in ranges for end in (low, high)] == [0.9, 1.0, 0.0, 0.1, 0.9, 1.0]


def test_of_five_curves_that_coincide_each_is_seen():
    found = ([0.0, 1.0], [1.0, 1.0])
    figure = ranking_figure({name: (found, found) for name in "abcde"})
    dashes = [trace.line.dash for trace in figure.data if trace.xaxis == "x"]
    drawn = [50 if dash == "solid" else int(dash.partition("px")[0]) for dash in dashes]  # of 50 pixels
    assert all(over + 8 <= below for below, over in pairwise(drawn)) and drawn[-1] >= 8


def test_a_threshold_that_leaves_no_answer_is_not_marked():
    assert len(coverage_figure([0.5, 1.0], [1.0, 0.9], None).data) == 1
    assert len(coverage_figure([0.5, 1.0], [1.0, 0.9], (0.5, 1.0)).data) == 2


def test_of_a_single_answer_the_curves_show_a_point_and_a_bar_as_wide_as_its_bin():
    assert coverage_figure([1.0], [1.0], None).data[0].mode == "markers"
    bar = reliability_figure([(0.6, 0.8, 1, 0.7, 1.0, (0.2, 1.0))]).data[-1]
    assert bar.x == pytest.approx((0.7,)) and bar.width == pytest.approx((0.18,))
