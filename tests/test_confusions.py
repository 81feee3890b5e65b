"""The pairs of a matrix made by hand, and an order that brings the confused together."""

import numpy as np

from cnnlab.evaluation.confusions import Pair, confused_pairs, similarity_order

MADE = np.array([[8, 2, 0, 0], [1, 9, 0, 0], [3, 0, 7, 0], [0, 0, 0, 0]])


def test_pairs_of_the_made_matrix_come_fullest_first():
    assert confused_pairs(MADE) == [Pair(2, 0, 3, 10), Pair(0, 1, 2, 10), Pair(1, 0, 1, 10)]
    assert confused_pairs(np.diag([3, 4])) == []


def test_confused_classes_stand_together():
    matrix = np.diag([50] * 6)
    matrix[0, 5] = matrix[5, 0] = 30
    matrix[1, 3] = 25
    order = similarity_order(matrix).tolist()
    assert sorted(order) == list(range(6))
    assert abs(order.index(0) - order.index(5)) == 1
    assert abs(order.index(1) - order.index(3)) == 1


def test_two_classes_and_empty_ones_have_an_order_too():
    assert similarity_order(np.array([[3, 1], [0, 2]])).tolist() == [0, 1]
    assert sorted(similarity_order(MADE).tolist()) == [0, 1, 2, 3]
