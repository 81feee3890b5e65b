"""How good predictions are: accuracy and its interval, the confusion matrix, each class's scores.

>>> import numpy as np
>>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), num_classes=2).tolist()
[[1, 1], [0, 1]]
>>> wilson(9, 10).percent
'59.6–98.2 %'
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959964  # standard deviations to both sides that hold 95 % of a normal distribution


class Interval(NamedTuple):
    """Where a share in [0, 1] lies with a confidence of 95 %."""

    low: float
    high: float

    @property
    def percent(self) -> str:
        """Both ends as percentages."""
        return f"{100 * self.low:.1f}–{100 * self.high:.1f} %"


def percent(share: float | None) -> str:
    """A share in [0, 1] as a percentage, or a dash for None."""
    return "–" if share is None else f"{100 * share:.2f} %"


def loss(value: float | None) -> str:
    """A loss with four digits that matter, or a dash for None."""
    if value is None:
        return "–"
    return f"{abs(value):.4f}" if value >= 0.001 or value == 0 else f"{value:.1e}"


def wilson(successes: int, total: int, z: float = Z95) -> Interval:
    """The 95 % interval of the share ``successes / total``; [0, 1] where there is nothing to count.

    Another ``z`` gives another confidence: how many standard deviations to both sides.

    Wilson, Probable inference, the law of succession, and statistical inference, 1927. Unlike the textbook's interval
    it stays within [0, 1] and is honest for few images and for shares near 0 or 1.
    """
    if not total:
        return Interval(0.0, 1.0)
    share, weight = successes / total, z**2 / total
    middle = share + weight / 2
    spread = math.sqrt(weight * share * (1 - share) + weight**2 / 4)
    return Interval(max(0.0, (middle - spread) / (1 + weight)), min(1.0, (middle + spread) / (1 + weight)))


@dataclass(frozen=True)
class ClassScore:
    """Of the ``total`` images of class ``name``, ``correct`` were recognised; ``claimed`` images were taken for it."""

    name: str
    correct: int
    total: int
    claimed: int = 0

    @property
    def accuracy(self) -> float | None:
        """Share in [0, 1] of its images that were recognised, the recall; None for a class without images."""
        return self.correct / self.total if self.total else None

    @property
    def precision(self) -> float | None:
        """Share in [0, 1] of the images taken for it that are of it; None for a class never predicted."""
        return self.correct / self.claimed if self.claimed else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of recall and precision; None for a class that neither occurs nor is predicted."""
        return 2 * self.correct / (self.total + self.claimed) if self.total + self.claimed else None

    @property
    def accuracy_interval(self) -> Interval:
        """The 95 % interval of the recall."""
        return wilson(self.correct, self.total)

    @property
    def precision_interval(self) -> Interval:
        """The 95 % interval of the precision."""
        return wilson(self.correct, self.claimed)

    @property
    def f1_interval(self) -> Interval:
        """The 95 % interval of F1.

        F1 = 2 J / (1 + J), where J is the share of right ones among all images that are of the class or taken for it:
        a plain share, whose Wilson interval goes through the same formula.
        """
        low, high = wilson(self.correct, self.total + self.claimed - self.correct)
        return Interval(2 * low / (1 + low), 2 * high / (1 + high))


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """Counts [K, K]: row = true class, column = predicted class. ``labels`` and ``predicted`` are int64 [N]."""
    flat = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes).astype(np.int64)


def class_scores(matrix: NDArray[np.int64], class_names: tuple[str, ...]) -> list[ClassScore]:
    """A ClassScore for each class of the confusion ``matrix`` [K, K]."""
    counts = zip(class_names, matrix.diagonal().tolist(), matrix.sum(1).tolist(), matrix.sum(0).tolist(), strict=True)
    return [ClassScore(name, correct, total, claimed) for name, correct, total, claimed in counts]


def balanced_accuracy(matrix: NDArray[np.int64]) -> float:
    """Mean recall of the classes that have images: each class counts alike, however many images it has."""
    totals = matrix.sum(1)
    present = totals > 0
    return float((matrix.diagonal()[present] / totals[present]).mean())


def macro_f1(matrix: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur or are predicted; a class never predicted counts as 0."""
    sums = matrix.sum(1) + matrix.sum(0)
    known = sums > 0
    return float((2 * matrix.diagonal()[known] / sums[known]).mean())


def top_accuracy(probabilities: NDArray[np.float32], labels: NDArray[np.int64], k: int) -> float:
    """Share of images whose true class is among the ``k`` most probable. ``probabilities`` [N, K], ``labels`` [N].

    Of equally probable classes the first comes first, as in argmax.
    """
    own = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    before = (probabilities > own) | ((probabilities == own) & earlier)
    return float((before.sum(1) < k).mean())


def share_matrix(matrix: NDArray[np.int64], of: str) -> NDArray[np.float64]:
    """The counts [K, K] as shares of their ``row`` (what a class is taken for) or ``column`` (what an answer hides).

    A row or column without images is 0 throughout.
    """
    totals = matrix.sum(1, keepdims=True) if of == "row" else matrix.sum(0, keepdims=True)
    shares: NDArray[np.float64] = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    return shares
