"""Each rule on curves and matrices made to set it off, and on others that must not."""

import numpy as np
import pytest

from cnnlab.config import TrainConfig
from cnnlab.evaluation.advice import (
    eating_pair,
    learnt_nothing,
    mislabelled,
    overconfident,
    overfitting,
    still_falling,
    too_few,
    too_small,
    weak_classes,
)
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.evaluation.findings import findings
from cnnlab.evaluation.scores import Scores
from cnnlab.metrics import ClassScore, class_scores
from cnnlab.new_runs import create_run
from cnnlab.runs import Run

NAMES = ("ant", "bee", "cat")


def test_a_network_that_always_says_the_same_has_learnt_nothing():
    found = learnt_nothing(np.array([[0, 36, 0], [0, 35, 0], [1, 36, 0]]), NAMES)
    assert found and found.title == "It has learnt nothing yet"
    assert found.evidence == (
        "35 of 108 answers are right, hardly more than by always answering cat (37); 107 of its answers are bee."
    )


MANY = [[26_500, 23_500], [23_500, 26_500]]  # a few percent above answering blindly, and yet no chance


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([2, 1, 1]),
        [[30, 10, 10], [10, 30, 10], [10, 10, 30]],
        np.diag([95, 5]),
        MANY,
        np.diag([97, 3]),  # there is hardly more to be right about
        np.diag([39, 1]),
        np.diag([100, 0]),  # of one class there is nothing to tell apart
        np.diag([1, 0, 0]),
    ],
)
def test_a_network_that_has_learnt_something_is_not_told_so(matrix):
    assert learnt_nothing(np.array(matrix), NAMES) is None


def test_who_is_right_about_few_rare_images_is_told_that_they_are_few(trained_run: Run):
    labels = np.array([0] * 39 + [1])
    sure = np.where(labels[:, None] == np.arange(2), 0.0, -100.0).astype(np.float32)
    told = [a.title for a in findings(trained_run, Evaluation("best", "test", ("ant", "bee"), sure, labels, labels))]
    assert "Too few images to judge some classes" in told


def test_a_loss_that_still_falls_asks_for_more_epochs():
    found = still_falling([1.0, 0.8, 0.6])
    assert found and "0.8000 to 0.6000" in found.evidence and "say 6" in found.action


@pytest.mark.parametrize("val", [[], [1.0], [1.0, 0.5], [1.0, 0.5, 0.495], [1.0, 0.4, 0.5], [0.3, 0.5, 0.4]])
def test_a_loss_that_has_settled_or_is_short_says_nothing(val: list[float]):
    assert still_falling(val) is None


def test_validation_rising_while_training_falls_is_overfitting():
    found = overfitting([1.0, 0.5, 0.3, 0.1], [0.9, 0.5, 0.6, 0.7], TrainConfig())
    assert found and "Since epoch 2 validation loss rose from 0.5000 to 0.7000" in found.evidence


@pytest.mark.parametrize(
    ("config", "remedies"),
    [
        (TrainConfig(), "Try augmentation, weight decay or early stopping;"),  # this network takes no dropout
        (TrainConfig(model="tiny_resnet", augment_shift=2, weight_decay=0.01), "Try dropout or early stopping;"),
        (TrainConfig(model="mlp", augment_shift=2, weight_decay=0.01), "Try early stopping;"),  # has dropout of its own
        (TrainConfig(augment_shift=2, weight_decay=0.01, early_stopping=5), "Try more training images;"),
    ],
)
def test_remedies_that_a_run_uses_are_not_advised(config: TrainConfig, remedies: str):
    found = overfitting([1.0, 0.5, 0.3, 0.1], [0.9, 0.5, 0.6, 0.7], config)
    assert found and found.action.startswith(remedies)


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ([], []),
        ([1.0, 0.5, 0.3], []),
        ([1.0, 0.5, 0.3, 0.2], [0.9, 0.5, 0.51, 0.52]),  # hardly rises
        ([0.1, 0.01, 0.005, 0.002], [0.1, 0.0089, 0.0092, 0.0128]),  # by much of nearly nothing
        ([1.0, 0.5, 0.6, 0.7], [0.9, 0.5, 0.6, 0.7]),  # training rises too
        ([1.0, 0.5, 0.4], [0.9, 0.5, 0.9]),  # one epoch is no trend
    ],
)
def test_other_curves_are_no_overfitting(train: list[float], val: list[float]):
    assert overfitting(train, val, TrainConfig()) is None


def test_a_class_far_behind_is_named():
    found = weak_classes(class_scores(np.array([[95, 5, 0], [2, 98, 0], [30, 10, 60]]), NAMES))
    assert found and found.title.startswith("cat") and "60.0 %" in found.evidence and "96.5 %" in found.evidence


@pytest.mark.parametrize(
    "matrix",
    [
        [[95, 5, 0], [2, 98, 0], [5, 4, 91]],  # behind, but not far
        [[95, 5, 0], [2, 98, 0], [0, 1, 2]],  # too few to tell
        [[95, 5, 0], [0, 0, 0], [0, 0, 0]],  # nothing to be behind of
    ],
)
def test_classes_that_keep_up_or_are_too_few_say_nothing(matrix: list[list[int]]):
    assert weak_classes(class_scores(np.array(matrix), NAMES)) is None


def recognised(*shares: int) -> list[ClassScore]:
    return [ClassScore(f"{n:02}", share, 100) for n, share in enumerate(shares)]


def test_several_classes_that_are_behind_are_told_together_the_worst_first():
    found = weak_classes(recognised(90, 20, 95, 10, 92, 20, 95, 90))
    assert found and found.title == "03, 01 and 05 are far behind the other classes"
    assert found.evidence == "16.7 % of their 300 images are recognised, 92.4 % of all others."
    assert found.action.startswith("Look at their errors")
    half = weak_classes(recognised(*[0] * 5, *[95] * 5))
    assert half and half.title == "00, 01, 02 and 2 more are far behind the other classes"


def test_most_classes_are_behind_nobody():
    assert weak_classes(recognised(*[0] * 79, *[90] * 21)) is None


def test_the_worst_of_a_hundred_equal_classes_says_nothing():
    correct = np.random.default_rng(0).binomial(100, 0.55, 100)
    matrix = np.diag(correct)
    matrix[np.arange(100), (np.arange(100) + 1) % 100] = 100 - correct
    assert correct.min() < 45
    assert weak_classes(class_scores(matrix, tuple(map(str, range(100))))) is None


def test_a_class_of_few_images_does_not_hide_one_that_is_behind():
    names = ("airplane", "cat", "horse", "ship")
    scores = class_scores(np.array([[14, 3, 0, 0], [6, 10, 0, 0], [2, 1, 0, 0], [9, 7, 0, 0]]), names)
    found = weak_classes(scores)
    assert found and found.title == "ship is far behind the other classes"
    assert found.evidence == "0.0 % of its 16 images are recognised, 66.7 % of all others."
    few = too_few(scores)
    assert few and "images: horse (3). 0 of 3 right may mean anything from 0 to 56 %" in few.evidence


def test_classes_of_enough_images_or_none_are_not_called_few():
    assert too_few(class_scores(np.diag([10, 20, 0]), NAMES)) is None
    many = too_few(class_scores(np.diag([9] * 10), tuple("abcdefghij")))
    assert many and "h (9) and 2 more. 9 of 9 right" in many.evidence


def test_two_classes_that_eat_each_other_are_named():
    found = eating_pair(np.array([[80, 0, 20], [1, 99, 0], [10, 1, 89]]), NAMES)
    assert found and found.title == "ant and cat eat each other"
    assert "20 of 100 ant are taken for cat, 10 of 100 cat for ant: 94 % of all errors" in found.evidence


@pytest.mark.parametrize(
    "matrix",
    [[[80, 0, 20], [0, 99, 1], [1, 0, 99]], [[6, 0, 4], [0, 9, 0], [3, 0, 7]], [[9, 0, 0], [0, 9, 0], [0, 0, 0]]],
)
def test_confusion_in_one_direction_or_of_few_images_says_nothing(matrix: list[list[int]]):
    assert eating_pair(np.array(matrix), NAMES) is None


def made_scores(correct: int, count: int) -> Scores:
    return Scores(count, correct, 0.1, 0.9, 0.9, 1.0, 0.0)


def test_a_gap_smaller_than_the_interval_is_no_reason_to_choose():
    found = too_small(made_scores(95, 100), {"rival": 0.94, "far": 0.2})
    assert found and found.evidence.startswith("rival has 94.00 %, this run 95.00 %: 1.00 points apart")
    assert too_small(made_scores(95_000, 100_000), {"rival": 0.94}) is None
    assert too_small(made_scores(95, 100), {}) is None


def test_more_confidence_than_accuracy_is_overconfident():
    right = np.arange(1000) < 800
    found = overconfident(np.full(1000, 0.95), right)
    assert found and "95.0 % sure on average and right in 80.0 %" in found.evidence
    assert overconfident(np.full(1000, 0.81), right) is None
    assert overconfident(np.full(1000, 0.6), right) is None
    assert overconfident(np.array([0.9, 0.9]), np.array([True, False])) is None  # two images tell nothing


def test_images_that_nine_of_ten_runs_call_the_same_other_class_look_mislabelled():
    labels, ids = np.array([0, 1, 2, 0]), np.array([10, 11, 12, 13])
    answers = [np.array([0, 2, 2, 1 + n % 2]) for n in range(10)]
    answers[0] = np.array([0, 1, 2, 0])
    found = mislabelled(answers, labels, ids, NAMES)
    assert found and "#11 (bee, or cat?)" in found.evidence and "#13" not in found.evidence
    assert mislabelled(answers[:9], labels, ids, NAMES) is None
    assert mislabelled([labels] * 10, labels, ids, NAMES) is None


def test_epochs_are_counted_at_their_ends_though_a_run_evaluates_within_them(tmp_path, trained_run):
    run, held = create_run(tmp_path / "often", trained_run.facts())
    held.lock.release()
    losses = iter([0.9, 0.8, 0.5, 0.4, 0.35, 0.3])
    for step in (5, 10, 15, 20, 25, 30):
        record = {"event": "eval" if step % 10 else "epoch", "step": step, "val/loss": next(losses)}
        run.append([record | ({} if step % 10 else {"train/loss": 1 / step})])
    titles = {a.title: a for a in findings(run, evaluate(trained_run, "val"))}
    assert "say 6" in titles["The loss is still falling"].action
    assert titles["The loss is still falling"].evidence.startswith(
        "Validation loss went from 0.8000 over 0.4000 to 0.3"
    )


def test_a_validation_loss_below_the_training_loss_is_no_overfitting():
    val = [0.013, 0.02, 0.03, 0.04]
    assert overfitting([0.396, 0.35, 0.3, 0.288], val, TrainConfig()) is None
    assert overfitting([0.03, 0.02, 0.01, 0.005], val, TrainConfig())


def test_only_runs_that_were_judged_by_the_same_images_are_compared(tmp_path, trained_run):
    answers = evaluate(trained_run, "val")

    def made(id: str, accuracy: float, **facts: str) -> Run:
        run, held = create_run(tmp_path / id, trained_run.facts() | facts)
        held.lock.release()
        run.append([{"event": "epoch", "step": 1, "epoch": 1, "best/accuracy": accuracy}])
        return run

    own = made("own", answers.accuracy)
    made("other images", answers.accuracy, images_version="another")
    assert "Too few images to choose by" not in {a.title for a in findings(own, answers)}
    for id, accuracy in (("far", 0.1), ("near", answers.accuracy - 0.001)):
        (made(id, accuracy).path / "name").write_text("same")
    told = next(a.evidence for a in findings(own, answers) if a.title == "Too few images to choose by")
    assert told.startswith("same (near) has ")


def test_the_epochs_of_a_long_run_are_all_read(tmp_path, trained_run):
    run, held = create_run(tmp_path / "long", trained_run.facts())
    held.lock.release()
    for epoch in range(1, 701):  # more than are drawn
        run.append([{"event": "eval", "step": 10 * epoch - 5, "val/loss": 1.0}])
        losses = {"train/loss": 1 / epoch, "val/loss": abs(epoch - 350) / 350 + 0.1}
        run.append([{"event": "epoch", "step": 10 * epoch, **losses}])
    said = [a.evidence for a in findings(run, evaluate(trained_run, "val"))]
    assert any("Since epoch 350" in evidence for evidence in said)
