"""Where a run stands, in words."""

import time
from pathlib import Path

import pytest
from filelock import FileLock

from cnnlab.config import TrainConfig
from cnnlab.new_runs import create_run
from cnnlab.runs import Run
from cnnlab.ui.train.status import LEAST_PAUSE, MOST_PAUSE, pause, status, watched_split

BEGAN = time.time() + 10**6  # after the runs below are made, however long the other tests take
STEP = {"event": "step", "step": 30, "epoch": 2, "train/loss": 0.5, "images_per_second": 640.0}
EPOCH = {
    "event": "epoch", "step": 21, "epoch": 1, "train/loss": 0.5, "train/accuracy": 0.8, "val/loss": 0.25,
    "val/accuracy": 0.875, "best/epoch": 1, "best/loss": 0.25, "best/accuracy": 0.875, "elapsed": 3.0,
}  # fmt: skip
END = {"event": "end", "step": 21, "epoch": 1, "status": "stopped", "message": "Stopped after step 21.", "elapsed": 3.0}


def made(folder: Path, **settings: object) -> tuple[Run, FileLock]:
    """A run of two epochs of 21 steps, with its lock still held."""
    config = TrainConfig(**{"epochs": 2, "batch_size": 64, **settings})
    run, held = create_run(folder / "run", {"config": config.model_dump(mode="json")})
    run.add_facts({"images": {"train": 1295, "val": 143, "test": 359}})
    return run, held.lock


def test_a_running_run_tells_epoch_step_speed_and_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lock = made(tmp_path)
    run.append([{"event": "start", "time": BEGAN, "elapsed": 0.0}, EPOCH, STEP])
    monkeypatch.setattr("time.time", lambda: BEGAN + 5)
    now = status(run)
    assert now.state == "running"
    assert now.share == pytest.approx(30 / 42)
    assert now.text == "Epoch 2 of 2 · step 30 of 42 · 370 images per second, about 2.0 s left"
    lock.release()


def test_the_time_left_is_that_of_the_images_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lock = made(tmp_path, batch_size=8192)
    run.append([{"event": "start", "time": BEGAN, "elapsed": 0.0}, STEP | {"step": 1, "epoch": 1}])
    monkeypatch.setattr("time.time", lambda: BEGAN + 2)
    assert status(run).text == "Epoch 1 of 2 · step 1 of 2 · 648 images per second, about 2.0 s left"
    lock.release()


def test_the_pace_is_that_of_the_whole_training_evaluations_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, lock = made(tmp_path)
    run.append([{"event": "start", "time": BEGAN, "elapsed": 6.0}, STEP | {"step": 21, "images_per_second": 1e6}])
    monkeypatch.setattr("time.time", lambda: BEGAN + 4)
    assert status(run).text.endswith("130 images per second, about 10 s left")
    lock.release()


def test_the_first_step_does_not_speak_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lock = made(tmp_path)
    run.append([{"event": "start", "time": BEGAN, "elapsed": 0.0}, STEP | {"step": 1, "epoch": 1}])
    monkeypatch.setattr("time.time", lambda: BEGAN + 0.5)
    assert status(run).text == "Epoch 1 of 2 · step 1 of 42"
    lock.release()


def test_before_the_first_epoch_ends_the_training_loss_is_the_last_steps(tmp_path: Path) -> None:
    run, lock = made(tmp_path)
    run.append([{"event": "start", "time": 0.0, "elapsed": 0.0}, STEP])
    told = next(tile for tile in status(run).tiles if tile.label == "Training loss")
    assert (told.value, told.help) == ("0.5000", "Of the last step: no epoch has ended yet.")
    run.append([EPOCH])
    assert "Mean over the last epoch" in next(tile.help for tile in status(run).tiles)
    lock.release()


def test_a_queued_run_tells_what_trains_and_how_many_wait_before_it(tmp_path: Path) -> None:
    run, lock = made(tmp_path)
    assert status(run).text == "Starting: Python and PyTorch are being loaded …"
    run.append([{"event": "queued", "time": 0.0, "ahead": 1}])
    assert status(run).text == "Waiting for its turn: 1 more waits before this one."
    other, held = create_run(tmp_path / "other", run.facts())
    other.append([{"event": "start", "time": 0.0, "elapsed": 0.0}])
    run.append([{"event": "queued", "time": 0.0, "ahead": 3}])
    assert status(run).text == "Waiting for its turn: other is training and 3 more wait before this one."
    run.append([{"event": "queued", "time": 0.0, "ahead": 0}])
    assert status(run).text == "Waiting for its turn: other is training."
    held.lock.release()
    lock.release()


def test_an_ended_run_shows_its_last_figures(tmp_path: Path) -> None:
    run, lock = made(tmp_path)
    run.append([STEP | {"step": 21}, EPOCH, END])
    lock.release()
    now = status(run)
    assert (now.state, now.share, now.text) == ("stopped", 0.5, "Stopped after step 21. 21 of 42 steps.")
    tiles = {tile.label: tile.value for tile in now.tiles}
    assert (tiles["Training loss"], tiles["Validation accuracy (last)"]) == ("0.5000", "87.50 %")
    assert (tiles["Accuracy at lowest loss"], tiles["Time"]) == ("87.50 %", "3.0 s")


def test_a_failed_run_leaves_the_reason_to_the_page(tmp_path: Path) -> None:
    run, lock = made(tmp_path)
    run.append([END | {"status": "failed", "message": "The loss is nan."}])
    lock.release()
    assert (status(run).state, status(run).text) == ("failed", "0 of 42 steps.")
    run.add_facts({"images": {}})
    assert status(run).text == "No step was taken."


def test_a_run_without_validation_images_has_no_best(tmp_path: Path) -> None:
    run, lock = made(tmp_path, validation_fraction=0.0, watch_test=True)
    lock.release()
    assert watched_split(run, run.config) == "val"  # a folder may bring its own
    run.add_facts({"images": {"train": 1438, "val": 0, "test": 359}})
    tiles = {tile.label: tile.value for tile in status(run).tiles}
    assert (tiles["Test accuracy (last)"], tiles["Kept weights"]) == ("–", "the last")


def test_a_long_run_is_looked_at_less_often() -> None:
    assert pause(0.0, 0.0) == pause(0.5, 5.0) == LEAST_PAUSE
    assert pause(0.25, 30.0) == pytest.approx(2.0)  # two minutes in all
    assert pause(0.01, 600.0) == MOST_PAUSE
