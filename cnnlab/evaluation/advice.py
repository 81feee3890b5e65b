"""What to do next, from rules alone, each with its evidence; a rule that sees nothing says nothing.

>>> overfitting(train=[1.0, 0.5, 0.3, 0.2, 0.1], val=[0.9, 0.5, 0.6, 0.7, 0.8], config=TrainConfig()).title
'It learns its training images by heart'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cnnlab.config import TrainConfig, applies
from cnnlab.evaluation.calibration import calibration_error, reliability
from cnnlab.evaluation.scores import Scores
from cnnlab.loader import augments
from cnnlab.metrics import ClassScore, balanced_accuracy, wilson
from cnnlab.models import dropout_of

ABOVE = 0.05  # of accuracy above answering blindly: less is not much
FALL = 0.03  # of the loss, an epoch: less is not worth another run
RISE = 0.1  # of the lowest validation loss: less is noise
LEAST_RISE = 0.02  # of the loss itself: where it is near 0, one image makes it rise by more than a tenth
BEHIND = 0.1  # of accuracy below the other classes
EATEN = 0.05  # of a class's images
NAMED = 3  # classes that are behind; the others are counted
LEAST_IMAGES = 10  # of a class: of 9, none right may still mean that it recognises 30 % (95 % interval)
FEWEST = 10  # images that a pair of classes must have confused
OVERCONFIDENT = 0.03  # of confidence above accuracy
RUNS, AGREEING = 10, 0.9  # runs that must have answered, and the share of them that must give the same wrong answer


@dataclass(frozen=True)
class Advice:
    """A finding in a few words, the figures behind it, and what to try."""

    title: str
    evidence: str
    action: str


def learnt_nothing(matrix: NDArray[np.int64], class_names: Sequence[str]) -> Advice | None:
    """It is right no more often than who always answers the most frequent class, and tells no other from it.

    ``matrix`` int64 [K, K], true rows.
    """
    count, right = int(matrix.sum()), int(matrix.trace())
    present = int(np.count_nonzero(matrix.sum(1)))
    if present < 2 or balanced_accuracy(matrix) >= 1 / present + ABOVE:
        return None
    frequent, always = int(matrix.sum(1).argmax()), int(matrix.sum(0).argmax())
    blind, said = int(matrix[frequent].sum()), int(matrix[:, always].sum())
    if right / count - blind / count >= ABOVE or wilson(right, count).low > blind / count:
        return None
    return Advice(
        "It has learnt nothing yet",
        f"{right:,} of {count:,} answers are right, hardly more than by always answering {class_names[frequent]} "
        f"({blind:,}); {said:,} of its answers are {class_names[always]}.",
        "Look at its curves: where the loss still falls, train for more epochs; where it never fell, try another "
        "learning rate.",
    )


def still_falling(val: Sequence[float]) -> Advice | None:
    """The validation loss, one figure an epoch, is lowest at the end and still falls fast."""
    if len(val) < 3 or val[-1] > min(val) or not val[-3] > val[-2] > val[-1]:
        return None
    fall = (val[-2] - val[-1]) / val[-2]
    if fall < FALL:
        return None
    return Advice(
        "The loss is still falling",
        f"Validation loss went from {val[-3]:.4f} over {val[-2]:.4f} to {val[-1]:.4f} in the last epochs; "
        f"the last one alone took {100 * fall:.0f} % off.",
        f"Repeat the run with more epochs, say {2 * len(val)}.",
    )


def overfitting(train: Sequence[float], val: Sequence[float], config: TrainConfig) -> Advice | None:
    """The validation loss rises for two epochs and more, above the training loss, while that still falls."""
    if not val or len(train) != len(val):
        return None
    best = int(np.argmin(val))
    if len(val) - 1 - best < 2 or val[-1] - val[best] < max(LEAST_RISE, RISE * val[best]):
        return None
    if train[-1] >= train[best] or val[-1] <= train[-1]:
        return None
    return Advice(
        "It learns its training images by heart",
        f"Since epoch {best + 1} validation loss rose from {val[best]:.4f} to {val[-1]:.4f}, while training loss fell "
        f"from {train[best]:.4f} to {train[-1]:.4f}.",
        f"Try {_untried(config)}; the best checkpoint is from before the rise.",
    )


def _untried(config: TrainConfig) -> str:
    """What keeps a network from learning its images by heart and ``config`` does without, as a list in words."""
    takes_dropout = applies("dropout", config.model_dump())
    untried = {
        "augmentation": not augments(config),
        "dropout": takes_dropout and not dropout_of(config),
        "weight decay": not config.weight_decay,
        "early stopping": not config.early_stopping,
    }
    return _listed([remedy for remedy, open in untried.items() if open] or ["more training images"], "or")


def _listed(words: Sequence[str], link: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {link} {last}" if others else last


def weak_classes(scores: Sequence[ClassScore]) -> Advice | None:
    """Some classes, at most half of them, are recognised far less often than the others, by more than chance.

    One of many classes looks bad by chance alone: each interval is widened for their number (Bonferroni).
    """
    known = [s for s in scores if s.total]
    if len(known) < 2:
        return None
    whole = _together(known)
    z = NormalDist().inv_cdf(1 - 0.025 / len(known))

    def rest(some: ClassScore) -> ClassScore:
        return ClassScore("all others", whole.correct - some.correct, whole.total - some.total)

    def behind(one: ClassScore) -> bool:
        gap = (rest(one).accuracy or 0.0) - (one.accuracy or 0.0)
        return gap >= BEHIND and wilson(one.correct, one.total, z).high < rest(one).accuracy_interval.low

    weak = sorted(filter(behind, known), key=lambda s: s.accuracy or 0.0)
    if not weak or 2 * len(weak) > len(known):
        return None
    group = _together(weak)
    accuracy, others = (100 * (s.accuracy or 0.0) for s in (group, rest(group)))
    more = [f"{len(weak) - NAMED} more"] if weak[NAMED:] else []
    named = _listed([s.name for s in weak[:NAMED]] + more, "and")
    are, its, it = ("is", "its", "it") if len(weak) == 1 else ("are", "their", "them")
    return Advice(
        f"{named} {are} far behind the other classes",
        f"{accuracy:.1f} % of {its} {group.total:,} images are recognised, {others:.1f} % of all others.",
        f"Look at {its} errors in Classes: more or cleaner images of {it} help most.",
    )


def _together(scores: Sequence[ClassScore]) -> ClassScore:
    return ClassScore("together", sum(s.correct for s in scores), sum(s.total for s in scores))


def too_few(scores: Sequence[ClassScore]) -> Advice | None:
    """Some classes have so few images that their own figures say nothing."""
    few = sorted((s for s in scores if 0 < s.total < LEAST_IMAGES), key=lambda s: s.total)
    if not few:
        return None
    named = ", ".join(f"{s.name} ({s.total})" for s in few[:8]) + (f" and {len(few) - 8} more" if few[8:] else "")
    first = few[0]
    low, high = first.accuracy_interval
    return Advice(
        "Too few images to judge some classes",
        f"Fewer than {LEAST_IMAGES} images: {named}. {first.correct} of {first.total} right may mean anything from "
        f"{100 * low:.0f} to {100 * high:.0f} % (95 % interval).",
        "Don't judge these classes by their figures; hold out more images of them.",
    )


def eating_pair(matrix: NDArray[np.int64], class_names: Sequence[str]) -> Advice | None:
    """Two classes are taken for each other, in both directions, more than any two others."""
    totals = np.maximum(matrix.sum(1), 1)
    shares = matrix / totals[:, None]
    both = np.triu(matrix + matrix.T, 1) * (np.minimum(shares, shares.T) >= EATEN)
    if both.max(initial=0) < FEWEST:
        return None
    a, b = (int(i) for i in np.unravel_index(both.argmax(), both.shape))
    errors = int(matrix.sum() - matrix.trace())
    return Advice(
        f"{class_names[a]} and {class_names[b]} eat each other",
        f"{matrix[a, b]:,} of {totals[a]:,} {class_names[a]} are taken for {class_names[b]}, {matrix[b, a]:,} of "
        f"{totals[b]:,} {class_names[b]} for {class_names[a]}: {100 * both[a, b] / errors:.0f} % of all errors.",
        "Look at both cells in Confusion: are the labels right, and could you tell these images apart at this size?",
    )


def too_small(scores: Scores, others: Mapping[str, float]) -> Advice | None:
    """The accuracy's interval is wider than its gap to the nearest of ``others`` (a run's name -> its accuracy)."""
    if not others:
        return None
    name = min(others, key=lambda n: abs(others[n] - scores.accuracy))
    gap, width = abs(others[name] - scores.accuracy), scores.interval.high - scores.interval.low
    if gap >= width:
        return None
    return Advice(
        "Too few images to choose by",
        f"{name} has {100 * others[name]:.2f} %, this run {100 * scores.accuracy:.2f} %: {100 * gap:.2f} points apart. "
        f"With {scores.count:,} images the 95 % interval is {100 * width:.2f} points wide.",
        "Don't prefer one run to the other by this figure; hold out more images, or repeat both with other seeds.",
    )


def overconfident(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Advice | None:
    """It is surer than it is right, by more than chance. ``confidence`` float [N], ``right`` bool [N]."""
    sure, accuracy = float(confidence.mean()), float(right.mean())
    if sure - accuracy < OVERCONFIDENT or sure <= wilson(int(right.sum()), len(right)).high:
        return None
    error = calibration_error(reliability(confidence, right))
    return Advice(
        "It is surer than it is right",
        f"It is {100 * sure:.1f} % sure on average and right in {100 * accuracy:.1f} %; calibration error "
        f"{100 * error:.1f} %.",
        "Try label smoothing (0.1), more augmentation or fewer epochs; don't take its confidence at its word.",
    )


def mislabelled(
    answers: Sequence[NDArray[np.int64]], labels: NDArray[np.int64], ids: NDArray[np.int64], class_names: Sequence[str]
) -> Advice | None:
    """Images to which nine of ten runs give the same other class. ``answers``: each run's classes, int64 [N]."""
    if len(answers) < RUNS:
        return None
    votes = np.stack([np.sum([a == c for a in answers], axis=0) for c in range(len(class_names))])  # [K, N]
    votes[labels, np.arange(len(labels))] = 0
    suspects = np.flatnonzero(votes.max(0) >= AGREEING * len(answers))
    if not len(suspects):
        return None
    other = votes.argmax(0).tolist()
    shown = ", ".join(
        f"#{ids[n]} ({class_names[labels[n]]}, or {class_names[other[n]]}?)" for n in suspects[:8].tolist()
    )
    more = f" and {len(suspects) - 8} more" if len(suspects) > 8 else ""
    return Advice(
        "Some labels look wrong",
        f"At least nine in ten of {len(answers)} runs give the same other answer to {shown}{more}.",
        "Look at these images among the top losses: relabel them, or leave them out.",
    )
