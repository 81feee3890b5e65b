"""What is unlike anything in training is told from what is not."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis

from cnnlab.cli import main
from cnnlab.datasets import DatasetError
from cnnlab.datasets.base import ImageDataset
from cnnlab.prediction.look import Look, look
from cnnlab.prediction.novelty import NEIGHBOUR, Novelty, fitted, neighbour_distances, novelty_of, whitened
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.runs import Run, find_run
from tests.conftest import save_again


@pytest.fixture(scope="module")
def predictor(trained_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    path = tmp_path_factory.mktemp("novelty") / "own"
    shutil.copytree(trained_run.path, path)
    return load_predictor(Run(path))


def unlike(novelty: Novelty, predictor: Predictor, images: torch.Tensor) -> float:
    """The share of ``images`` that are called unlike anything in training."""
    return float(novelty.unlike_all(look(predictor, images)).mean())


def test_the_distance_is_that_to_the_kth_neighbour_by_hand():
    dice = torch.Generator().manual_seed(0)
    known = torch.nn.functional.normalize(torch.randn(40, 6, generator=dice))
    asked = torch.randn(3, 6, generator=dice) * 5
    by_hand = [sorted((known - a / a.norm()).norm(dim=1).tolist())[NEIGHBOUR - 1] for a in asked]
    assert neighbour_distances(known, asked) == pytest.approx(by_hand, abs=1e-5)


def test_the_other_distance_is_mahalanobis_by_scipy():
    dice = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3 + 4  # of the classes, not all need be there
    mixed = torch.eye(6) + 0.3 * torch.randn(6, 6, generator=dice)
    channels = torch.randn(300, 6, generator=dice) @ mixed + labels[:, None]
    centres, whitening = whitened(channels, labels)
    means = [channels[labels == label].mean(0) for label in (4, 5, 6)]
    inverse = np.linalg.inv(np.cov((channels - torch.stack(means)[labels - 4]).T, bias=True))
    asked = torch.randn(1, 6, generator=dice) * 3
    by_scipy = min(mahalanobis(asked[0], mean, inverse) for mean in means)
    assert torch.cdist(asked @ whitening, centres).min() == pytest.approx(by_scipy, rel=0.05)  # it is shrunk a little


def test_far_in_either_way_is_far_and_channels_may_be_a_little_farther():
    dice = torch.Generator().manual_seed(0)

    def seen() -> Look:
        features = torch.tensor([[1.0, 0.0]]) + 0.1 * torch.randn(200, 2, generator=dice)
        return Look(features, torch.randn(200, 2, generator=dice))

    novelty = fitted(seen(), torch.zeros(200, dtype=torch.int64), others := seen(), held_out=True)
    strange = novelty.both(others)[1]
    farthest = others.channels[strange.argmax()]  # from the only class, whose centre is about 0
    usual = farthest * float(np.quantile(strange, 0.99) / strange.max())  # nearly all are nearer

    def far(features: list[float], times: float) -> float:
        return float(novelty.far(Look(torch.tensor([features]), times * usual[None]))[0])

    assert far([1.0, 0.0], 0.5) < 1 < far([-1.0, 0.0], 0.5)
    assert 0.7 < far([1.0, 0.0], 1.25) < 1 < far([1.0, 0.0], 2.0)


def noise(kind: str) -> torch.Tensor:
    """60 pictures of 28×28, uint8 [60, 1, 28, 28]."""
    dice = torch.Generator().manual_seed(0)
    if kind == "even":
        return torch.randint(0, 256, (60, 1, 28, 28), generator=dice, dtype=torch.uint8)
    if kind == "sparse":
        return (torch.rand(60, 1, 28, 28, generator=dice) < 0.05).to(torch.uint8) * 255
    blots = torch.randint(0, 2, (60, 1, 7, 7), generator=dice, dtype=torch.uint8).repeat_interleave(4, 2)
    return blots.repeat_interleave(4, 3) * 255


def test_test_images_are_known_and_noise_is_not(predictor, digits: ImageDataset):
    novelty = novelty_of(predictor)
    assert novelty.held_out and unlike(novelty, predictor, digits.test.images) < 0.1
    for kind in ("even", "sparse", "blots"):
        assert unlike(novelty, predictor, noise(kind)) > 0.95, kind
    assert unlike(novelty, predictor, 255 - digits.test.images) > 0.95


def test_a_network_without_convolutions_is_asked_for_its_features_alone(fresh_folders: Path, digits: ImageDataset):
    assert main(["train", "--dataset", "digits", "--model", "mlp", "--epochs", "1", "--name", "flat"]) == 0
    predictor = load_predictor(find_run("flat", fresh_folders))
    seen = look(predictor, digits.test.images[:3])
    assert seen.channels.shape == (3, 0)
    assert unlike(novelty_of(predictor), predictor, digits.test.images) < 0.1


def test_it_is_kept_with_the_run_until_the_weights_change(predictor):
    first, kept = novelty_of(predictor), predictor.run.features_path("best")
    written = kept.stat().st_mtime_ns
    assert (novelty_of(predictor).distances == first.distances).all() and kept.stat().st_mtime_ns == written
    kept.write_bytes(b"damaged")
    assert (novelty_of(predictor).distances == first.distances).all()
    written = kept.stat().st_mtime_ns
    predictor.run.checkpoint_path("best").touch()  # as where the folder is copied
    assert (novelty_of(predictor).distances == first.distances).all() and kept.stat().st_mtime_ns == written
    save_again(predictor.run.checkpoint_path("best"))
    novelty_of(predictor)
    assert kept.stat().st_mtime_ns != written
    assert not list(Path(predictor.run.path).glob("*.part*"))


def test_nothing_is_downloaded_for_it(predictor):
    def missing(config):
        raise DatasetError("mnist is not on this machine: download it on the Train page.")

    predictor.run.features_path("best").unlink(missing_ok=True)
    with pytest.raises(DatasetError, match="not on this machine"):
        novelty_of(predictor, missing)


def test_where_nothing_can_be_told_a_sentence_says_why(predictor, grey_squares, tmp_path):
    config = predictor.checkpoint.config.model_copy(update={"train_images": 1, "validation_fraction": 0.0})
    shutil.copy(predictor.run.path / "config.json", tmp_path)
    alone = replace(predictor, run=Run(tmp_path), checkpoint=replace(predictor.checkpoint, config=config))
    learnt = replace(grey_squares, version=predictor.run.facts()["images_version"])
    with pytest.raises(DatasetError, match="cannot be told of fewer than 50"):
        novelty_of(alone, load=lambda config: learnt)
    with pytest.raises(DatasetError, match="have changed since it was trained"):
        novelty_of(alone, load=lambda config: replace(grey_squares, version="later"))
    wild = copy.deepcopy(predictor.network)
    for weight in wild.parameters():
        weight.data *= 1e30
    with pytest.raises(DatasetError, match="cannot be told: its training has blown up"):
        novelty_of(replace(predictor, run=Run(tmp_path), network=wild), load=lambda config: learnt)
