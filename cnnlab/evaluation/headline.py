"""How good a network is in a few measures, each beside that of answers which never look at the image.

>>> [m.value for m in measures(evaluation) if m.label == "Accuracy"]       # doctest: +SKIP
['99.13 %']
"""

from dataclasses import dataclass

from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.evaluation.scores import TOP, baseline
from cnnlab.metrics import loss, percent


@dataclass(frozen=True)
class Measure:
    """One measure, written out, and the baseline's where it has one; ``help`` says what it means."""

    label: str
    value: str
    baseline: str | None
    help: str


def measures(evaluation: Evaluation) -> list[Measure]:
    """The measures of ``evaluation``, the accuracy first; all but the loss as percentages."""
    found, classes = evaluation.scores, len(evaluation.class_names)
    blind = baseline(evaluation.labels, classes)
    everything = [
        Measure(
            "Accuracy",
            percent(found.accuracy),
            percent(blind.accuracy),
            f"{found.correct:,} right of {found.count:,}. The baseline never looks: its probabilities are always the "
            "classes' shares of these images, so it answers the most frequent class.",
        ),
        Measure("Loss", loss(found.loss), loss(blind.loss), "Mean cross-entropy; lower is better."),
        Measure(
            "Balanced accuracy",
            percent(found.balanced_accuracy),
            percent(blind.balanced_accuracy),
            "Mean accuracy of the classes: each counts alike, however many images it has.",
        ),
        Measure("Macro F1", percent(found.macro_f1), percent(blind.macro_f1), "Mean F1 of the classes."),
        Measure(
            f"Top-{TOP} accuracy",
            percent(found.top3),
            percent(blind.top3),
            f"How often the true class is among the {TOP} most probable.",
        ),
        Measure(
            "Calibration error",
            percent(found.calibration_error),
            None,  # the baseline's is 0: it takes its confidence from the answers
            "How far its confidence lies from its accuracy, on average over 15 bins (ECE). 0 is honest.",
        ),
    ]
    return everything if classes > TOP else [m for m in everything if not m.label.startswith("Top-")]
