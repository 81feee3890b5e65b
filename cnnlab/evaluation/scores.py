"""An evaluation's headline in figures, and the same for answers that never look at the image.

>>> import numpy as np
>>> found = scores(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32), np.array([0, 1, 1]))
>>> found.correct, found.count, round(found.loss, 3)
(2, 3, 0.415)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.evaluation.calibration import calibration_error, reliability
from cnnlab.metrics import Interval, balanced_accuracy, confusion_matrix, macro_f1, top_accuracy, wilson

SMALLEST = 1e-12  # a probability of 0 would make the loss infinite
TOP = 3


@dataclass(frozen=True)
class Scores:
    """How good N answers are; all but counts and loss in [0, 1]."""

    count: int
    correct: int
    loss: float
    balanced_accuracy: float
    macro_f1: float
    top3: float
    calibration_error: float

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.correct / self.count

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson(self.correct, self.count)


def scores(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """The Scores of ``probabilities`` float32 [N, K] for ``labels`` int64 [N], N at least 1."""
    predicted = probabilities.argmax(1)
    right = predicted == labels
    matrix = confusion_matrix(labels, predicted, probabilities.shape[1])
    return Scores(
        len(labels),
        int(right.sum()),
        float(losses(probabilities, labels).mean()),
        balanced_accuracy(matrix),
        macro_f1(matrix),
        top_accuracy(probabilities, labels, TOP),
        calibration_error(reliability(probabilities.max(1).astype(np.float64), right)),
    )


def losses(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cross-entropy of each image, −log of its true class's probability: float64 [N]."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    found: NDArray[np.float64] = -np.log(np.maximum(own, SMALLEST))
    return found


def baseline(labels: NDArray[np.int64], num_classes: int) -> Scores:
    """The Scores of always answering the most frequent class; each class is as probable as it is in ``labels``."""
    frequency = np.bincount(labels, minlength=num_classes) / len(labels)
    return scores(np.broadcast_to(frequency.astype(np.float32), (len(labels), num_classes)), labels)
