"""A sweep's worker: it tries settings that Optuna chooses, cuts the hopeless short, and each trial is an ordinary run.

::

    sweep = open_sweep(SweepFolder(runs, "lr-search"))
    run_sweep(sweep, Plan(config, ("lr=1e-4..1e-1:log",), trials=20), ConsoleListener)

Any number of workers, on any hosts that see the journal or the database, take part by the same call.
"""

import random
import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import optuna
from optuna.storages._heartbeat import get_heartbeat_thread  # Optuna beats by itself in Study.optimize alone
from optuna.trial import FrozenTrial, TrialState

from cnnlab.config import TrainConfig, applies, condition
from cnnlab.engine import Record
from cnnlab.parsing import ConfigError, adapt
from cnnlab.runs import Run, RunError, create_run
from cnnlab.sweeps.folder import Worker
from cnnlab.sweeps.study import END, REASON, RUN, Plan, Sweep, Trial
from cnnlab.sweeps.vary import Vary, combinations
from cnnlab.train import CHECK_ERRORS, Listener, check, train, versions

MANY = 10_000  # combinations above which nobody tries them all

Listen = Callable[[Path], Listener]
"""Makes the Listener of a run from its log's path."""


def run_sweep(sweep: Sweep, plan: Plan, listen: Listen, worker: Worker | None = None) -> list[Trial]:
    """Train until the sweep has its trials, those of other workers included, or ``worker`` or a training is stopped.

    No settings are trained twice: where all combinations have been, it ends. Raises ConfigError where a setting is
    not allowed.
    """
    check_sweep(plan.config, plan.varied)
    sweep.keep(plan)
    while not (worker and worker.stop_requested()):
        forget_the_dead(sweep)
        trial = _next_trial(sweep, plan)
        if trial is None or _try(sweep, plan, trial, listen, worker) == "stopped":
            break
    return sweep.trials()


def check_sweep(base: TrainConfig, varied: Sequence[Vary]) -> None:
    """Raise ConfigError where a value cannot be trained with, or nothing could tell which is better."""
    names = [setting.name for setting in varied]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{twice} is varied twice: give all its values in one --vary.")
    for setting in varied:
        for value in setting.extremes:
            try:
                check(adapt(base, {**_enabling(setting.name, base, varied), setting.name: value}))
            except CHECK_ERRORS as error:
                raise ConfigError(str(error)) from error
    if not base.validation_fraction and not base.dataset.startswith("folder:"):
        raise ConfigError(
            "validation_fraction = 0 is not allowed in a sweep: hold out images to compare by, such as 0.1."
        )


def _enabling(name: str, base: TrainConfig, varied: Sequence[Vary]) -> dict[str, Any]:
    """The value of another varied setting with which ``name`` counts, if it does not with ``base``."""
    if applies(name, base.model_dump()):
        return {}
    other = next((setting for setting in varied if setting.name == condition(name)[0]), None)
    values = ({other.name: choice} for choice in other.choices) if other else ()
    return next((value for value in values if applies(name, base.model_dump() | value)), {})


# ── which trial next ──────────────────────────────────────────────────────────────────────────────────────────────


def forget_the_dead(sweep: Sweep) -> None:
    """Trials whose process was cut off count no more: another takes their place."""
    for trial in sweep.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if sweep.is_dead(trial):
            sweep.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        optuna.storages.fail_stale_trials(sweep.study)


def _next_trial(sweep: Sweep, plan: Plan) -> optuna.Trial | None:
    """A trial of settings that nobody has tried, its settings chosen; None where there is nothing left to try."""
    while True:
        tried = _counted(sweep)
        left = plan.trials - len(tried)
        free = _free(plan, tried)
        if left <= 0 or free == []:
            return None
        if free is not None and len(free) <= left:  # there is time for all of them
            sweep.study.enqueue_trial(random.choice(free))
        with warnings.catch_warnings(action="ignore"):  # that we must keep the heart beating, as we do
            trial = sweep.study.ask()
        settings = suggest(trial, plan)
        earlier = [t for t in _counted(sweep) if t.number < trial.number]  # two workers may have begun at once
        if len(earlier) < plan.trials and settings not in [t.params for t in earlier]:
            return trial
        _end(sweep, trial, "dropped")
        if free:
            sweep.study.enqueue_trial(random.choice(free))


def _counted(sweep: Sweep) -> list[FrozenTrial]:
    """The trials that need not be made again: a training that failed would fail again."""
    waiting = TrialState.WAITING
    trials = [t for t in sweep.study.get_trials(deepcopy=False) if t.state != waiting]
    return [t for t in trials if t.state != TrialState.FAIL or t.user_attrs.get(END) == "failed"]


def _free(plan: Plan, tried: list[FrozenTrial]) -> list[dict[str, Any]] | None:
    """The combinations that nobody has tried; None where there are too many to count."""
    endless = any(not setting.choices and not setting.whole for setting in plan.varied)
    if endless:
        return None
    possible = list(islice(combinations(plan.config, plan.varied), MANY))
    done = [t.params for t in tried]
    return [settings for settings in possible if settings not in done] if len(possible) < MANY else None


def suggest(trial: optuna.Trial, plan: Plan) -> dict[str, Any]:
    """What to try: a value for each varied setting that counts with the values of the others."""
    found: dict[str, Any] = {}
    for setting in _conditions_first(plan.varied):
        if applies(setting.name, plan.config.model_dump() | found):
            found[setting.name] = _suggest(trial, setting)
    return found


def _conditions_first(varied: Sequence[Vary]) -> list[Vary]:
    return sorted(varied, key=lambda setting: bool(condition(setting.name)))


def _suggest(trial: optuna.Trial, setting: Vary) -> Any:
    if setting.choices:
        return trial.suggest_categorical(setting.name, setting.choices)
    if setting.whole:
        return trial.suggest_int(setting.name, int(setting.low), int(setting.high), log=setting.log)
    return trial.suggest_float(setting.name, setting.low, setting.high, log=setting.log)


# ── one trial ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _try(sweep: Sweep, plan: Plan, trial: optuna.Trial, listen: Listen, worker: Worker | None) -> str:
    """Train with the settings of ``trial``; what became of it: finished, pruned, stopped or failed."""
    try:
        config = adapt(plan.config, trial.params)
        check(config)
    except CHECK_ERRORS as error:  # each value is allowed, but not together
        return _end(sweep, trial, "failed", str(error))
    facts = {"config": config.model_dump(mode="json"), "sweep": sweep.folder.name, "recipe": plan.recipe}
    run, lock = _new_run(sweep, trial.number, facts | {"versions": versions()})
    with lock, get_heartbeat_thread(trial._trial_id, sweep.study._storage):
        trial.set_user_attr(RUN, run.id)
        if worker:
            worker.begins(run)
        judge = _Judge(listen(run.log_path), trial, run)
        judge.say(f"Trial {trial.number}: " + ", ".join(f"{name} = {value}" for name, value in trial.params.items()))
        try:
            status = train(run, judge)
        finally:
            judge.close()
        return _judged(sweep, trial, status, judge)  # while the lock is held: others take the trial for alive


def _judged(sweep: Sweep, trial: optuna.Trial, status: str, judge: "_Judge") -> str:
    if status == "stopped" and judge.hopeless:
        sweep.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
        return "pruned"
    if status == "finished" and judge.best is None:
        return _end(sweep, trial, "failed", "There were no validation images to compare by: hold some out.")
    if status == "finished":
        sweep.study.tell(trial, judge.best, skip_if_finished=True)
        return status
    return _end(sweep, trial, status, str((judge.run.last_record() or {}).get("message", "")))


def _end(sweep: Sweep, trial: optuna.Trial, end: str, reason: str = "") -> str:
    try:
        trial.set_user_attr(END, end)
        trial.set_user_attr(REASON, reason)
    except optuna.exceptions.UpdateFinishedTrialError:
        return end  # another worker has taken us for dead
    sweep.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
    return end


def _new_run(sweep: Sweep, number: int, facts: dict[str, Any]) -> tuple[Run, Any]:
    """A run named after the sweep and the trial, or, where an older one is called so, with a number behind it."""
    stem = f"{sweep.folder.name}-{number:03d}"
    for attempt in range(1, 100):
        path = sweep.folder.runs / (stem if attempt == 1 else f"{stem}-{attempt}")
        if not (path / "config.json").exists():
            return create_run(path, facts)
    raise RunError(f"There are too many runs called {stem} already: choose another --name.")


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
