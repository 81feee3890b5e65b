"""Killed or stopped and resumed, as real processes, a run ends with the very weights of one that nobody disturbed."""

import functools
import signal

import pytest
from safetensors.torch import load_file

from cnnlab.checkpoints import read_checkpoint
from cnnlab.cli import main
from cnnlab.runs import Run

# batch norm, dropout, augmentation, a schedule, and an optimiser with a memory
DEMANDING = (
    "--model custom --dropout 0.2 --augment-shift 1 --train-images 656 --batch-size 16 --epochs 6 --eval-every 30 "
    "--schedule cosine"
)
PER_EPOCH = 41  # steps
OPTIMISERS = {"sgd": "--optimizer sgd --lr 0.02 --momentum 0.9 --nesterov", "adamw": "--optimizer adamw --lr 0.002"}


def demanding(optimiser: str, name: str) -> list[str]:
    return ["train", *DEMANDING.split(), *OPTIMISERS[optimiser].split(), "--name", name]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Gives the whole run for an optimiser, trained when it is asked for first."""

    @functools.cache
    def run(optimiser: str) -> Run:
        runs = tmp_path_factory.mktemp("whole")
        assert main([*demanding(optimiser, "whole"), "--runs-dir", str(runs)]) == 0
        return Run(runs / "whole")

    return run


def interrupt(process, run: Run, how: str, until) -> None:
    """Wait until the run is in the middle of an epoch from the third on, then end it."""
    until(lambda: (run.last_record("step") or {"step": 0})["step"] > 2 * PER_EPOCH + 10, "the third epoch")
    if how == "kill":
        process.kill()
        process.wait()
        assert run.state() == "interrupted"
    else:
        if how == "stop":
            assert main(["stop", run.id]) == 0
        else:
            process.send_signal(how)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and output.splitlines()[-1] == str(run.path)
        end = run.last_record("end")
        assert run.state() == "stopped" and end["step"] < 6 * PER_EPOCH
        assert read_checkpoint(run.checkpoint_path("last")).step == end["step"]  # nothing is lost


@pytest.mark.parametrize(
    ("how", "optimiser"),
    [("kill", "adamw"), ("stop", "adamw"), (signal.SIGTERM, "sgd"), (signal.SIGINT, "sgd")],
    ids=str,
)
def test_a_resumed_run_equals_an_uninterrupted_one(trainer, until, fresh_folders, undisturbed, how, optimiser):
    run, whole = Run(fresh_folders / "cut"), undisturbed(optimiser)
    process = trainer.start(*demanding(optimiser, "cut"))
    interrupt(process, run, how, until)
    done = run.last_record("step")["step"]
    assert 2 * PER_EPOCH < done < 6 * PER_EPOCH

    assert main(["resume", "cut"]) == 0
    assert run.state() == whole.state() == "finished"
    for name in ("last", "best"):
        ours, theirs = load_file(run.checkpoint_path(name)), load_file(whole.checkpoint_path(name))
        assert ours.keys() == theirs.keys() and not [key for key in ours if not ours[key].equal(theirs[key])]

    ours, theirs = list(run.records()), list(whole.records())
    steps = [r["step"] for r in ours if r["event"] == "step"]
    assert steps == list(range(1, 6 * PER_EPOCH + 1))
    for event in ("step", "eval", "epoch"):
        for ours_of, theirs_of in zip(
            [r for r in ours if r["event"] == event], [r for r in theirs if r["event"] == event], strict=True
        ):
            losses = [key for key in theirs_of if "loss" in key or "accuracy" in key]
            assert [ours_of[key] for key in ["step", "epoch", *losses]] == [
                theirs_of[key] for key in ["step", "epoch", *losses]
            ]
    assert [r["event"] for r in ours].count("end") == 1 and ours[-1]["event"] == "end"


def test_a_finished_run_is_not_resumed(trained_run, capsys):
    assert main(["resume", str(trained_run.path)]) == 2
    assert "trained has finished: there is nothing to resume." in capsys.readouterr().err
