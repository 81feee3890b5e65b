"""A real run's answers: kept, reused, made anew, and refused with a sentence."""

import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cnnlab import datasets
from cnnlab.checkpoints import CheckpointError, checkpoint_mark, load_trained
from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError
from cnnlab.evaluation.evaluate import Evaluation, evaluate, kept_answers
from cnnlab.evaluation.kept import keep
from cnnlab.prediction.temperature import calibrate
from cnnlab.runs import Run, RunError, find_run
from tests.conftest import save_again


@pytest.fixture
def made() -> Evaluation:
    """Six answers for three classes; image 3 is taken for class 2 most surely, image 4 less so."""
    probabilities = [[0.9, 0.1, 0], [0.6, 0.4, 0], [0.2, 0.8, 0], [0, 0.05, 0.95], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25]]
    answers = np.log(np.maximum(probabilities, 1e-30)).astype(np.float32)
    return Evaluation("best", "test", ("a", "b", "c"), answers, np.array([0, 0, 1, 1, 1, 2]), np.arange(10, 16))


def fails(config: TrainConfig) -> datasets.ImageDataset:
    raise AssertionError("the images were loaded though the answers were kept")


def test_answers_equal_the_network_s_own(own_run: Run):
    found = evaluate(own_run, "test")
    _, saved = load_trained(own_run)
    images = datasets.load(own_run.config).test
    with torch.inference_mode():
        logits = saved.network()(saved.scaling(images.images[:]))
    assert found.probabilities == pytest.approx(torch.softmax(logits, 1).numpy(), abs=1e-5)
    assert found.ids.tolist() == images.ids.tolist()
    assert found.scores.count == 359 and found.accuracy > 0.9


def test_answers_are_kept_for_each_checkpoint_and_made_anew_when_it_changes(own_run: Run):
    best, last = evaluate(own_run, "val", "best"), evaluate(own_run, "val", "last")
    for checkpoint, first in (("best", best), ("last", last)):
        assert (evaluate(own_run, "val", checkpoint, load=fails).probabilities == first.probabilities).all()
    own_run.checkpoint_path("best").touch()  # as where the folder is copied
    assert (evaluate(own_run, "val", "best", load=fails).probabilities == best.probabilities).all()
    save_again(own_run.checkpoint_path("best"))
    seen: list[tuple[int, int]] = []
    evaluate(own_run, "val", "best", lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(best.labels), len(best.labels))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"nonsense"])
def test_damaged_kept_answers_are_made_anew(own_run: Run, damage: bytes):
    first = evaluate(own_run, "val")
    (own_run.path / "predictions-val.npz").write_bytes(damage)
    assert (evaluate(own_run, "val").probabilities == first.probabilities).all()


def test_a_run_whose_dataset_is_gone_keeps_its_answers_and_says_so_for_new_ones(own_run: Run):
    evaluate(own_run, "val")

    def gone(config: TrainConfig) -> datasets.ImageDataset:
        raise DatasetError("There is no folder 'gone'.")

    assert evaluate(own_run, "val", load=gone).scores.count == 143
    with pytest.raises(DatasetError, match="no folder 'gone'"):
        evaluate(own_run, "test", load=gone)


def test_answers_are_made_anew_when_a_persons_images_change_and_who_asks_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    images, runs = tmp_path / "images", str(tmp_path / "runs")
    for part, number, name in product(("train", "test"), range(6), ("dark", "light")):
        (images / part / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (12, 12), 10 * number + (180 if name == "light" else 0)).save(
            images / part / name / f"{number}.png"
        )
    options = ("--model", "simple_cnn", "--image-size", "8", "--epochs", "1", "--validation-fraction", "0.2")
    assert main(["train", "--dataset", f"folder:{images}", *options, "--name", "own", "--runs-dir", runs]) == 0
    run = find_run("own", tmp_path / "runs")
    first = evaluate(run, "test")
    assert (evaluate(run, "test", load=fails).ids == first.ids).all()
    capsys.readouterr()
    assert main(["evaluate", "own", "--runs-dir", runs]) == 0 and not capsys.readouterr().err
    (images / "test" / "dark" / "0.png").unlink()
    assert len(evaluate(run, "test").labels) == len(first.labels) - 1
    assert main(["evaluate", "own", "--runs-dir", runs]) == 0
    assert "The images have changed since this run was trained: some of the test images" in capsys.readouterr().err
    assert main(["train", "--dataset", f"folder:{images}", *options, "--name", "rival", "--runs-dir", runs]) == 0
    rival = find_run("rival", tmp_path / "runs")
    answers = evaluate(rival, "test")
    assert kept_answers(run, answers) is not None  # of the same images
    (images / "test" / "dark" / "1.png").unlink()
    (images / "test" / "dark" / "6.png").write_bytes((images / "test" / "dark" / "2.png").read_bytes())
    assert evaluate(rival, "test").ids.tolist() == answers.ids.tolist()
    assert kept_answers(run, evaluate(rival, "test")) is None  # as many, but others
    evaluate(run, "test")
    assert main(["evaluate", "own", "--split", "train", "--runs-dir", runs]) == 0
    assert "have changed" not in capsys.readouterr().err
    assert calibrate(run, "best").why.startswith("Its images have changed")
    shutil.rmtree(images)
    assert len(evaluate(run, "test", load=fails).labels) == len(first.labels) - 1


def test_kept_answers_name_no_files_that_they_are_not_of(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    images, runs, table = tmp_path / "images", str(tmp_path / "runs"), tmp_path / "answers.csv"
    for number, name in product(range(6), ("dark", "light")):
        (images / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (12, 12), 10 * number + (180 if name == "light" else 0)).save(images / name / f"{number}.png")
    options = ("--model", "simple_cnn", "--image-size", "8", "--epochs", "1", "--validation-fraction", "0")
    assert main(["train", "--dataset", f"folder:{images}", *options, "--name", "own", "--runs-dir", runs]) == 0
    command = ["evaluate", "own", "--csv", str(table), "--runs-dir", runs]
    assert main(command) == 0 and ".png" in table.read_text()
    for file in (images / "dark").iterdir():
        file.unlink()
    assert main(command) == 0 and ".png" not in table.read_text()


def test_a_checkpoint_cut_short_says_so(own_run: Run):
    path = own_run.checkpoint_path("best")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"best\.safetensors cannot be read .* damaged or not of cnnlab"):
        evaluate(own_run, "test")


def test_a_file_that_is_no_checkpoint_says_so_without_python_s_words(own_run: Run):
    save_file({"weight": torch.zeros(3)}, own_run.checkpoint_path("best"))
    with pytest.raises(CheckpointError, match=r"best\.safetensors cannot be read: it is damaged or not of cnnlab"):
        evaluate(own_run, "test")


def test_a_checkpoint_whose_weights_have_blown_up_says_so(own_run: Run):
    save_again(own_run.checkpoint_path("best"), lambda weight: weight * torch.nan)
    with pytest.raises(CheckpointError, match=r"best\.safetensors gives answers that are no numbers: its weights have"):
        evaluate(own_run, "test")
    kept = {"log_probabilities": np.full((1, 10), np.nan), "labels": [0], "ids": [0], "version": ""}
    keep(own_run.path / "predictions-val.npz", f"best {checkpoint_mark(own_run, 'best')}", **kept)
    with pytest.raises(CheckpointError, match="no numbers"):  # also by what was kept
        evaluate(own_run, "val", load=fails)


def test_a_checkpoint_of_another_network_says_so(own_run: Run, tmp_path: Path):
    assert main(["train", "--epochs", "1", "--model", "mlp", "--name", "mlp", "--runs-dir", str(tmp_path)]) == 0
    saved = load_trained(Run(tmp_path / "mlp"))[1]
    foreign = replace(saved, config=saved.config.model_copy(update={"model": "simple_cnn"}))
    with pytest.raises(CheckpointError, match="another network"):
        foreign.network()


def test_a_checkpoint_of_another_run_says_so(own_run: Run):
    text = (own_run.path / "config.json").read_text()
    config = f'"model": "{own_run.config.model}"'
    assert config in text
    (own_run.path / "config.json").write_text(text.replace(config, '"model": "simple_cnn"'))
    with pytest.raises(CheckpointError, match=r"is of another network: it is \w+ on digits, the run is simple_cnn on"):
        evaluate(Run(own_run.path), "test")


def test_a_run_without_a_checkpoint_says_so(own_run: Run):
    shutil.rmtree(own_run.path / "checkpoints")
    with pytest.raises(RunError, match="no checkpoint yet"):
        evaluate(own_run, "test")


def test_a_split_without_images_says_so(own_run: Run):
    def without(config: TrainConfig) -> datasets.ImageDataset:
        whole = datasets.load(config)
        return replace(whole, test=whole.test.select(torch.arange(0)))

    with pytest.raises(DatasetError, match="has no test images"):
        evaluate(own_run, "test", load=without)


def test_other_classes_than_those_that_it_learnt_are_told(own_run: Run):
    def renamed(config: TrainConfig) -> datasets.ImageDataset:
        whole = datasets.load(config)
        return replace(whole, class_names=whole.class_names[::-1])

    with pytest.raises(DatasetError, match="The classes of digits have changed since own was trained"):
        evaluate(own_run, "test", load=renamed)


def test_answers_to_other_places_of_the_same_images_are_not_taken_for_them(own_run: Run):
    found = evaluate(own_run, "val")
    assert (kept_answers(own_run, found) == found.predicted).all()
    assert kept_answers(own_run, replace(found, ids=found.ids[::-1])) is None


def test_a_cell_holds_exactly_its_images_the_surest_first(made: Evaluation):
    assert made.cell(1, 2).tolist() == [3, 4]
    assert made.cell(2, 2).tolist() == []
    assert made.confusion.tolist() == [[2, 0, 0], [0, 1, 2], [1, 0, 0]]
    assert made.right.tolist() == [True, True, True, False, False, False]


def test_top_losses_come_first_and_hold_no_right_answer(made: Evaluation):
    assert made.top_losses().tolist() == [3, 5, 4]
    assert made.surest(made.right)[::-1].tolist() == [1, 2, 0]
