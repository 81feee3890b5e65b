"""Sweeps: what is varied, and trials that are ordinary runs."""

import operator
import os
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent import futures
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState, create_trial

from cnnlab import cli, launch, recipes
from cnnlab.config import TrainConfig
from cnnlab.engine import Record
from cnnlab.new_runs import create_run
from cnnlab.parsing import ConfigError, adapt
from cnnlab.runs import Run, RunError, list_runs
from cnnlab.sweeps import study
from cnnlab.sweeps import sweep as sweep_module
from cnnlab.sweeps import trial as trial_module
from cnnlab.sweeps.folder import SweepFolder, Worker, free_name, list_sweeps
from cnnlab.sweeps.importance import ENOUGH, importance
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.start import begin_arguments, join_arguments, start_sweep
from cnnlab.sweeps.storage import LOST, SweepError
from cnnlab.sweeps.study import Sweep, load_sweep, open_sweep, settings_of
from cnnlab.sweeps.suggest import suggestion, variable
from cnnlab.sweeps.sweep import check_sweep, forget_the_dead, run_sweep
from cnnlab.sweeps.vary import Vary, combinations, parse_vary
from cnnlab.train import Listener
from tests.conftest import Trainer

TINY = TrainConfig(dataset="digits", model="simple_cnn", epochs=2, train_images=128, batch_size=64)
LR = ("lr=0.001..0.01:log",)


def opened(runs: Path, storage: str | None = None) -> Sweep:
    """The sweep ``search`` among ``runs``."""
    return open_sweep(SweepFolder(runs, "search"), storage)


def silent(log: Path) -> Listener:
    return Listener()


def test_what_is_trained_has_few_digits_and_stays_in_its_range():
    near = FloatDistribution(0.5, 0.99999)
    trial = create_trial(value=0.5, params={"momentum": 0.999989, "lr": 0.00123456}, distributions={
        "momentum": near, "lr": FloatDistribution(0.001, 0.1)})  # fmt: skip
    assert settings_of(trial) == {"momentum": 0.99999, "lr": 0.001235}


def test_an_unfinished_trial_is_as_good_as_it_is_now(tmp_path):
    sweep = opened(tmp_path)
    sweep.keep(Plan(TINY, LR, 2))
    trial = sweep.study.ask()
    trial.report(0.9, 1)
    trial.report(0.8, 2)
    assert [t.accuracy for t in sweep.trials()] == [0.8]


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
        ("hidden=64,128", "hidden cannot be varied, for it is a list"),
        ("seed=1,2", "seed cannot be varied: with another, trials would be judged by other validation images."),
        ("validation-fraction=0.1,0.2", "validation_fraction cannot be varied: "),
        ("lr=0.1..0.01", "LOW below HIGH"),
        ("lr=0.1..0.1", "LOW below HIGH"),
        ("weight_decay=0..0.5:log", "powers begin above 0"),
        ("lr=0.1,-1", "lr = -1 is not allowed"),
        ("optimizer=a..b", "optimizer = a is not allowed"),
        ("lr=0.1..1:cubic", "with :log at the end"),
    ],
)
def test_what_cannot_be_varied_is_answered_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        parse_vary(text, TrainConfig())


@pytest.mark.parametrize("text", ["lr=0.0001..0.1:log", "batch_size=32,64", "optimizer=sgd,adam", "momentum=0.5..0.9"])
def test_what_is_varied_is_written_as_it_is_read(text: str) -> None:
    assert parse_vary(text, TrainConfig()).text == text


def test_a_setting_counts_only_with_the_others_that_it_needs() -> None:
    varied = [parse_vary(text, TINY) for text in ("optimizer=sgd,adam", "nesterov=false", "batch_size=32,64")]
    assert list(combinations(TINY, varied)) == [
        {"optimizer": "sgd", "nesterov": False, "batch_size": 32},
        {"optimizer": "sgd", "nesterov": False, "batch_size": 64},
        {"optimizer": "adam", "batch_size": 32},
        {"optimizer": "adam", "batch_size": 64},
    ]


def test_each_trial_is_a_run_and_the_sweep_goes_on_where_it_ended(tmp_path: Path) -> None:
    first = run_sweep(opened(tmp_path), Plan(TINY, LR, 2), silent)
    assert [t.number for t in first] == [1, 2]
    assert {run.id for run in list_runs(tmp_path)} == {t.run for t in first} == {"search-001", "search-002"}
    for trial in first:
        run = Run(tmp_path / trial.run)
        assert run.state() == "finished"
        assert run.config.lr == trial.settings["lr"]
        assert run.last_record("epoch")["best/accuracy"] == trial.accuracy
    both = run_sweep(opened(tmp_path), Plan(TINY, LR, 3), silent)
    assert both[:2] == first and len(both) == 3
    assert load_sweep(SweepFolder(tmp_path, "search")).plan() == Plan(TINY, LR, 3)
    assert [folder.name for folder in list_sweeps(tmp_path)] == ["search"]
    assert free_name(tmp_path, "search") == "search-2"


def test_every_combination_is_tried_once_and_then_the_sweep_ends(tmp_path: Path) -> None:
    vary = ("optimizer=sgd,adam", "momentum=0.5,0.9")
    trials = run_sweep(opened(tmp_path), Plan(TINY.model_copy(update={"epochs": 1}), vary, 20), silent)
    assert load_sweep(SweepFolder(tmp_path, "search")).plan().trials == 3
    assert sorted(str(t.settings) for t in trials) == [
        "{'optimizer': 'adam'}",
        "{'optimizer': 'sgd', 'momentum': 0.5}",
        "{'optimizer': 'sgd', 'momentum': 0.9}",
    ]


def test_a_bad_combination_fails_with_its_reason_and_the_others_are_tried(tmp_path: Path) -> None:
    base = TINY.model_copy(update={"schedule": "one_cycle"})
    trials = run_sweep(opened(tmp_path), Plan(base, ("warmup_epochs=0,1", "epochs=1,2"), 4), silent)
    failed = [t for t in trials if t.state == "failed"]
    assert [(t.settings, t.run) for t in failed] == [({"warmup_epochs": 1.0, "epochs": 1}, "")]
    assert "warmup_epochs = 1 leaves nothing of the 1 epochs" in failed[0].reason
    assert len(trials) == 4


def test_a_training_that_fails_is_told_and_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = trial_module.train

    def blown_up(run: Run, listener: Listener) -> str:
        if run.config.lr < 100:
            return train(run, listener)
        run.append([{"event": "end", "step": 1, "epoch": 1, "status": "failed", "message": "It has blown up."}])
        return "failed"

    monkeypatch.setattr(trial_module, "train", blown_up)
    trials = run_sweep(opened(tmp_path), Plan(TINY, ("lr=100.0,0.001",), 2), silent)
    told = {t.settings["lr"]: (t.state, t.reason) for t in trials}
    assert told == {100.0: ("failed", "It has blown up."), 0.001: ("finished", "")} and len(trials) == 2


def test_a_sweep_keeps_to_what_it_searches_for(tmp_path: Path) -> None:
    opened(tmp_path).keep(Plan(TINY, LR, 2))
    with pytest.raises(ConfigError, match="go on with it by --name search alone"):
        opened(tmp_path).keep(Plan(TINY, ("lr=1.0,2.0",), 2))


def test_a_stopped_training_ends_the_sweep_and_is_tried_again_later(tmp_path: Path) -> None:
    class Stopper(Listener):
        def __init__(self, log: Path) -> None:
            self.run = Run(log.parent)

        def begin(self, config: TrainConfig, step: int, steps: int) -> None:
            self.run.request_stop()

    sweep = opened(tmp_path)
    assert [t.state for t in run_sweep(sweep, Plan(TINY, LR, 5), Stopper)] == ["stopped"]
    assert [t.state for t in run_sweep(sweep, Plan(TINY, LR, 1), silent)] == ["stopped", "finished"]


def test_a_stop_reaches_the_workers_that_live_and_their_runs_alone(tmp_path: Path) -> None:
    """Dead ones stay until the next worker joins; meanwhile their runs may be resumed or deleted."""
    folder = SweepFolder(tmp_path, "search")
    config = {"config": TINY.model_dump(mode="json")}
    resumed, held = create_run(tmp_path / "search-001", config)
    trained, other = create_run(tmp_path / "search-002", config)
    with held, other, folder.joined() as idle, folder.joined() as busy:
        dead = Worker(folder.path / "workers" / "a-1-1")
        for worker, run in ((dead, resumed), (idle, Run(tmp_path / "deleted")), (busy, trained)):
            worker.path.touch()
            worker.begins(run)
        folder.request_stop()
        assert [w.stop_requested() for w in (dead, idle, busy)] == [False, True, True]
        assert trained.stop_requested() and not resumed.stop_requested()
        idle.begins(resumed)  # asked while it was between two trainings
        assert resumed.stop_requested()


def test_a_trial_whose_process_was_cut_off_is_replaced(tmp_path: Path) -> None:
    sweep = opened(tmp_path)
    sweep.study.ask().set_user_attr("run", "search-001")  # its run's folder is gone, so nobody holds its lock
    assert [t.state for t in sweep.trials()] == ["interrupted"]
    assert [t.state for t in run_sweep(sweep, Plan(TINY, LR, 1), silent)] == ["interrupted", "finished"]


def test_a_trial_is_not_cut_short_after_its_last_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optuna.Trial.should_prune", lambda trial: True)
    config, listener = TINY.model_copy(update={"epochs": 1}), Noted()
    trials = run_sweep(opened(tmp_path), Plan(config, LR, 1), lambda log: listener)
    assert [t.state for t in trials] == ["finished"] and not Run(tmp_path / trials[0].run).stop_requested()
    assert [text.partition(":")[0] for text in listener.said] == ["Trial 1"]  # and no word of cutting it short


def test_a_hopeless_trial_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optuna.Trial.should_prune", lambda trial: True)
    trials = run_sweep(opened(tmp_path), Plan(TINY, LR, 1), silent)
    assert [t.state for t in trials] == ["pruned"]
    assert Run(tmp_path / trials[0].run).last_record()["status"] == "stopped"
    assert trials[0].accuracy is not None


class Noted(Listener):
    """Keeps what is said, and calls ``at_epoch`` with each."""

    def __init__(self, at_epoch: Callable[[int], object] = lambda epoch: None) -> None:
        self.said, self.at_epoch = [], at_epoch

    def say(self, text: str) -> None:
        self.said.append(text)

    def record(self, record: Record) -> None:
        if record.event == "epoch":
            self.at_epoch(record.epoch)


def unreachable(*given: object, **named: object) -> None:
    raise StorageInternalError("An exception is raised during the commit.") from OSError("locked\nby somebody")


def test_a_database_that_does_not_answer_for_a_while_spoils_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "AGAIN", 0)
    monkeypatch.setattr("optuna.storages.RDBStorage.record_heartbeat", unreachable)
    monkeypatch.setattr("optuna.Trial.report", unreachable)
    for name in ("optuna.Trial.set_user_attr", "optuna.Study.tell", "optuna.Study.ask"):
        function = operator.attrgetter(name.removeprefix("optuna."))(optuna)
        answers = iter([unreachable] * 2)
        monkeypatch.setattr(name, lambda *a, f=function, n=answers, **k: next(n, f)(*a, **k))
    listener = Noted()
    sweep = opened(tmp_path, f"sqlite:///{tmp_path / 'sweep.db'}")
    assert [t.state for t in run_sweep(sweep, Plan(TINY, LR, 1), lambda log: listener)] == ["finished"]
    assert listener.said[1:] == ["The sweep cannot be told of epoch 1 (OSError: locked). The training goes on."]


def test_a_database_that_never_answers_ends_the_worker_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = opened(tmp_path)
    monkeypatch.setattr(study, "AGAIN", 0)
    monkeypatch.setattr(study, "INSIST", 0)
    monkeypatch.setattr("optuna.Study.ask", unreachable)
    with pytest.raises(SweepError, match=r"The sweep 'search' cannot be read: .* \(OSError: locked\)"):
        run_sweep(sweep, Plan(TINY, LR, 1), silent)


def test_a_trial_that_was_taken_for_dead_trains_on_and_is_replaced(tmp_path: Path) -> None:
    """A laptop's lid was closed for longer than five minutes."""
    sweep = opened(tmp_path)
    elsewhere = opened(tmp_path).study
    listener = Noted(lambda epoch: elsewhere.tell(0, state=TrialState.FAIL, skip_if_finished=True))
    trials = run_sweep(sweep, Plan(TINY, LR, 1), lambda log: listener)
    assert [t.state for t in trials] == ["interrupted", "finished"]
    assert [run.state() for run in list_runs(tmp_path)] == ["finished", "finished"]
    assert sum("The training goes on." in text for text in listener.said) == 1


def test_a_trial_that_was_taken_for_dead_before_it_began_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = trial_module.create_run

    def slow(path: Path, facts: dict[str, object]) -> object:
        opened(tmp_path).study.tell(0, state=TrialState.FAIL, skip_if_finished=True)
        return begin(path, facts)

    monkeypatch.setattr(trial_module, "create_run", slow)
    monkeypatch.setattr(trial_module, "train", lambda run, listener: "failed")
    trials = run_sweep(opened(tmp_path), Plan(TINY, LR, 1), silent)
    assert [(t.state, t.run) for t in trials] == [("interrupted", ""), ("failed", "search-002")]
    assert [run.id for run in list_runs(tmp_path)] == ["search-002"]


def test_a_worker_on_a_database_that_falls_silent_is_replaced(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    elsewhere, here = (open_sweep(SweepFolder(tmp_path / host, "search"), storage) for host in ("one", "two"))
    with warnings.catch_warnings(action="ignore"):
        trial = elsewhere.study.ask()
    trial.set_user_attr("run", "search-001")
    elsewhere.study._storage.record_heartbeat(trial._trial_id)
    forget_the_dead(here)
    assert [t.state for t in here.trials()] == ["running"]  # on another host, and not long ago
    with sqlite3.connect(tmp_path / "sweep.db") as database:
        database.execute(f"UPDATE trial_heartbeats SET heartbeat = datetime('now', '-{LOST + 5} seconds')")
    assert [t.state for t in run_sweep(here, Plan(TINY, LR, 1), silent)] == ["interrupted", "finished"]
    assert (tmp_path / "two" / "search-002").is_dir()
    assert [t.state for t in load_sweep(SweepFolder(tmp_path / "two", "search")).trials()] == [
        "interrupted",
        "finished",
    ]


def test_a_worker_on_a_database_that_is_killed_while_it_chooses_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(trial: optuna.Trial, plan: Plan) -> dict[str, object]:
        raise KeyboardInterrupt

    storage, plan = f"sqlite:///{tmp_path / 'sweep.db'}", Plan(TINY, LR, 1)
    elsewhere, here = (open_sweep(SweepFolder(tmp_path / host, "search"), storage) for host in ("one", "two"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sweep_module, "suggest", killed)
        run_sweep(elsewhere, plan, silent)
    with sqlite3.connect(tmp_path / "sweep.db") as database:  # its host's clock is that of another time zone
        database.execute("UPDATE trials SET datetime_start = datetime(datetime_start, '-9 hours')")
    forget_the_dead(here)
    assert [t.state for t in here.trials()] == ["queued"]
    with sqlite3.connect(tmp_path / "sweep.db") as database:
        database.execute(f"UPDATE trial_heartbeats SET heartbeat = datetime('now', '-{LOST + 5} seconds')")
    assert [t.state for t in run_sweep(here, plan, silent)] == ["interrupted", "finished"]


def test_two_workers_that_choose_at_once_choose_different_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(TINY, ("batch_size=32,64",), 3)
    one, two = opened(tmp_path), opened(tmp_path)
    suggest, other = sweep_module.suggest, []

    def suggest_slowly(trial: optuna.Trial, plan: Plan) -> dict[str, object]:
        if not other:
            other.append(pool.submit(run_sweep, two, plan, silent))
            futures.wait(other, timeout=0.3)  # for nothing: it waits for us
        return suggest(trial, plan)

    def make_at_once(sweep: Sweep, plan: Plan, trial: optuna.Trial, *given: object) -> str:
        sweep.study.tell(trial, 0.5)
        return "finished"

    monkeypatch.setattr("random.choice", operator.itemgetter(0))
    monkeypatch.setattr(sweep_module, "suggest", suggest_slowly)
    monkeypatch.setattr(sweep_module, "make_trial", make_at_once)
    with futures.ThreadPoolExecutor(1) as pool:
        run_sweep(one, plan, silent)
        trials = other[0].result()
    assert [t.settings["batch_size"] for t in trials] == [32, 64]


def test_two_workers_share_the_trials_and_none_is_made_twice(trainer: Trainer, fresh_folders: Path) -> None:
    settings = ["--model", "simple_cnn", "--epochs", "1", "--train-images", "128"]
    command = ["sweep", *settings, "--vary", "batch_size=16,32,64", "--vary", "lr=0.001,0.01", "--trials", "6"]
    workers = [trainer.start(*command, CNNLAB_MAX_TRAININGS="2") for _ in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    trials = load_sweep(SweepFolder(fresh_folders, "sweep")).trials()
    assert len({t.run for t in trials}) == len({str(t.settings) for t in trials}) == len(trials) == 6
    assert {t.state for t in trials} <= {"finished", "pruned"}
    assert {run.id for run in list_runs(fresh_folders)} == {t.run for t in trials}
    assert SweepFolder(fresh_folders, "sweep").workers() == []


def test_a_killed_workers_trial_is_replaced_by_one_that_joins_by_name_and_stops_when_asked(
    trainer: Trainer, fresh_folders: Path, until: Callable[[Callable[[], object], str], None]
) -> None:
    folder = SweepFolder(fresh_folders, "sweep")
    settings = ["--model", "simple_cnn", "--epochs", "1000", "--train-images", "128"]
    first = trainer.start("sweep", *settings, "--vary", "lr=0.001..0.01", "--trials", "1")
    until(lambda: Run(fresh_folders / "sweep-001").state() == "running", "training")
    first.kill()
    until(lambda: not folder.at_work(), "the death")
    assert [t.state for t in load_sweep(folder).trials()] == ["interrupted"]
    second = trainer.start("sweep")
    until(lambda: Run(fresh_folders / "sweep-002").state() == "running", "training by the second worker")
    assert cli.main(["sweep", "--stop"]) == 0
    out, errors = second.communicate(timeout=60)
    assert second.returncode == 0, errors
    assert [t.state for t in load_sweep(folder).trials()] == ["interrupted", "stopped"]
    assert "sweep-002" in out and folder.workers() == []


def test_a_deleted_sweep_is_gone_from_its_database_too_but_not_while_it_is_at_work(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    sweep = open_sweep(SweepFolder(tmp_path, "search"), storage)
    run_sweep(sweep, Plan(TINY, LR, 1), silent)
    with sweep.folder.joined(), pytest.raises(RunError, match="is at work: stop it first"):
        sweep.delete(with_runs=True)
    sweep.delete(with_runs=False)
    assert [run.id for run in list_runs(tmp_path)] == ["search-001"] and not sweep.folder.path.exists()
    with pytest.raises(SweepError, match="no sweep 'search' in its storage"):
        load_sweep(SweepFolder(tmp_path, "search"), storage)


@pytest.mark.parametrize(("id", "facts"), [("search-001", {"sweep": "search"}), ("../victim", {}), ("..", {})])
def test_a_run_of_another_sweep_is_left_alone(tmp_path: Path, id: str, facts: dict[str, str]) -> None:
    """A database knows of runs on other hosts; what is called so here is not theirs."""
    runs = tmp_path / "runs"
    config = {"config": TINY.model_dump(mode="json")}
    for path in (runs / "search-001", tmp_path / "victim"):
        create_run(path, config | facts)[1].lock.release()
    sweep = open_sweep(SweepFolder(runs, "search"), f"sqlite:///{tmp_path / 'sweep.db'}")
    with warnings.catch_warnings(action="ignore"):
        trial = sweep.study.ask()
    trial.set_user_attr("run", id)
    trial.set_user_attr("mark", "of another host")
    assert not sweep.is_dead(sweep.study.trials[0])
    forget_the_dead(sweep)
    assert [t.state for t in sweep.trials()] == ["running"]
    sweep.delete(with_runs=True)
    assert (runs / "search-001").is_dir() and (tmp_path / "victim").is_dir()


def test_a_database_without_its_driver_is_told_by_the_drivers_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # not installed, whether it is or not
    address, missing = "postgresql://lab:hunter2@host/db", r"\(ModuleNotFoundError: .*psycopg.*\)"
    with pytest.raises(ConfigError, match=rf"cannot be used {missing}: .* with that database's driver installed"):
        opened(tmp_path, address)
    with pytest.raises(SweepError, match=rf"postgresql://lab:\*\*\*@host/db is damaged or out of reach {missing}"):
        load_sweep(SweepFolder(tmp_path, "joined"), address)  # on a host where nothing of the sweep is kept yet


def test_no_message_shows_a_databases_password(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'sweep.db'}"
    secret, shown = "postgresql://lab:hunter2@host:54x32/db", r"postgresql://lab:\*\*\*@host:54x32/db"
    with pytest.raises(ConfigError, match=rf"--storage {shown} cannot be used"):
        opened(tmp_path, secret)
    sweep = opened(tmp_path, database)
    with pytest.raises(ConfigError, match=rf"--storage {shown} is not allowed: .* is kept in {database}\."):
        opened(tmp_path, secret)
    sweep.folder.keep_storage(secret)
    with pytest.raises(ConfigError, match=rf"--storage {database} is not allowed: .* is kept in {shown}\."):
        opened(tmp_path, database)
    with pytest.raises(SweepError, match=f"cannot be read: {shown} is damaged or out of reach"):
        load_sweep(sweep.folder)
    with pytest.raises(SweepError, match=f"are still in {shown} "):
        replace(sweep, address=secret).delete(with_runs=False)


def test_sweeps_are_listed_from_the_newest_on_whichever_is_written_to(tmp_path: Path) -> None:
    for name in ("older", "newer"):
        open_sweep(SweepFolder(tmp_path, name))
        time.sleep(0.05)  # a file system's clock may tick that slowly
    older = SweepFolder(tmp_path, "older")
    with older.joined():
        open_sweep(older)
    assert [sweep.name for sweep in list_sweeps(tmp_path)] == ["newer", "older"]
    older.began_path.unlink()  # as before there was such a file
    assert [sweep.name for sweep in list_sweeps(tmp_path)] == ["older", "newer"]
    older.delete()
    assert older.began() == 0


def test_a_damaged_journal_is_told_in_a_sentence(tmp_path: Path) -> None:
    opened(tmp_path).keep(Plan(TINY, LR, 2))
    folder = SweepFolder(tmp_path, "search")
    folder.journal_path.write_text("no journal\n{}\n")
    with pytest.raises(SweepError, match="The sweep 'search' cannot be read"):
        load_sweep(folder)


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
    assert "sweep-001" in out and "sweep-002" in out and "validation accuracy" in out
    assert cli.main([*command, "--name", "all", "--trials", "3"]) == 0
    assert capsys.readouterr().err.endswith("cnnlab: All 2 combinations are tried.\n")


def test_the_command_says_what_other_workers_are_still_training(
    fresh_folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [study.Trial(1, "two-001", {}, "running", None), study.Trial(2, "", {}, "queued", None)]
    monkeypatch.setattr(sweep_module, "run_sweep", lambda *given: others)
    assert cli.main(["sweep", "--vary", "lr=0.1,0.2", "--trials", "2", "--name", "two"]) == 0
    assert capsys.readouterr().err == "cnnlab: Another worker is still training two-001, trial 2.\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--vary", "lr=101"], "lr = 101 is not allowed"),
        (["--vary", "lr=0.1,0.2", "--trials", "0"], "--trials 0 is not allowed"),
        (["--vary", "lr=0.1,0.2", "--name", "../up"], "cannot be a run's name"),
        (["--vary", "lr=0.1,0.2", "--storage", "nowhere://x"], "--storage nowhere://x cannot be used"),
        (["--vary", "lr=0.1,0.2", "--vary", "lr=0.3,0.4"], "lr is varied twice"),
        (["--vary", "momentum=0.1,0.2"], "momentum = 0.1 has no effect with optimizer = adam"),
        (["--name", "nobody"], "There is no sweep 'nobody'"),
        (["--lr", "0.1"], "Nothing is varied"),
        (["--name", "nobody", "--stop"], "'nobody' is not at work"),
    ],
)
def test_wrong_arguments_are_answered_in_a_sentence(
    flags: list[str], said: str, fresh_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sweep", *flags]) == 2
    assert said in capsys.readouterr().err
    assert list_sweeps(fresh_folders) == []


@pytest.mark.parametrize("recipe", recipes.RECIPES.names())
def test_what_is_suggested_to_vary_can_be_trained(recipe: str) -> None:
    config = adapt(recipes.get(recipe).config, {"validation_fraction": 0.1, "dataset": "digits"})
    for name in variable(config):
        vary = suggestion(name, config)
        assert parse_vary(vary.text, config) == vary
        check_sweep(config, [vary])


def test_what_is_suggested_is_allowed() -> None:
    assert suggestion("epochs", TrainConfig(epochs=600)).choices == (300, 600, 1000)
    assert suggestion("batch_size", TrainConfig(batch_size=1)).choices == (1, 2)
    assert suggestion("batch_size", TrainConfig(batch_size=65_536)).choices == (32_768, 65_536)


def test_how_much_a_setting_mattered_is_told_once_enough_trials_have_finished(tmp_path: Path) -> None:
    sweep = opened(tmp_path)
    space = {"lr": FloatDistribution(0.001, 0.1), "batch_size": CategoricalDistribution([32, 64])}
    for number in range(ENOUGH):
        assert importance(sweep) == {}
        settings = {"lr": 0.001 + 0.009 * number, "batch_size": (32, 64)[number % 2]}
        sweep.study.add_trial(create_trial(params=settings, distributions=space, value=1 - settings["lr"]))
    shares = importance(sweep)
    assert list(shares) == ["lr", "batch_size"]
    assert sum(shares.values()) == pytest.approx(1)


def test_a_sweep_is_started_as_a_process_of_its_own(
    fresh_folders: Path, until: Callable[[Callable[[], object], str], None]
) -> None:
    plan = Plan(TINY.model_copy(update={"epochs": 1000}), LR, 1)
    arguments = begin_arguments(plan, "search")
    folder = SweepFolder(fresh_folders, "search")
    start_sweep(folder, arguments)
    worker = launch._children[-1].pid
    at_work, session = folder.at_work(), os.getsid(worker)
    folder.request_stop()
    assert at_work == 1 and session == worker  # it outlives ours
    with pytest.raises(RunError, match="There is no sweep 'nobody'"):
        start_sweep(SweepFolder(fresh_folders, "nobody"), join_arguments("nobody"))
    assert [f.name for f in list_sweeps(fresh_folders)] == ["search"]
    assert load_sweep(folder).plan() == plan
    until(lambda: not folder.at_work(), "the end")
    assert all(child.wait() is not None for child in launch._children)


def test_a_sweep_that_does_not_begin_in_time_is_ended_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[[Callable[[], object], str], None]
) -> None:
    folder = SweepFolder(tmp_path, "search")
    children = []

    def slow(arguments: list[str], log_path: Path) -> subprocess.Popen[bytes]:
        log_path.touch()
        lock = folder.path / "workers" / "host-1-1"
        lock.parent.mkdir()
        hold = f"import fcntl, time; file = open({str(lock)!r}, 'w'); fcntl.flock(file, fcntl.LOCK_EX); time.sleep(60)"
        children.append(subprocess.Popen([sys.executable, "-c", hold]))
        until(lambda: folder.at_work(), "the worker")
        return children[0]

    monkeypatch.setattr(launch, "spawn", slow)
    monkeypatch.setattr(launch, "PATIENCE", 0.0)
    with pytest.raises(RunError, match=r"The sweep did not start within 0\.0 s: the machine may be busy"):
        start_sweep(folder, [])
    assert children[0].poll() is not None and not folder.path.exists()
