"""One temperature makes a network as sure as it is right, and nothing else."""

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.nn.functional import cross_entropy

from cnnlab.cli import main
from cnnlab.datasets import DatasetError
from cnnlab.prediction.predictor import load_predictor
from cnnlab.prediction.temperature import calibrate, fit_temperature, fitted, smoothed
from cnnlab.runs import find_run
from tests.conftest import save_again


def overconfident(count: int = 4000, factor: float = 2.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose labels are drawn by the very softmax of logits / ``factor``: the right temperature is known."""
    dice = torch.Generator().manual_seed(3)
    logits = torch.randn(count, 5, generator=dice, dtype=torch.float64) * 2
    labels = torch.multinomial(torch.softmax(logits, 1), 1, generator=dice).flatten()
    return logits * factor, labels


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found_again(factor):
    logits, labels = overconfident(factor=factor)
    assert fit_temperature(logits, smoothed(labels, 5)) == pytest.approx(factor, rel=0.06)


def test_it_is_the_minimum_that_scipy_finds():
    logits, labels = overconfident(600)
    targets = smoothed(labels, 5)
    other = minimize_scalar(lambda t: cross_entropy(logits / t, targets).item(), bounds=(0.1, 10), method="bounded")
    assert fit_temperature(logits, targets) == pytest.approx(other.x, rel=1e-3)


def test_calibration_lowers_the_error_and_changes_no_answer():
    logits, labels = overconfident()
    found = fitted(torch.log_softmax(logits, 1), labels)
    assert found.images == 4000
    assert found.error_before and found.error_after is not None and found.error_after < found.error_before / 3


def test_a_network_that_is_as_sure_as_it_is_right_stays_so():
    logits, labels = overconfident(1000, factor=1.0)
    assert fit_temperature(logits, smoothed(labels, 5)) == pytest.approx(0.99, abs=0.005)  # the error would rise
    found = fitted(torch.log_softmax(logits, 1), labels)
    assert found.temperature == 1 and found.error_after == found.error_before


def test_a_network_without_a_mistake_is_not_called_sure_of_everything():
    logits = torch.eye(4, dtype=torch.float64).repeat(10, 1) * 3
    cold = torch.softmax(logits / fit_temperature(logits, smoothed(torch.arange(4).repeat(10), 4)), 1)
    assert cold.max().item() == pytest.approx(1 - 1 / 42, abs=1e-3)  # one doubt in 40 + 2, as Platt has it


@pytest.mark.parametrize(("right", "low", "high"), [(40, 0.5, 0.95), (36, 1.0, 1.0), (20, 2.0, 20.0)])
def test_few_images_change_the_confidence_only_where_they_speak_for_it(right, low, high):
    """40 answers, each 90 % sure: with 40 right that is too little, with 36 as it may be, with 20 too much."""
    labels = torch.arange(40) % 4
    answers = torch.where(torch.arange(40) < right, labels, (labels + 1) % 4)
    probabilities = torch.full((40, 4), 0.1 / 3).scatter_(1, answers[:, None], 0.9)
    found = fitted(probabilities.log(), labels)
    assert low - 1e-6 <= found.temperature <= high + 1e-6
    assert found.error_before is not None and found.error_after is not None
    assert found.error_after <= found.error_before + 1e-6


def test_it_is_kept_with_the_run_until_the_weights_change(own_run):
    first = calibrate(own_run, "best")
    assert first.images > 100 and first.temperature > 0
    kept = own_run.calibration_path("best")
    changed = kept.stat().st_mtime_ns
    assert calibrate(own_run, "best") == first and kept.stat().st_mtime_ns == changed
    for damage in (b"", b"[]", b'{"mark": 1}', b"nonsense"):
        kept.write_bytes(damage)
        assert calibrate(own_run, "best") == first
    changed = kept.stat().st_mtime_ns
    own_run.checkpoint_path("best").touch()  # as where the folder is copied
    assert calibrate(own_run, "best") == first and kept.stat().st_mtime_ns == changed
    save_again(own_run.checkpoint_path("best"))
    calibrate(own_run, "best")
    assert kept.stat().st_mtime_ns != changed


def test_without_validation_images_it_says_so_and_changes_nothing(fresh_folders):
    tiny = ["--dataset", "digits", "--model", "mlp", "--epochs", "1", "--validation-fraction", "0"]
    assert main(["train", *tiny, "--name", "none"]) == 0
    run = find_run("none", fresh_folders)
    found = calibrate(run, "last")
    assert (found.temperature, found.images) == (1.0, 0) and found.why == "It was trained without validation images."
    answer = load_predictor(run, "last", found).answers(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))[0]
    assert torch.equal(answer.probabilities, answer.confidences)


def test_nothing_is_downloaded_for_it(own_run):
    def missing(config):
        raise DatasetError("mnist is not on this machine: download it on the Train page.")

    (own_run.path / "predictions-val.npz").unlink(missing_ok=True)
    assert "not on this machine" in calibrate(own_run, "best", missing).why
    assert not own_run.calibration_path("best").exists()
