"""How good predictions are: accuracy, the confusion matrix, each class's share.

>>> import numpy as np
>>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), num_classes=2).tolist()
[[1, 1], [0, 1]]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassScore:
    """How many of the ``total`` images of class ``name`` were recognised."""

    name: str
    correct: int
    total: int

    @property
    def accuracy(self) -> float | None:
        """Share in [0, 1]; None for a class without images."""
        return self.correct / self.total if self.total else None


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """Counts [K, K]: row = true class, column = predicted class. ``labels`` and ``predicted`` are int64 [N]."""
    flat = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes).astype(np.int64)


def class_scores(matrix: NDArray[np.int64], class_names: tuple[str, ...]) -> list[ClassScore]:
    """A ClassScore for each class of the confusion ``matrix`` [K, K]."""
    return [
        ClassScore(name, int(matrix[label, label]), int(matrix[label].sum())) for label, name in enumerate(class_names)
    ]
