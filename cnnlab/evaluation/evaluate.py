"""What a trained run says about a split: how probable it finds each class for every image, kept in the run folder.

>>> evaluation = evaluate(find_run("my_run", runs_dir()), "test")         # doctest: +SKIP
>>> evaluation.accuracy                                                   # doctest: +SKIP
0.9913
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from cnnlab import datasets
from cnnlab.checkpoints import Checkpoint, CheckpointError, checkpoint_mark, load_trained
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset, ImageSet, Splits
from cnnlab.evaluation.kept import keep, recall
from cnnlab.evaluation.scores import Scores, losses, scores
from cnnlab.inference import infer, pick_device
from cnnlab.metrics import ClassScore, class_scores, confusion_matrix
from cnnlab.registry import UnknownName
from cnnlab.runs import Run

CHANGED = (
    "The images have changed since this run was trained: some of the {} images may be among those that it has learnt "
    "from, and flatter it. Train anew to be sure."
)
"""What to say of a split where :func:`have_changed`."""


@dataclass(frozen=True)
class Evaluation:
    """Answers for N images and K classes: ``log_probabilities`` float32 [N, K], ``labels`` and ``ids`` int64 [N].

    Logarithms, for the probability of a class that a network is sure not to see is below what a float holds.
    ``version`` is that of the dataset, as its places mean other images in another.
    """

    checkpoint: str
    split: str
    class_names: tuple[str, ...]
    log_probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: NDArray[np.int64]
    version: str = ""

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """How probable the network finds each class, float32 [N, K]; rows sum to 1."""
        return np.exp(self.log_probabilities.astype(np.float64)).astype(np.float32)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image, int64 [N]."""
        best: NDArray[np.int64] = np.argmax(self.log_probabilities, axis=1)
        return best

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """How probable the network finds its own answer, float64 [N] in [0, 1]."""
        surest: NDArray[np.float64] = self.probabilities.max(axis=1).astype(np.float64)
        return surest

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which images are classified rightly, bool [N]."""
        right: NDArray[np.bool_] = self.predicted == self.labels
        return right

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """The cross-entropy of each image, float64 [N]."""
        return losses(self.log_probabilities, self.labels)

    @cached_property
    def scores(self) -> Scores:
        """The headline in figures."""
        return scores(self.log_probabilities, self.labels)

    @property
    def accuracy(self) -> float:
        """Share of the images that are classified rightly."""
        return self.scores.accuracy

    @property
    def loss(self) -> float:
        """Mean cross-entropy, −log of the true class's probability."""
        return self.scores.loss

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts [K, K]: row = true class, column = predicted class."""
        return confusion_matrix(self.labels, self.predicted, len(self.class_names))

    @property
    def per_class(self) -> list[ClassScore]:
        """How many of each class were recognised."""
        return class_scores(self.confusion, self.class_names)

    def cell(self, true: int, predicted: int) -> NDArray[np.int64]:
        """Places of the images of class ``true`` that were taken for ``predicted``, the surest answer first."""
        return self.surest((self.labels == true) & (self.predicted == predicted))

    def surest(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Places of the ``chosen`` images (bool [N]), the surest answer first."""
        places = np.flatnonzero(chosen)
        order: NDArray[np.int64] = places[np.argsort(-self.confidence[places], kind="stable")]
        return order

    def top_losses(self) -> NDArray[np.int64]:
        """Places of all wrong answers, the largest loss first."""
        places = np.flatnonzero(~self.right)
        order: NDArray[np.int64] = places[np.argsort(-self.losses[places], kind="stable")]
        return order


def evaluate(
    run: Run,
    split: str,
    checkpoint: str | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    load: Callable[[TrainConfig], ImageDataset] = datasets.load,
) -> Evaluation:
    """The answers of a run's checkpoint (by default best) for a split (train, val or test), kept for the next time.

    The dataset comes from ``load``, which may hold it in memory. Raises RunError, CheckpointError or DatasetError with
    a sentence.
    """
    chosen = checkpoint or run.chosen_checkpoint() or "best"
    mark = f"{chosen} {checkpoint_mark(run, chosen)}"  # asked first: a newer file then only means to evaluate again
    chosen, saved = load_trained(run, checkpoint)
    version = version_now(saved.config, load)  # where they are gone, what is kept of them is all there is
    kept = run.predictions_path(split, None if chosen == run.chosen_checkpoint() else chosen)
    if found := recall(kept, mark, ("log_probabilities", "labels", "ids", "version")):
        answers, labels, ids, then = found
        if version in (None, str(then)):
            _are_numbers(answers, saved)
            return Evaluation(chosen, split, saved.class_names, answers, labels, ids, str(then))
    _same_network(run, saved)
    dataset = load(saved.config)
    if dataset.class_names != saved.class_names:
        raise DatasetError(f"The classes of {saved.config.dataset} have changed since {run.name} was trained.")
    images = dataset.test if split == "test" else dataset.splits(saved.config).get(split)  # parting takes a while
    if len(images) == 0:
        why = " it was trained with validation_fraction = 0." if split == "val" else " its dataset brings none."
        raise DatasetError(f"{run.name} has no {split} images:{why} Take another split.")
    network = saved.network().to(pick_device("auto"))
    logits = infer(network, images.images, saved.config, saved.scaling, on_progress)
    answers = torch.log_softmax(logits.cpu().double(), 1).float().numpy()
    _are_numbers(answers, saved)
    labels, ids = images.labels.numpy(), images.ids.numpy()
    keep(kept, mark, log_probabilities=answers, labels=labels, ids=ids, version=dataset.version)
    return Evaluation(chosen, split, saved.class_names, answers, labels, ids, dataset.version)


def version_now(config: TrainConfig, load: Callable[[TrainConfig], ImageDataset] = datasets.load) -> str | None:
    """The ``version`` of the images as they are now; None where they are gone."""
    try:
        known = datasets.version(config)
        return load(config).version if known is None else known
    except (DatasetError, UnknownName):
        return None


def _are_numbers(answers: NDArray[np.float32], saved: Checkpoint) -> None:
    """Raise CheckpointError if ``answers``, the logarithms of probabilities, are not all finite."""
    if not np.isfinite(answers).all():
        raise CheckpointError(
            f"The checkpoint {saved.path} gives answers that are no numbers: its weights have blown up. "
            "Take another checkpoint, or train anew with a lower learning rate."
        )


def _same_network(run: Run, saved: Checkpoint) -> None:
    """Raise CheckpointError if ``saved`` is another run's."""
    found, own = (f"{c.model} on {c.dataset}" for c in (saved.config, run.config))
    if found != own:
        raise CheckpointError(
            f"The checkpoint {saved.path} is of another network: it is {found}, the run is {own}. "
            "Put the run's own back."
        )


def have_changed(run: Run, version: str) -> bool:
    """Whether ``version`` of a run's images is not that which it learnt from, if that is known. Raises RunError."""
    return bool(run.facts().get("images_version", version) != version)


def images_of(evaluation: Evaluation, splits: Splits) -> ImageSet:
    """The images of ``evaluation``, in its order. Raises DatasetError where those in ``splits`` are others."""
    images = splits.get(evaluation.split)
    if images.ids.tolist() != evaluation.ids.tolist() or images.labels.tolist() != evaluation.labels.tolist():
        raise DatasetError("The dataset has changed since these answers were made.")
    return images


def kept_answers(run: Run, like: Evaluation) -> NDArray[np.int64] | None:
    """What ``run`` last answered to exactly the images of ``like``, int64 [N]; None where it was not asked."""
    if found := recall(run.predictions_path(like.split), None, ("version", "ids", "log_probabilities")):
        version, ids, answers = found
        same = str(version) == like.version and np.array_equal(ids, like.ids)
        if same and answers.shape == like.log_probabilities.shape:
            best: NDArray[np.int64] = answers.argmax(1)
            return best
    return None
