"""Sweeps: what is varied, and trials that are ordinary runs."""

from pathlib import Path

import pytest

from cnnlab import cli
from cnnlab.config import TrainConfig
from cnnlab.parsing import ConfigError
from cnnlab.runs import Run, list_runs
from cnnlab.sweeps.sweep import check_sweep, open_sweep, run_sweep, trials_of
from cnnlab.sweeps.vary import Vary, parse_vary
from cnnlab.train import Listener

TINY = TrainConfig(dataset="digits", model="simple_cnn", epochs=2, train_images=128, batch_size=64)


def silent(log: Path) -> Listener:
    return Listener()


@pytest.mark.parametrize(
    ("text", "vary"),
    [
        ("lr=1e-4..0.1:log", Vary("lr", low=1e-4, high=0.1, log=True)),
        ("batch-size=32,64", Vary("batch_size", choices=(32, 64))),
        ("epochs=2..5", Vary("epochs", low=2, high=5, whole=True)),
        ("optimizer=sgd,adam", Vary("optimizer", choices=("sgd", "adam"))),
    ],
)
def test_what_is_varied_is_read_in_the_settings_own_type(text: str, vary: Vary) -> None:
    assert parse_vary(text, TrainConfig()) == vary


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr", "give NAME=A,B,C or NAME=LOW..HIGH"),
        ("speed=1,2", "Unknown setting 'speed'"),
        ("lr=0.1..0.01", "LOW below HIGH"),
        ("weight_decay=0..0.5:log", "powers begin above 0"),
        ("lr=0.1,-1", "lr = -1 is not allowed"),
        ("optimizer=a..b", "optimizer = a is not allowed"),
        ("lr=0.1..1:cubic", "with :log at the end"),
    ],
)
def test_what_cannot_be_varied_is_answered_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        parse_vary(text, TrainConfig())


def test_each_trial_is_a_run_and_the_sweep_goes_on_where_it_ended(tmp_path: Path) -> None:
    varied = [parse_vary("lr=0.001,0.01", TINY)]
    first = run_sweep(open_sweep(tmp_path, "search"), TINY, varied, 2, silent)
    assert [t.number for t in first] == [0, 1]
    assert {run.id for run in list_runs(tmp_path)} == {t.run for t in first} == {"search-000", "search-001"}
    for trial in first:
        run = Run(tmp_path / trial.run)
        assert run.state() == "finished"
        assert run.config.lr == trial.settings["lr"]
        assert run.last_record("epoch")["best/accuracy"] == trial.accuracy
    both = run_sweep(open_sweep(tmp_path, "search"), TINY, varied, 3, silent)
    assert both[:2] == first and len(both) == 3


def test_a_stopped_training_ends_the_sweep_and_is_tried_again_later(tmp_path: Path) -> None:
    class Stopper(Listener):
        def __init__(self, log: Path) -> None:
            self.run = Run(log.parent)

        def begin(self, config: TrainConfig, step: int, steps: int) -> None:
            self.run.request_stop()

    sweep = open_sweep(tmp_path, "search")
    stopped = run_sweep(sweep, TINY, [parse_vary("lr=0.001,0.01", TINY)], 5, Stopper)
    assert [t.state for t in stopped] == ["fail"]
    assert [t.state for t in run_sweep(sweep, TINY, [parse_vary("lr=0.001,0.01", TINY)], 1, silent)] == [
        "fail",
        "complete",
    ]


def test_a_trial_whose_process_was_cut_off_is_replaced(tmp_path: Path) -> None:
    sweep = open_sweep(tmp_path, "search")
    sweep.study.ask().set_user_attr("run", "search-000")  # its run's folder is gone, so nobody holds its lock
    (tmp_path / "search-000").mkdir()
    states = [t.state for t in run_sweep(sweep, TINY, [parse_vary("lr=0.001,0.01", TINY)], 1, silent)]
    assert states == ["fail", "complete"]


def test_a_hopeless_trial_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optuna.Trial.should_prune", lambda trial: True)
    trials = run_sweep(open_sweep(tmp_path, "search"), TINY, [parse_vary("lr=0.001,0.01", TINY)], 1, silent)
    assert [t.state for t in trials] == ["pruned"]
    assert Run(tmp_path / trials[0].run).last_record()["status"] == "stopped"
    assert trials[0].accuracy is not None


def test_two_workers_share_a_sweep_through_a_database(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    varied = [parse_vary("lr=0.001,0.01", TINY)]
    run_sweep(open_sweep(tmp_path, "search", storage), TINY, varied, 1, silent)
    run_sweep(open_sweep(tmp_path, "search", storage), TINY, varied, 2, silent)
    assert len(trials_of(open_sweep(tmp_path, "search", storage))) == 2


def test_nothing_is_chosen_by_the_test_images() -> None:
    with pytest.raises(ConfigError, match="hold out images to compare by"):
        check_sweep(TINY.model_copy(update={"validation_fraction": 0.0}), [parse_vary("lr=0.001,0.01", TINY)])


def test_the_command_prints_the_trials_the_best_first(
    fresh_folders: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--model", "simple_cnn", "--epochs", "1", "--train-images", "128"]
    command = ["sweep", *settings, "--vary", "lr=0.0001,0.01", "--trials", "2", "--runs-dir", str(tmp_path / "runs")]
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "sweep-000" in out and "sweep-001" in out and "validation accuracy" in out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--vary", "lr=101"], "lr = 101 is not allowed"),
        (["--vary", "lr=0.1,0.2", "--trials", "0"], "--trials 0 is not allowed"),
        (["--vary", "lr=0.1,0.2", "--name", "../up"], "cannot be a run's name"),
        (["--vary", "lr=0.1,0.2", "--storage", "nowhere://x"], "--storage nowhere://x cannot be used"),
    ],
)
def test_wrong_arguments_are_answered_in_a_sentence(
    flags: list[str], said: str, fresh_folders: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sweep", *flags]) == 2
    assert said in capsys.readouterr().err
