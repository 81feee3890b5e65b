"""Whether a network is as sure as it is right: reliability bins, calibration error, and answering only when sure.

>>> import numpy as np
>>> bins = reliability(np.array([0.95, 0.95]), np.array([True, False]), bins=10)
>>> bins[-1].answers, round(calibration_error(bins), 2)
(2, 0.45)
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnlab.metrics import Interval, wilson

BINS = 15  # as in the paper below
MOST_POINTS = 500  # of a curve


class Bin(NamedTuple):
    """How many ``answers`` have a confidence in (low, high]; its mean, their ``accuracy``, and that one's interval."""

    low: float
    high: float
    answers: int
    confidence: float | None
    accuracy: float | None
    interval: Interval


@dataclass(frozen=True)
class Coverage:
    """What is left when the network answers only if at least ``threshold`` sure: how many answers, how many right."""

    threshold: float
    answered: int
    correct: int
    total: int

    @property
    def share(self) -> float:
        """Share of the images that get an answer."""
        return self.answered / self.total

    @property
    def accuracy(self) -> float | None:
        """Share of right ones among the answers; None without answers."""
        return self.correct / self.answered if self.answered else None


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """``bins`` equally wide Bins over [0, 1]. ``confidence`` float [N] is the answer's probability, ``right`` bool [N].

    Guo et al., On calibration of modern neural networks, 2017.
    """
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins).tolist()
    correct = np.bincount(place, right, minlength=bins).tolist()
    sums = np.bincount(place, confidence, minlength=bins).tolist()
    return [
        Bin(
            number / bins,
            (number + 1) / bins,
            n,
            total / n if n else None,
            hits / n if n else None,
            wilson(int(hits), n),
        )
        for number, (n, hits, total) in enumerate(zip(counts, correct, sums, strict=True))
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error: |accuracy − confidence| of each bin, weighted by its answers."""
    total = sum(b.answers for b in bins)
    gaps = [
        b.answers * abs(b.accuracy - b.confidence) for b in bins if b.accuracy is not None and b.confidence is not None
    ]
    return sum(gaps) / total


def coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> Coverage:
    """The Coverage at ``threshold`` in [0, 1]."""
    sure = confidence >= threshold
    return Coverage(threshold, int(sure.sum()), int(right[sure].sum()), len(right))


def coverage_curve(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """Shares answered and the accuracy among them, from the surest answer alone to all; at most MOST_POINTS."""
    hits = np.cumsum(right[np.argsort(-confidence, kind="stable")])
    counts = np.unique(np.linspace(1, len(right), min(MOST_POINTS, len(right))).round().astype(np.int64))
    return (counts / len(right)).tolist(), (hits[counts - 1] / counts).tolist()


def unanswered_by_class(
    confidence: NDArray[np.float64], labels: NDArray[np.int64], threshold: float, num_classes: int
) -> list[tuple[int, int]]:
    """For each class its images that stay unanswered at ``threshold``, and all its images."""
    silent = np.bincount(labels[confidence < threshold], minlength=num_classes).tolist()
    return list(zip(silent, np.bincount(labels, minlength=num_classes).tolist(), strict=True))
