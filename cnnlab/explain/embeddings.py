"""What a network makes of images before it decides: its last features, their nearest neighbours, and a map of them.

>>> features = last_features(network, dataset.test.images, saved.config, saved.scaling)     # doctest: +SKIP
>>> places, distances = nearest(features, features[0], 5)                                    # doctest: +SKIP
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnlab.config import TrainConfig
from cnnlab.datasets.view import Images
from cnnlab.explain.activations import twin_of
from cnnlab.inference import infer
from cnnlab.loader import Scaling

PERPLEXITY = 30  # as in the tutorials: about how many neighbours count for each image
REDUCED = 50  # features are reduced to so many by PCA before t-SNE, as in its paper, section 4.2
FEWEST = 5  # images: fewer have no neighbourhoods to keep
ITERATIONS = 750  # 250 with exaggerated attraction, then 500: openTSNE's own
EVERY = 10  # iterations between two reports
CHUNK = 4096  # images whose distances are computed at a time

Points = NDArray[np.float32]


class Cancelled(Exception):
    """The caller has asked to stop."""


@dataclass(frozen=True)
class Projection:
    """``points`` float32 [N, 2] and the share of the features' variance, in [0, 1], along each of the two axes."""

    points: Points
    shares: tuple[float, float]


def last_features(
    network: nn.Module,
    images: Images,
    config: TrainConfig,
    scaling: Scaling,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """The input of the last linear layer for ``images`` (uint8 [N, C, H, W]): float16 [N, D], on the CPU.

    Half precision keeps 60,000 images of 1,568 features within 190 MB. ``network`` stays as it is: a twin answers.
    """
    twin = twin_of(network)
    last = [part for part in twin.modules() if isinstance(part, nn.Linear)][-1]
    last.register_forward_hook(lambda module, inputs, output: inputs[0])
    most = torch.finfo(torch.float16).max
    with torch.inference_mode():
        found: Tensor = infer(twin, images, config, scaling, on_progress)
        return found.flatten(1).clamp(-most, most).half().cpu()


def nearest(
    features: Tensor, query: Tensor, count: int, but: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places in ``features`` [N, D] of the ``count`` nearest to ``query`` [D], the nearest first, and their distances.

    Euclidean distances, float32, in units of the features; equally near ones in the order of their places. The place
    ``but`` is left out. Fewer come back where there are fewer.
    """
    wanted = query.float()
    starts = range(0, len(features), CHUNK)
    parts = [(features[start : start + CHUNK].float() - wanted).square().sum(1) for start in starts]
    squares = torch.cat(parts) if parts else torch.zeros(0)
    if but is not None:
        squares[but] = torch.inf
    here = len(squares) - (but is not None)
    order = squares.argsort(stable=True)[: min(count, here)]
    return order.numpy(), squares[order].sqrt().numpy()


def principal(features: Tensor) -> Projection:
    """The two directions of largest variance of ``features`` [N, D] (PCA), N at least 1."""
    points = np.zeros((len(features), 2), np.float32)
    shares = [0.0, 0.0]
    axes = min(2, len(features), features.shape[1])
    values = features.float().numpy()
    if len(features) > 1 and np.ptp(values, axis=0).any():
        from sklearn.decomposition import PCA

        found = PCA(axes, random_state=0)
        points[:, :axes] = found.fit_transform(values)
        shares[:axes] = found.explained_variance_ratio_.tolist()
    return Projection(points, (shares[0], shares[1]))


def tsne(features: Tensor, on_progress: Callable[[int, int], bool | None] = lambda done, total: None) -> Points:
    """Neighbours of ``features`` [N, D] as neighbours in the plane: float32 [N, 2], without unit.

    It starts from the PCA; the perplexity is 30, or a third of the other images where those are fewer than 90. The
    same features give the same points: one thread computes them. Raises Cancelled where ``on_progress``
    answers True. van der Maaten and Hinton, Visualizing data using t-SNE, 2008, by openTSNE.
    """
    values = features.float().numpy()
    if len(values) < FEWEST or values.shape[1] < 2 or not np.ptp(values, axis=0).any():
        return principal(features).points
    import openTSNE
    from sklearn.decomposition import PCA

    if values.shape[1] > REDUCED < len(values):
        values = PCA(REDUCED, random_state=0).fit_transform(values)
    done = 0

    def report(iteration: int, error: float, embedding: object) -> bool:
        nonlocal done
        done += EVERY
        if on_progress(min(done, ITERATIONS), ITERATIONS):
            raise Cancelled
        return False

    method = openTSNE.TSNE(
        perplexity=min(PERPLEXITY, (len(values) - 1) / 3),
        initialization="pca",
        neighbors="exact",
        random_state=0,
        n_jobs=1,
        callbacks=report,
        callbacks_every_iters=EVERY,
    )
    return np.asarray(method.fit(values), np.float32)
