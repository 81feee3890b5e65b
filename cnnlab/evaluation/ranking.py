"""How well one class's probability ranks the images: precision–recall and ROC, one class against the rest.

>>> import numpy as np
>>> curves = ranking(np.array([0.9, 0.8, 0.2], np.float32), np.array([True, True, False]))
>>> curves.average_precision, curves.roc_area
(1.0, 1.0)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.metrics import ClassScore

FIRST = 5  # classes shown at first, those recognised worst
GOOD = 0.97  # average precision from which on a curve is seen in its corner alone
MOST_POINTS = 1000  # of a curve; more cannot be told apart on a screen, also where its corner is enlarged


@dataclass(frozen=True)
class Ranking:
    """Two curves over all thresholds, each (x, y) in [0, 1], and the areas below them."""

    precision_recall: tuple[list[float], list[float]]
    average_precision: float
    roc: tuple[list[float], list[float]]
    roc_area: float
    positives: int


def ranking(probability: NDArray[np.float32], positive: NDArray[np.bool_]) -> Ranking | None:
    """The Ranking by ``probability`` float [N] of the ``positive`` images, bool [N].

    None where all images are of the class or none is: there is nothing to tell apart. Curves and areas are
    scikit-learn's.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    if positive.all() or not positive.any():
        return None
    precision, recall, _ = precision_recall_curve(positive, probability)
    false, true, _ = roc_curve(positive, probability)
    return Ranking(
        _thinned(recall[::-1], precision[::-1]),
        float(average_precision_score(positive, probability)),
        _thinned(false, true),
        float(roc_auc_score(positive, probability)),
        int(positive.sum()),
    )


def in_corner(rankings: Iterable[Ranking]) -> bool:
    """Whether the curves are all so good that they differ in their corner alone."""
    return min(r.average_precision for r in rankings) >= GOOD


def hardest(scores: Sequence[ClassScore]) -> list[int]:
    """Places of the classes that can be told from others by these images, that with the lowest F1 first."""
    images = sum(s.total for s in scores)
    return sorted((c for c, s in enumerate(scores) if 0 < s.total < images), key=lambda c: scores[c].f1 or 0.0)


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """At most MOST_POINTS of the curve's, at even distances along it, so that its steep part keeps its shape."""
    along = np.cumsum(np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])))
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS - 1)))
    kept = np.union1d(kept, len(x) - 1)
    return x[kept].tolist(), y[kept].tolist()
