"""The headline, its calibration and its baseline."""

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from cnnlab.evaluation.calibration import calibration_error, coverage, coverage_curve, reliability, unanswered_by_class
from cnnlab.evaluation.scores import baseline, scores
from tests.test_class_scores import answers


def test_scores_agree_with_scikit_learn():
    probabilities, labels = answers()
    found = scores(np.log(probabilities), labels)
    assert found.accuracy == reference.accuracy_score(labels, probabilities.argmax(1))
    assert found.loss == pytest.approx(
        reference.log_loss(
            labels, probabilities.astype(np.float64) / probabilities.astype(np.float64).sum(1, keepdims=True)
        )
    )
    assert found.interval.low < found.accuracy < found.interval.high
    assert (found.count, found.correct) == (500, round(500 * found.accuracy))


def test_the_baseline_answers_the_most_frequent_class():
    labels = np.array([0, 0, 0, 1, 2, 3])
    found = baseline(labels, 5)
    assert (found.correct, found.count, found.balanced_accuracy) == (3, 6, 0.25)
    assert found.macro_f1 == pytest.approx(2 * 3 / 9 / 4)
    assert found.top3 == 5 / 6
    entropy = -(0.5 * np.log(0.5) + 3 / 6 * np.log(1 / 6))
    assert found.loss == pytest.approx(entropy)
    assert found.calibration_error == pytest.approx(0, abs=1e-7)


def test_one_image_is_scored():
    found = scores(np.log([[0.2, 0.8]]), np.array([1]))
    assert (found.accuracy, found.balanced_accuracy, found.macro_f1, found.top3) == (1, 1, 1, 1)


def test_reliability_agrees_with_scikit_learn():
    probabilities, labels = answers()
    confidence, right = probabilities.max(1).astype(np.float64), probabilities.argmax(1) == labels
    accuracies, confidences = calibration_curve(right, confidence, n_bins=15)
    bins = [b for b in reliability(confidence, right) if b.answers]
    assert [b.accuracy for b in bins] == pytest.approx(accuracies.tolist())
    assert [b.confidence for b in bins] == pytest.approx(confidences.tolist())


def test_a_bin_holds_its_upper_end_and_not_its_lower():
    bins = reliability(np.array([0.5, 0.5, 0.75, 1.0]), np.ones(4, bool), 4)
    assert [(b.high, b.answers) for b in bins] == [(0.25, 0), (0.5, 2), (0.75, 1), (1.0, 1)]


def test_calibration_error_of_made_bins_is_known():
    confidence = np.array([0.95, 0.95, 0.65, 0.65])
    right = np.array([True, False, True, False])
    assert calibration_error(reliability(confidence, right, 10)) == pytest.approx((0.45 + 0.15) / 2)
    assert calibration_error(reliability(np.ones(3), np.ones(3, bool))) == 0


def test_answering_only_when_sure_trades_coverage_for_accuracy():
    confidence = np.array([0.9, 0.8, 0.6, 0.5])
    right = np.array([True, True, False, True])
    assert coverage(confidence, right, 0.7).share == 0.5
    assert coverage(confidence, right, 0.7).accuracy == 1.0
    assert coverage(confidence, right, 0.99).accuracy is None
    assert coverage(confidence, right, 0.8).answered == 2  # who is just as sure as asked answers
    assert unanswered_by_class(confidence, np.array([0, 0, 1, 2]), 0.8, 3) == [(0, 2), (1, 1), (1, 1)]
    assert coverage_curve(confidence, right) == ([0.25, 0.5, 0.75, 1.0], [1.0, 1.0, 2 / 3, 0.75])
    assert unanswered_by_class(confidence, np.array([0, 0, 1, 2]), 0.7, 4) == [(0, 2), (1, 1), (1, 1), (0, 0)]
