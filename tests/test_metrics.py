"""Accuracies and the confusion matrix agree with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as their_matrix
from sklearn.metrics import recall_score

from cnnlab.metrics import ClassScore, class_scores, confusion_matrix

CLASSES = 5
answers = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=200)


@given(answers)
def test_the_confusion_matrix_is_scikit_learns(pairs):
    labels, predicted = np.array(pairs).T
    ours = confusion_matrix(labels, predicted, CLASSES)
    assert (ours == their_matrix(labels, predicted, labels=range(CLASSES))).all() and ours.dtype == np.int64


@given(answers)
def test_a_classs_accuracy_is_its_recall(pairs):
    labels, predicted = np.array(pairs).T
    scores = class_scores(confusion_matrix(labels, predicted, CLASSES), tuple("abcde"))
    theirs = recall_score(labels, predicted, labels=range(CLASSES), average=None, zero_division=0)
    assert [s.name for s in scores] == list("abcde") and sum(s.total for s in scores) == len(pairs)
    assert [s.accuracy or 0 for s in scores] == pytest.approx(theirs)


def test_a_class_without_images_has_no_accuracy():
    assert ClassScore("a", 0, 0).accuracy is None
    assert ClassScore("a", 0, 3).accuracy == 0
