"""What a confusion matrix tells: the pairs that are confused most, and an order that puts them side by side.

>>> import numpy as np
>>> confused_pairs(np.array([[5, 2], [0, 6]]))
[Pair(true=0, predicted=1, count=2, total=7)]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pair:
    """``count`` of the ``total`` images of class ``true`` were taken for class ``predicted``."""

    true: int
    predicted: int
    count: int
    total: int

    @property
    def share(self) -> float:
        """Share of the true class's images in [0, 1]."""
        return self.count / self.total


def confused_pairs(matrix: NDArray[np.int64]) -> list[Pair]:
    """All cells beside the diagonal of ``matrix`` [K, K] that hold images, the fullest first; ties by share."""
    totals = matrix.sum(1)
    errors = matrix - np.diag(matrix.diagonal())
    cells = [Pair(int(t), int(p), int(matrix[t, p]), int(totals[t])) for t, p in np.argwhere(errors)]
    return sorted(cells, key=lambda pair: (-pair.count, -pair.share))


def similarity_order(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """The classes in an order, int64 [K], in which those that are confused with each other stand together.

    Hierarchical clustering with average linkage, leaves flipped for the nearest neighbours (Bar-Joseph et al., Fast
    optimal leaf ordering for hierarchical clustering, 2001). Two classes are the nearer, the larger the share of
    their images that is taken for the other.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    classes = len(matrix)
    if classes < 3:
        return np.arange(classes)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    nearness = (shares + shares.T)[np.triu_indices(classes, 1)]
    order: NDArray[np.int64] = leaves_list(linkage(2 - nearness, "average", optimal_ordering=True)).astype(np.int64)
    return order
