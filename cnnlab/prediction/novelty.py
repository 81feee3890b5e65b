"""Whether a picture is unlike anything in training: its distance from training images in the network's own features.

>>> novelty = novelty_of(load_predictor(run))                             # doctest: +SKIP
>>> novelty.shares_as_far(look(predictor, pixels[None]))                  # doctest: +SKIP
array([0.003])

The farther of two distances, each in units of what nearly all validation images stay below, is compared with the same
of the validation images. One is to the k-th nearest training image in the last features, scaled to length 1 (Sun et
al., Out-of-distribution detection with deep nearest neighbors, 2022). The other is Mahalanobis' to the nearest class in
the means and deviations of the convolutions' channels (after Lee et al., A simple unified framework for detecting
out-of-distribution samples and adversarial attacks, 2018): there noise is far, which last features hardly answer to.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from cnnlab import datasets
from cnnlab.checkpoints import checkpoint_mark
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset, ImageSet
from cnnlab.evaluation.evaluate import have_changed
from cnnlab.evaluation.kept import keep, recall
from cnnlab.prediction.look import Look, look
from cnnlab.prediction.predictor import Predictor

NEIGHBOUR = 5  # k: with fewer, one odd training image would make the like of it known
MOST = 2_000  # training images, and as many validation images: 2,000 × 512 half-precision features take 2 MB
MARGIN = 1.5  # times farther the channels of a picture must be: another pen's are a little farther, noise's much
SHRINK = 0.01  # of the covariance towards independent channels: there may be fewer images than it has rows
FEWEST = 50  # images to compare with: of fewer, more than one in fifty would be called unlike all by chance
RARE = 0.01  # share of the validation images below which a picture is called unlike all
ARRAYS = ("known", "centres", "whitening", "usual", "distances", "held_out")  # of a Novelty, in its own order
FEW = "With so few training images, a picture that is unlike them all may not be noticed."
FORMAT = 3  # raise it when what is kept changes


@dataclass(frozen=True)
class Novelty:
    """What training images look like.

    ``known`` are their last features, float16 [B, D] of length 1; ``centres`` float32 [K, S] the classes' mean channels
    after ``whitening`` float32 [S, S]; ``usual`` the two distances that nearly all held-out images stay below.
    ``distances`` float32 [M], ascending, are those of validation images; where a run has fewer than FEWEST
    (``held_out`` is False), of other training images too, which lie a little nearer.
    """

    known: Tensor
    centres: Tensor
    whitening: Tensor
    usual: tuple[float, float]
    distances: NDArray[np.float32]
    held_out: bool

    @property
    def of_few(self) -> bool:
        """Whether FEW holds: there are fewer training images than channels, whose covariance is then mostly a guess."""
        return len(self.known) < len(self.whitening)

    def shares_as_far(self, look: Look) -> NDArray[np.float64]:
        """For each image of ``look`` the share in [0, 1] of the validation images that are at least as far, [N]."""
        nearer = np.searchsorted(self.distances, self.far(look))
        shares: NDArray[np.float64] = 1 - nearer / len(self.distances)
        return shares

    def unlike_all(self, look: Look) -> NDArray[np.bool_]:
        """For each image of ``look`` whether hardly any validation image lies as far, bool [N]."""
        rare: NDArray[np.bool_] = self.shares_as_far(look) < RARE
        return rare

    def far(self, look: Look) -> NDArray[np.float32]:
        """How far each image of ``look`` is, float32 [N]; 1 is farther than nearly all validation images."""
        near, strange = self.both(look)
        farther: NDArray[np.float32] = np.maximum(near / self.usual[0], strange / self.usual[1])
        return farther

    def both(self, look: Look) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The distance to the nearest training images and that of the channels, float32 [N] each."""
        strange = torch.cdist(look.channels @ self.whitening, self.centres).min(1).values
        return neighbour_distances(self.known, look.features), strange.numpy()


def neighbour_distances(known: Tensor, features: Tensor) -> NDArray[np.float32]:
    """The distance of each of ``features`` [N, D] to its NEIGHBOUR-th nearest of ``known`` [B, D], float32 [N]."""
    k = min(NEIGHBOUR, len(known))
    found = torch.cdist(normalize(features.float()), known.float()).kthvalue(k, dim=1).values
    distances: NDArray[np.float32] = found.numpy()
    return distances


def novelty_of(predictor: Predictor, load: Callable[[TrainConfig], ImageDataset] = datasets.load_if_here) -> Novelty:
    """The Novelty of a network, kept in its run's folder.

    Raises DatasetError where its images are not here or have changed since it was trained, or say nothing: too few, or
    features that are no numbers.
    """
    run, saved = predictor.run, predictor.checkpoint
    mark = f"{FORMAT} {checkpoint_mark(run, predictor.name)}"
    kept = run.features_path(predictor.name)
    if arrays := recall(kept, mark, ARRAYS):
        known, centres, whitening = map(torch.from_numpy, arrays[:3])
        (near, strange), distances, of_held_out = arrays[3].tolist(), *arrays[4:]
        return Novelty(known, centres, whitening, (near, strange), distances, bool(of_held_out))
    dataset = load(saved.config)
    if have_changed(run, dataset.version):
        raise DatasetError("Its images have changed since it was trained: what is unlike them cannot be told.")
    splits = dataset.splits(saved.config)
    train, held_out = some(splits.train, 2 * MOST), some(splits.val, MOST)
    shown, parts = train.head(MOST), [held_out]
    if len(held_out) < FEWEST:  # half of the training images stand in for those that were never shown
        half = min(MOST, len(train) // 2)
        shown, parts = train.select(slice(half)), [held_out, train.select(slice(half, 2 * half))]
    if sum(map(len, parts)) < FEWEST:
        raise DatasetError(f"What is unlike its images cannot be told of fewer than {FEWEST}.")
    seen = look(predictor, shown.images)
    looks = [look(predictor, part.images) for part in parts if len(part)]
    unseen = Look(torch.cat([one.features for one in looks]), torch.cat([one.channels for one in looks]))
    if not all(part.isfinite().all() for one in (seen, unseen) for part in (one.features, one.channels)):
        raise DatasetError("What is unlike its training images cannot be told: its training has blown up.")
    found = fitted(seen, shown.labels, unseen, len(held_out) >= FEWEST)
    keep(kept, mark, **{name: np.asarray(getattr(found, name)) for name in ARRAYS})
    return found


def fitted(known: Look, labels: Tensor, others: Look, held_out: bool) -> Novelty:
    """The Novelty that ``known`` training images (``labels`` int64 [B]) and ``others`` beside them give."""
    centres, whitening = whitened(known.channels, labels)
    features = normalize(known.features).half()
    plain = Novelty(features, centres, whitening, (1.0, 1.0), np.zeros(1, np.float32), held_out)
    near, strange = plain.both(others)
    usual = (_usual(near), MARGIN * _usual(strange))
    distances = np.sort(np.maximum(near / usual[0], strange / usual[1]))
    return Novelty(features, centres, whitening, usual, distances, held_out)


def whitened(channels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The classes' centres (float32 [K, S]) after the whitening (float32 [S, S]) by the covariance that they share.

    ``channels`` [B, S], ``labels`` int64 [B]. In what comes out, Mahalanobis' distance is Euclid's.
    """
    if not channels.shape[1]:  # there is no convolution: nothing is far
        return torch.zeros(1, 0), torch.zeros(0, 0)
    values = channels.double()
    classes = torch.tensor(sorted(set(labels.tolist())))
    means = torch.stack([values[labels == label].mean(0) for label in classes])
    rest = values - means[torch.searchsorted(classes, labels)]
    scale = rest.std(0, correction=0)
    scale = scale.clamp_min(1e-3 * float(scale.mean()) + 1e-9)  # of channels that hardly speak
    rest = rest / scale
    covariance = rest.T @ rest / len(rest) * (1 - SHRINK) + SHRINK * torch.eye(len(scale), dtype=torch.float64)
    whitening = torch.linalg.cholesky(torch.linalg.inv(covariance)) / scale[:, None]
    return (means @ whitening).float(), whitening.float()


def _usual(distances: NDArray[np.float32]) -> float:
    """What all but RARE of ``distances`` stay below; above 0."""
    return float(np.quantile(distances, 1 - RARE, method="higher")) or 1.0


def some(images: ImageSet, count: int) -> ImageSet:
    """At most ``count`` of ``images``, always the same, in no order."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]
    return images.select(order)
