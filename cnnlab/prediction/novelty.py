"""Whether a picture is unlike anything in training: its distance from training images in the network's own features.

>>> novelty = novelty_of(load_predictor(run))                             # doctest: +SKIP
>>> novelty.share_as_far(last_features(network, pixels, config, scaling)) # doctest: +SKIP
0.003

The distance to the k-th nearest training image, features scaled to length 1, is compared with the same distances of the
validation images. Sun et al., Out-of-distribution detection with deep nearest neighbors, 2022.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, ImageSet
from cnnlab.evaluation.evaluate import UNREADABLE, checkpoint_time
from cnnlab.explain.embeddings import last_features
from cnnlab.prediction.predictor import Predictor
from cnnlab.prediction.temperature import load_if_here

NEIGHBOUR = 5  # k: with fewer, one odd training image would make the like of it known
MOST = 2_000  # training images, and as many validation images: 2,000 × 512 half-precision features take 2 MB
RARE = 0.01  # share of the validation images below which a picture is called unlike all
FORMAT = 1  # raise it when what is kept changes


@dataclass(frozen=True)
class Novelty:
    """``known`` features of training images, float16 [B, D] of length 1; ``distances`` float32 [M], ascending.

    The distances are those of validation images, or, where a run has none (``held_out`` is False), of other training
    images, which lie a little nearer.
    """

    known: Tensor
    distances: NDArray[np.float32]
    held_out: bool

    def share_as_far(self, features: Tensor) -> float:
        """The share in [0, 1] of the validation images at least as far from training as ``features`` [1, D]."""
        distance = neighbour_distances(self.known, features)[0]
        return float((self.distances >= distance).mean())

    def is_unlike_all(self, features: Tensor) -> bool:
        """Whether hardly any validation image lies as far."""
        return self.share_as_far(features) < RARE


def neighbour_distances(known: Tensor, features: Tensor) -> NDArray[np.float32]:
    """The distance of each of ``features`` [N, D] to its NEIGHBOUR-th nearest of ``known`` [B, D], float32 [N]."""
    k = min(NEIGHBOUR, len(known))
    found = torch.cdist(normalize(features.float()), known.float()).kthvalue(k, dim=1).values
    distances: NDArray[np.float32] = found.numpy()
    return distances


def novelty_of(predictor: Predictor, load: Callable[[TrainConfig], ImageDataset] = load_if_here) -> Novelty:
    """The Novelty of a network, kept in its run's folder. Raises DatasetError where its images are not here."""
    run, saved = predictor.run, predictor.checkpoint
    mark = f"{FORMAT} {checkpoint_time(run, predictor.name)}"
    kept = run.features_path(predictor.name)
    try:
        with kept.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["mark"]) == mark:
                return Novelty(torch.from_numpy(file["known"]), file["distances"], bool(file["held_out"]))
    except UNREADABLE:
        pass  # none kept yet, or a damaged one: it is made anew
    splits = load(saved.config).splits(saved.config)
    train, held_out = some(splits.train, 2 * MOST), some(splits.val, MOST)
    known, others = train.head(MOST), held_out
    if not len(held_out):  # half of the training images stand in for those that were never shown
        half = min(MOST, len(train) // 2)
        known, others = train.head(half), train.select(torch.arange(half, min(2 * half, len(train))))
    features = normalize(_features(predictor, known).float()).half()
    distances = np.sort(neighbour_distances(features, _features(predictor, others)))
    part = kept.with_name(f"{kept.stem}.{os.getpid()}.part.npz")
    np.savez(part, mark=mark, known=features.numpy(), distances=distances, held_out=len(held_out) > 0)
    part.replace(kept)
    return Novelty(features, distances, len(held_out) > 0)


def some(images: ImageSet, count: int) -> ImageSet:
    """At most ``count`` of ``images``, always the same, in no order."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]
    return images.select(order)


def _features(predictor: Predictor, images: ImageSet) -> Tensor:
    saved = predictor.checkpoint
    return last_features(predictor.network, images.images, saved.config, saved.scaling)
