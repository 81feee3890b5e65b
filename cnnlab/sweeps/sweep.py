"""A sweep: trials of varied settings, chosen by Optuna, the hopeless ones cut short; each is an ordinary run.

::

    sweep = open_sweep(runs, "lr-search")
    run_sweep(sweep, config, [parse_vary("lr=1e-4..1e-1:log", config)], trials=20, listen=ConsoleListener)

What was tried lies in a journal, ``sweeps/NAME.journal`` among the runs, or in a database: any number of workers, on
any hosts that see it and the runs, take part by the same command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from cnnlab.config import TrainConfig
from cnnlab.engine import Record
from cnnlab.parsing import ConfigError, adapt
from cnnlab.runs import LIVE, Run, create_run
from cnnlab.sweeps.vary import Vary
from cnnlab.train import CHECK_ERRORS, Listener, check, train, versions

FIRST = 4  # trials that are never cut short: without some to compare with, nothing is hopeless
RUN = "run"  # a trial's attribute: the id of its run

optuna.logging.set_verbosity(optuna.logging.WARNING)  # what is to be said goes through the listener


@dataclass(frozen=True)
class Sweep:
    """A named search among the runs of ``folder``, its trials kept in ``study``."""

    name: str
    folder: Path
    study: optuna.Study


@dataclass(frozen=True)
class Trial:
    """One trial: its run's id, what was varied, its state, and the best validation accuracy in [0, 1] if it has one."""

    number: int
    run: str
    settings: dict[str, Any]
    state: str
    accuracy: float | None


def journal_path(folder: Path, name: str) -> Path:
    """Where the journal of the sweep ``name`` lies among the runs in ``folder``."""
    return folder / "sweeps" / f"{name}.journal"


def open_sweep(folder: Path, name: str, storage: str | None = None) -> Sweep:
    """The sweep ``name``, new or begun before; ``storage`` is a database's address, by default a journal is kept."""
    if storage is None:
        path = journal_path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept: Any = JournalStorage(JournalFileBackend(str(path)))
    else:
        kept = storage
    try:
        study = optuna.create_study(
            study_name=name,
            storage=kept,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST),
        )
    except Exception as error:  # each database's driver has its own
        raise ConfigError(f"--storage {storage} cannot be used ({error}): give a path or sqlite:///FILE.") from error
    return Sweep(name, folder, study)


def run_sweep(
    sweep: Sweep, base: TrainConfig, varied: Sequence[Vary], trials: int, listen: Callable[[Path], Listener]
) -> list[Trial]:
    """Train until the sweep has ``trials`` trials, those of other workers included, or a training is stopped.

    ``listen`` makes the Listener of a run from its log's path. Raises ConfigError where a setting is not allowed.
    """
    check_sweep(base, varied)
    _forget_the_dead(sweep)
    while len(_counted(sweep.study)) < trials:
        if _try_one(sweep, base, varied, listen) == "stopped":
            break
    return trials_of(sweep)


def check_sweep(base: TrainConfig, varied: Sequence[Vary]) -> None:
    """Raise ConfigError where a value cannot be trained with, or nothing could tell which is better."""
    for setting in varied:
        for value in setting.extremes:
            try:
                config = adapt(base, {setting.name: value})
                check(config)
            except CHECK_ERRORS as error:
                raise ConfigError(str(error)) from error
    if not base.validation_fraction and not base.dataset.startswith("folder:"):
        raise ConfigError(
            "validation_fraction = 0 is not allowed in a sweep: hold out images to compare by, such as 0.1."
        )


def trials_of(sweep: Sweep) -> list[Trial]:
    """All trials, in the order in which they began."""
    return [
        Trial(t.number, t.user_attrs.get(RUN, ""), t.params, t.state.name.lower(), _accuracy(t))
        for t in sweep.study.get_trials(deepcopy=False)
    ]


def _accuracy(trial: FrozenTrial) -> float | None:
    if trial.state == TrialState.COMPLETE:
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def _counted(study: optuna.Study) -> list[FrozenTrial]:
    return [t for t in study.get_trials(deepcopy=False) if t.state != TrialState.FAIL]


def _forget_the_dead(sweep: Sweep) -> None:
    """Trials whose process was cut off count no more: another takes their place."""
    for trial in sweep.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        run = trial.user_attrs.get(RUN)
        if run and Run(sweep.folder / run).state() not in LIVE:
            sweep.study.tell(trial.number, state=TrialState.FAIL)


def _try_one(sweep: Sweep, base: TrainConfig, varied: Sequence[Vary], listen: Callable[[Path], Listener]) -> str:
    trial = sweep.study.ask()
    settings = {setting.name: _suggest(trial, setting) for setting in varied}
    facts = {"sweep": sweep.name, "recipe": None, "versions": versions()}
    try:
        config = adapt(base, settings)
        path = sweep.folder / f"{sweep.name}-{trial.number:03d}"
        run, lock = create_run(path, {"config": config.model_dump(mode="json"), **facts})
    except Exception:
        sweep.study.tell(trial, state=TrialState.FAIL)
        raise
    with lock:
        trial.set_user_attr(RUN, run.id)
        judge = _Judge(listen(run.log_path), trial, run)
        judge.say(f"Trial {trial.number}: " + ", ".join(f"{name} = {value}" for name, value in settings.items()))
        try:
            status = train(run, judge)
        finally:
            judge.close()
    if judge.hopeless:
        sweep.study.tell(trial, state=TrialState.PRUNED)
        return "pruned"
    if status == "finished" and judge.best is not None:
        sweep.study.tell(trial, judge.best)
    else:
        sweep.study.tell(trial, state=TrialState.FAIL)
    return status


def _suggest(trial: optuna.Trial, setting: Vary) -> Any:
    if setting.choices:
        return trial.suggest_categorical(setting.name, setting.choices)
    if setting.whole:
        return trial.suggest_int(setting.name, int(setting.low), int(setting.high), log=setting.log)
    return trial.suggest_float(setting.name, setting.low, setting.high, log=setting.log)


class _Judge(Listener):
    """Passes on what a training says, tells the study of each epoch, and stops the run once it is hopeless."""

    def __init__(self, listener: Listener, trial: optuna.Trial, run: Run) -> None:
        self.listener, self.trial, self.run = listener, trial, run
        self.best: float | None = None
        self.hopeless = False

    def say(self, text: str) -> None:
        self.listener.say(text)

    def task(self, what: str, done: int, total: int) -> None:
        self.listener.task(what, done, total)

    def begin(self, config: TrainConfig, step: int, steps: int) -> None:
        self.listener.begin(config, step, steps)

    def close(self) -> None:
        self.listener.close()

    def record(self, record: Record) -> None:
        self.listener.record(record)
        if record.event == "epoch" and "best/accuracy" in record.values:
            self.best = record.values["best/accuracy"]
            self.trial.report(self.best, record.epoch)
            if not self.hopeless and self.trial.should_prune():
                self.hopeless = True
                self.say("Cut short: at this epoch most other trials were better.")
                self.run.request_stop()
