"""An evaluation's headline in figures, and the same for answers that never look at the image.

>>> import numpy as np
>>> found = scores(np.log([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 1, 1]))
>>> found.correct, found.count, round(found.loss, 3)
(2, 3, 0.415)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.evaluation.calibration import calibration_error, reliability
from cnnlab.metrics import Interval, balanced_accuracy, confusion_matrix, macro_f1, top_accuracy, wilson

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


def scores(log_probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Scores:
    """The Scores of answers, ``log_probabilities`` [N, K], for ``labels`` int64 [N], N at least 1."""
    predicted = log_probabilities.argmax(1)
    right = predicted == labels
    matrix = confusion_matrix(labels, predicted, log_probabilities.shape[1])
    confidence = np.exp(log_probabilities.max(1).astype(np.float64))
    return Scores(
        len(labels),
        int(right.sum()),
        float(losses(log_probabilities, labels).mean()),
        balanced_accuracy(matrix),
        macro_f1(matrix),
        top_accuracy(log_probabilities, labels, TOP),
        calibration_error(reliability(confidence, right)),
    )


def losses(log_probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cross-entropy of each image, −log of its true class's probability: float64 [N]."""
    own: NDArray[np.float64] = -log_probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return own


def baseline(labels: NDArray[np.int64], num_classes: int) -> Scores:
    """The Scores of giving every image the classes' shares of ``labels`` as probabilities, whatever it shows."""
    frequency = np.bincount(labels, minlength=num_classes) / len(labels)
    with np.errstate(divide="ignore"):  # a class without images: its probability, 0, is asked of no image
        answer = np.log(frequency)
    return scores(np.broadcast_to(answer, (len(labels), num_classes)), labels)
