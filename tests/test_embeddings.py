"""Last features, neighbours, PCA and t-SNE: against the layers themselves, scikit-learn, and known arrangements."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors
from torch import nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.explain.embeddings import Cancelled, last_features, nearest, principal, tsne
from cnnlab.loader import Scaling

PLAIN = Scaling((0.0,), (1.0,))


@pytest.fixture
def groups() -> torch.Tensor:
    """300 points in 20 dimensions: three clouds far from each other."""
    dice = torch.Generator().manual_seed(0)
    centres = 20 * torch.eye(3, 20)
    return centres.repeat_interleave(100, 0) + torch.randn(300, 20, generator=dice)


@pytest.mark.parametrize("name", models.MODELS.names())
def test_features_are_what_the_last_linear_layer_takes_in(name: str):
    config = TrainConfig(model=name)
    torch.manual_seed(0)
    network = models.build(config, 1, 32, 10).eval()
    images = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    last = [m for m in network.modules() if isinstance(m, nn.Linear)][-1]
    with torch.inference_mode():
        features = last_features(network, images, config, PLAIN)
        assert features.shape == (3, last.in_features)
        assert last(features.float()).numpy() == pytest.approx(network(PLAIN(images)).numpy(), abs=0.01)
    assert not any(part._forward_hooks for part in network.modules())


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 50), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_neighbours_are_scikit_learn_s(images: int, size: int, count: int, seed: int):
    points = torch.randn(images, size, generator=torch.Generator().manual_seed(seed))
    places, distances = nearest(points, points[0], count)
    wanted, _ = NearestNeighbors(n_neighbors=min(count, images)).fit(points.numpy()).kneighbors(points[:1].numpy())
    assert distances == pytest.approx(wanted[0], abs=1e-4)
    assert places[0] == 0 and len(places) == min(count, images)
    assert 0 not in nearest(points, points[0], count, but=0)[0]


def test_no_neighbour_is_found_among_none():
    assert nearest(torch.zeros(0, 4), torch.zeros(4), 5)[0].tolist() == []
    assert nearest(torch.zeros(1, 4), torch.zeros(4), 5, but=0)[0].tolist() == []


def test_pca_is_scikit_learn_s(groups: torch.Tensor):
    found, wanted = principal(groups), PCA(2, random_state=0).fit(groups.numpy())
    assert found.points == pytest.approx(wanted.transform(groups.numpy()), abs=1e-3)
    assert found.shares == pytest.approx(wanted.explained_variance_ratio_.tolist())


@pytest.mark.parametrize("features", [torch.ones(1, 8), torch.ones(7, 8), torch.arange(6.0)[:, None], torch.eye(4)])
def test_few_or_equal_images_have_a_map_too(features: torch.Tensor):
    for points in (principal(features).points, tsne(features)):
        assert points.shape == (len(features), 2) and np.isfinite(points).all()


def test_tsne_keeps_neighbourhoods_as_scikit_learn_s_does(digits: ImageDataset):
    images = digits.test.images[:300].flatten(1).float()
    ours = trustworthiness(images.numpy(), tsne(images))
    theirs = trustworthiness(images.numpy(), TSNE(random_state=0).fit_transform(images.numpy()))
    assert ours > theirs - 0.01 and ours > 0.95


def test_tsne_tells_groups_apart_and_repeats_itself(groups: torch.Tensor):
    points = tsne(groups)
    assert (tsne(groups) == points).all()
    centres = np.stack([points[n : n + 100].mean(0) for n in (0, 100, 200)])
    nearest_centre = np.linalg.norm(points[:, None] - centres, axis=2).argmin(1)
    assert nearest_centre.tolist() == [0] * 100 + [1] * 100 + [2] * 100


def test_tsne_reports_and_can_be_cancelled(groups: torch.Tensor):
    seen: list[tuple[int, int]] = []
    tsne(groups, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (10, 750) and seen[-1] == (750, 750) and len(seen) == 75
    with pytest.raises(Cancelled):
        tsne(groups, on_progress=lambda done, total: done >= 30)
