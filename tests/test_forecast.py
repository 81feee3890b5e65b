"""What a step takes is told by earlier runs of the same work."""

import threading
import time
from pathlib import Path

import pytest

from cnnlab import timing
from cnnlab.config import TrainConfig
from cnnlab.forecast import WITHOUT_WEIGHT, measured_step
from cnnlab.new_runs import create_run
from cnnlab.runs import list_runs
from cnnlab.seeding import seeded

BASE = TrainConfig(dataset="digits", model="mlp", batch_size=64, epochs=3)


def past_run(folder: Path, name: str, seconds: float | None, threads: int = 2, **settings: object) -> None:
    """A run of 10 steps an epoch whose last epoch took so many seconds; None for one that has none yet."""
    config = BASE.model_copy(update=settings)
    run, held = create_run(folder / name, {"config": config.model_dump(mode="json")})
    held.lock.release()
    run.add_facts({"images": {"train": 10 * config.batch_size}, "device": {"type": "cpu", "threads": threads}})
    if seconds is not None:
        run.append([{"event": "epoch", "step": 10 * e, "epoch": e, "seconds": s} for e, s in ((1, 99.0), (2, seconds))])


def test_the_fastest_run_of_the_same_work_counts(tmp_path):
    past_run(tmp_path, "slow", 4.0)
    past_run(tmp_path, "fast", 2.0, lr=0.5, epochs=20, seed=7, train_images=640)
    past_run(tmp_path, "unfinished", None)
    assert measured_step(BASE, "cpu", 2, tmp_path) == pytest.approx(0.2)


def test_a_training_by_several_processes_tells_nothing_of_one(tmp_path):
    past_run(tmp_path, "shared", 2.0)
    list_runs(tmp_path)[0].add_facts({"processes": 2})
    assert measured_step(BASE, "cpu", 2, tmp_path) is None


@pytest.mark.parametrize(
    "other",
    [{"model": "simple_cnn"}, {"batch_size": 32}, {"optimizer": "sgd"}, {"precision": "bfloat16"}, {"threads": 1}],
    ids=str,
)
def test_another_work_or_machine_tells_nothing(tmp_path, other):
    past_run(tmp_path, "other", 2.0, **other)
    assert measured_step(BASE, "cpu", 2, tmp_path) is None


def test_a_damaged_run_tells_nothing(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    assert measured_step(BASE, "cpu", 2, tmp_path) is None


def test_what_weighs_nothing_are_settings():
    assert set(TrainConfig.model_fields) > WITHOUT_WEIGHT


def test_others_may_draw_between_two_timed_steps(monkeypatch):
    order, step = [], timing.train_step

    def draw() -> None:
        with seeded(0):
            order.append("drawn")

    def step_that_somebody_waits_for(*given):
        order.append("step")
        if len(order) == 1:
            threading.Thread(target=draw).start()
            time.sleep(0.05)  # it waits by now
        return step(*given)

    monkeypatch.setattr(timing, "train_step", step_that_somebody_waits_for)
    assert timing.time_step(TrainConfig(model="mlp", device="cpu"), 1, 28, 10) > 0
    assert order[:3] == ["step", "drawn", "step"]
