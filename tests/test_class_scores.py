"""Every figure of a matrix made by hand, and the same from scikit-learn on made-up answers."""

from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from cnnlab.metrics import (
    Z95,
    balanced_accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    share_matrix,
    top_accuracy,
    wilson,
)

MADE = np.array([[8, 2, 0, 0], [1, 9, 0, 0], [3, 0, 7, 0], [0, 0, 0, 0]])
"""30 images of a, b and c; none of d, and d is never predicted. Columns: 12, 11, 7, 0."""


def answers(images: int = 500, classes: int = 7, seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Made-up probabilities [N, K] that are often right, and labels [N]."""
    dice = np.random.default_rng(seed)
    labels = dice.integers(classes, size=images)
    logits = dice.normal(size=(images, classes))
    logits[np.arange(images), labels] += 1.2
    shares = np.exp(logits)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32), labels


def test_each_class_score_of_the_made_matrix_is_known():
    a, b, c, d = class_scores(MADE, ("a", "b", "c", "d"))
    assert (a.accuracy, a.precision, a.f1) == (0.8, 8 / 12, 16 / 22)
    assert (b.accuracy, b.precision, b.f1) == (0.9, 9 / 11, 18 / 21)
    assert (c.accuracy, c.precision, c.f1) == (0.7, 1.0, 14 / 17)
    assert (d.accuracy, d.precision, d.f1) == (None, None, None)
    assert balanced_accuracy(MADE) == pytest.approx((0.8 + 0.9 + 0.7) / 3)
    assert macro_f1(MADE) == pytest.approx((16 / 22 + 18 / 21 + 14 / 17) / 3)
    claimed_alone = np.array([[4, 1], [0, 0]])  # the second class has no images, yet one is taken for it
    assert macro_f1(claimed_alone) == pytest.approx((8 / 9 + 0) / 2)


def test_shares_of_the_made_matrix_are_known_and_empty_classes_are_zero():
    assert share_matrix(MADE, "row")[2].tolist() == [0.3, 0.0, 0.7, 0.0]
    assert share_matrix(MADE, "column")[:, 0].tolist() == [8 / 12, 1 / 12, 3 / 12, 0.0]
    assert not share_matrix(MADE, "row")[3].any() and not share_matrix(MADE, "column")[:, 3].any()


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(9, 10, 0.5958, 0.9821), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_gives_the_intervals_of_published_tables(successes: int, total: int, low: float, high: float):
    assert wilson(successes, total) == pytest.approx((low, high), abs=1e-4)


def test_wilson_says_nothing_about_no_images_and_little_about_one():
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(1, 1)
    assert low == pytest.approx(0.2065, abs=1e-4) and high == 1.0
    assert NormalDist().inv_cdf(0.975) == pytest.approx(Z95, abs=1e-6)


def test_intervals_of_a_class_hold_its_figures():
    for score in class_scores(MADE, ("a", "b", "c", "d"))[:3]:
        pairs = (
            (score.accuracy_interval, score.accuracy),
            (score.precision_interval, score.precision),
            (score.f1_interval, score.f1),
        )
        assert all(value is not None and low <= value <= high for (low, high), value in pairs)
    a = class_scores(MADE, ("a", "b", "c", "d"))[0]
    assert a.accuracy_interval == wilson(8, 10) and a.precision_interval == wilson(8, 12)
    jaccard = wilson(8, 14)  # of the images that are a or are taken for it
    assert a.f1_interval == pytest.approx([2 * end / (1 + end) for end in jaccard])


def test_scores_agree_with_scikit_learn():
    probabilities, labels = answers()
    predicted = probabilities.argmax(1)
    matrix = confusion_matrix(labels, predicted, 7)
    assert (matrix == reference.confusion_matrix(labels, predicted)).all()
    assert balanced_accuracy(matrix) == pytest.approx(reference.balanced_accuracy_score(labels, predicted))
    assert macro_f1(matrix) == pytest.approx(reference.f1_score(labels, predicted, average="macro"))
    precision, recall, f1, _ = reference.precision_recall_fscore_support(labels, predicted)
    found = class_scores(matrix, tuple("abcdefg"))
    assert [s.precision for s in found] == pytest.approx(precision.tolist())
    assert [s.accuracy for s in found] == pytest.approx(recall.tolist())
    assert [s.f1 for s in found] == pytest.approx(f1.tolist())
    for k in (1, 3):
        assert top_accuracy(probabilities, labels, k) == pytest.approx(
            reference.top_k_accuracy_score(labels, probabilities, k=k)
        )


def test_a_network_that_finds_all_alike_does_not_have_every_class_on_top():
    flat = np.full((10, 10), 0.1, np.float32)
    assert top_accuracy(flat, np.arange(10), 3) == 0.3
