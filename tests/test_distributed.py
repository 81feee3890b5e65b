"""Trainings over several processes, really started by torchrun: they do what one process does."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from cnnlab import launch, machine, team
from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError
from cnnlab.new_runs import create_run
from cnnlab.queue import turn
from cnnlab.runs import Run
from tests import spread_training
from tests.conftest import PROJECT
from tests.torchrun import ONE_THREAD, SharedTraining, torchrun


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As torchrun's processes have: two would wait for each other on a machine that is busy otherwise."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(machine.THREADS)


@pytest.fixture(scope="module")
def spread(tmp_path_factory) -> dict[str, object]:
    """What the last of three processes got out of spread_training; their shares are never all alike."""
    path = tmp_path_factory.mktemp("spread") / "results"
    command = [*torchrun(3), "-m", "tests.spread_training", str(path)]
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | ONE_THREAD, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.with_name("results.2").read_text())


def agree(one: object, other: object) -> bool:
    """Whether two figures are the same to float tolerance; None, where a class has no images, is None."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return other == (pytest.approx(one, rel=1e-3, abs=1e-6) if isinstance(one, float) else one)


@pytest.mark.parametrize("case", spread_training.CASES)
def test_several_processes_train_as_one(case, spread):
    alone, together = spread_training.training(case), spread[case]
    for one, other in zip(alone["records"], together["records"], strict=True):
        assert one["event"] == other["event"] and one.keys() == other.keys()
        for key in one:
            assert agree(one[key], other[key]), f"{key} at step {one['step']}: {one[key]} and {other[key]}"
    ours, theirs = (torch.tensor([v for w in of["weights"].values() for v in w]) for of in (together, alone))
    assert (ours - theirs).norm() < 0.01 * theirs.norm()  # Adam makes a step of rounding errors where a gradient is 0


def test_batch_norm_and_dropout_are_those_of_the_whole_batch(spread):
    for name, values in spread_training.layers().items():
        assert spread["layers"][name] == pytest.approx(values, rel=1e-10, abs=1e-12), name


def test_a_process_with_other_images_is_refused(grey_squares, tmp_path, monkeypatch):
    config = TrainConfig(model="mlp")
    run, held = create_run(tmp_path / "one", {"config": config.model_dump(mode="json")})
    held.lock.release()
    others = torch.zeros(2, 1, dtype=torch.int64)
    monkeypatch.setattr(team, "world_size", lambda: 2)
    monkeypatch.setattr(team, "all_reduce", lambda table: table[:1] + others)
    assert team.starting_state(run, grey_squares).step == 0
    others[1] = 1
    with pytest.raises(DatasetError, match="Rank 1 has other images or weights than rank 0: let all hosts see"):
        team.starting_state(run, grey_squares)


# ── the command line ──────────────────────────────────────────────────────────────────────────────────────────────

# 24 epochs of 19 steps: batch norm, dropout, augmentation, uneven shares; smooth, so that roundings stay roundings
SMOOTH = (
    '--model custom --blocks [{"channels":8,"activation":"gelu","pool":"avg"}] --hidden 16 --dropout 0.2 '
    "--augment-shift 1 --train-images 300 --batch-size 16 --epochs 24 --optimizer sgd --lr 0.01 "
    "--device cpu"
).split()
PER_EPOCH = 19
has_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")


@pytest.fixture
def share_out(fresh_folders) -> Iterator[Callable[..., SharedTraining]]:
    """Starts trainings by torchrun, and ends those that the test left."""
    started: list[SharedTraining] = []

    def start(processes: int, *arguments: str) -> SharedTraining:
        started.append(SharedTraining(processes, *arguments))
        return started[-1]

    yield start
    for training in started:
        training.clean_up()


def reached(run: Run, epoch: int) -> Callable[[], bool]:
    return lambda: (run.last_record("epoch") or {"epoch": 0})["epoch"] >= epoch


@has_proc
def test_killed_and_stopped_on_other_numbers_of_processes_a_run_ends_as_on_one(
    share_out, until, fresh_folders, monkeypatch
):
    run, whole = Run(fresh_folders / "cut"), Run(fresh_folders / "whole")

    with turn(fresh_folders, lambda ahead: None, lambda: False):  # rank 0 waits for its turn, rank 1 for rank 0
        training = share_out(2, "train", *SMOOTH, "--name", "cut")
        until(lambda: "Waiting for another training" in run.log_tail(), "its waiting")
    until(reached(run, 2), "the second epoch")
    os.kill(training.ranks()[1], signal.SIGKILL)
    status, output, _ = training.ended()
    end = run.last_record()
    assert status == 1 and output == f"{run.path}\n"  # of rank 0 alone
    assert run.state() == "failed" and end["message"].startswith("Rank 1 of 2 processes (on ")
    assert end["message"].endswith(") was cut off: a person or the machine ended it. The run can be resumed.")

    training = share_out(3, "resume", "cut")
    until(reached(run, end["epoch"] + 1), "another epoch")
    os.kill(training.ranks()[0], signal.SIGKILL)
    status, _, errors = training.ended()
    assert status == 1 and run.state() == "interrupted"
    assert all(f"cnnlab: rank {other} lost the connection to the other processes." in errors for other in (1, 2))

    last = run.last_record("epoch")["epoch"]
    monkeypatch.setattr(launch, "most_processes", lambda device: 2)  # of the three that it had
    launch.resume(run)  # as the page does
    try:
        until(reached(run, last + 1), "another epoch")
    finally:
        assert main(["stop", "cut"]) == 0
    assert run.state() == "stopped" and run.facts()["processes"] == 2
    assert not list(run.path.glob("lock-*")) and " lost " not in run.log_tail()

    assert main(["resume", "cut"]) == 0 == main(["train", *SMOOTH, "--name", "whole"])
    assert run.state() == whole.state() == "finished"
    ours, theirs = ([r for r in of.records() if r["event"] != "start"][:-1] for of in (run, whole))
    steps = [r["step"] for r in ours if r["event"] == "step"]
    assert steps == list(range(1, 24 * PER_EPOCH + 1))
    for one, other in zip(theirs, ours, strict=True):
        for key in ("train/loss", "val/loss", "best/loss"):
            assert other.get(key) == (one.get(key) and pytest.approx(one[key], rel=1e-3)), f"{key} at {one['step']}"


def test_a_loss_that_blows_up_on_two_processes_is_told_as_that(share_out, fresh_folders):
    wild = "--model cnn_5x5 --lr 10 --optimizer sgd --batch-size 8 --epochs 3 --device cpu".split()
    status, _, errors = share_out(2, "train", *wild, "--name", "wild").ended()
    assert status == 1 and "training has blown up" in Run(fresh_folders / "wild").last_record()["message"], errors


def test_what_torchrun_cannot_share_out_is_refused_once_and_nobody_waits(share_out):
    status, output, errors = share_out(2, "runs").ended()
    assert status == 1 and not output
    assert errors.count("cnnlab: torchrun cannot share out 'runs': start it by python -m cnnlab.") == 1
