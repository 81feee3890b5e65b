"""What is unlike anything in training is told from what is not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.datasets import DatasetError
from cnnlab.datasets.base import ImageDataset
from cnnlab.explain.embeddings import last_features
from cnnlab.prediction.novelty import NEIGHBOUR, Novelty, neighbour_distances, novelty_of
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.runs import Run


@pytest.fixture(scope="module")
def predictor(trained_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    path = tmp_path_factory.mktemp("novelty") / "own"
    shutil.copytree(trained_run.path, path)
    return load_predictor(Run(path))


def features(predictor: Predictor, images: torch.Tensor) -> torch.Tensor:
    return last_features(predictor.network, images, predictor.checkpoint.config, predictor.checkpoint.scaling)


def unlike(novelty: Novelty, predictor: Predictor, images: torch.Tensor) -> float:
    """The share of ``images`` that are called unlike anything in training."""
    return float(np.mean([novelty.is_unlike_all(f[None]) for f in features(predictor, images)]))


def test_the_distance_is_that_to_the_kth_neighbour_by_hand():
    dice = torch.Generator().manual_seed(0)
    known = torch.nn.functional.normalize(torch.randn(40, 6, generator=dice))
    asked = torch.randn(3, 6, generator=dice) * 5
    by_hand = [sorted((known - a / a.norm()).norm(dim=1).tolist())[NEIGHBOUR - 1] for a in asked]
    assert neighbour_distances(known, asked) == pytest.approx(by_hand, abs=1e-5)


def test_test_images_are_known_and_scribbles_are_not(predictor, digits: ImageDataset):
    novelty = novelty_of(predictor)
    dice = torch.Generator().manual_seed(0)
    blots = torch.randint(0, 2, (60, 1, 7, 7), generator=dice, dtype=torch.uint8).repeat_interleave(4, 2)
    blots = blots.repeat_interleave(4, 3) * 255
    assert novelty.held_out
    assert unlike(novelty, predictor, digits.test.images) < 0.1 < 0.5 < unlike(novelty, predictor, blots)


def test_it_is_kept_with_the_run_until_the_weights_change(predictor):
    first, kept = novelty_of(predictor), predictor.run.features_path("best")
    written = kept.stat().st_mtime_ns
    assert (novelty_of(predictor).distances == first.distances).all() and kept.stat().st_mtime_ns == written
    kept.write_bytes(b"damaged")
    assert (novelty_of(predictor).distances == first.distances).all()
    predictor.run.checkpoint_path("best").touch()
    written = kept.stat().st_mtime_ns
    novelty_of(predictor)
    assert kept.stat().st_mtime_ns != written
    assert not list(Path(predictor.run.path).glob("*.part*"))


def test_nothing_is_downloaded_for_it(predictor):
    def missing(config):
        raise DatasetError("mnist is not on this machine: download it on the Train page.")

    predictor.run.features_path("best").unlink(missing_ok=True)
    with pytest.raises(DatasetError, match="not on this machine"):
        novelty_of(predictor, missing)
