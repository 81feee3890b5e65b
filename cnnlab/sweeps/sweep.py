"""A sweep's worker: it tries settings that Optuna chooses, cuts the hopeless short, and each trial is an ordinary run.

::

    sweep = open_sweep(SweepFolder(runs, "lr-search"))
    run_sweep(sweep, Plan(config, ("lr=1e-4..1e-1:log",), trials=20), ConsoleListener)

Any number of workers, on any hosts that see the journal or the database, take part by the same call.
"""

import random
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import optuna
from filelock import FileLock
from optuna.trial import FrozenTrial, TrialState

from cnnlab.checks import CHECK_ERRORS, check
from cnnlab.config import TrainConfig, applies, condition
from cnnlab.datasets import holds_out
from cnnlab.parsing import ConfigError, adapt
from cnnlab.sweeps.folder import Worker
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.storage import signs_of_life
from cnnlab.sweeps.study import END, Sweep, Trial
from cnnlab.sweeps.trial import Listen, end_trial, make_trial
from cnnlab.sweeps.vary import Vary, combinations

MANY = 10_000  # combinations above which nobody tries them all


def run_sweep(sweep: Sweep, plan: Plan, listen: Listen, worker: Worker | None = None) -> list[Trial]:
    """Train until the sweep has its trials, those of other workers included, or ``worker`` or a training is stopped.

    Workers on one folder of runs train no settings twice: where all combinations have been, it ends. ``plan`` has
    passed :func:`check_sweep`.

    Raises ConfigError where the sweep searches for something else already, SweepError where it cannot be read for long.
    """
    sweep.keep(plan)
    while not (worker and worker.stop_requested()):
        sweep.insist(partial(forget_the_dead, sweep))
        with FileLock(sweep.folder.asking_path):  # so that each sees all that the others have chosen
            trial = sweep.insist(partial(_next_trial, sweep, plan))
        if trial is None or make_trial(sweep, plan, trial, listen, worker) == "stopped":
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
    if not holds_out(base):
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
        free = untried(plan, [t.params for t in tried])
        if left > 0 and free == []:
            sweep.keep(replace(plan, trials=len(tried)))  # there are no more
        if left <= 0 or free == []:
            return None
        if free is not None and len(free) <= left:  # there is time for all of them
            sweep.study.enqueue_trial(random.choice(free))
        with warnings.catch_warnings(action="ignore"):  # that we must keep the heart beating, as we do
            trial = sweep.study.ask()
        with signs_of_life(trial):  # a worker that is killed now must be missed
            settings = suggest(trial, plan)
        earlier = [t for t in _counted(sweep) if t.number < trial.number]  # workers elsewhere may have chosen at once
        if len(earlier) < plan.trials and settings not in [t.params for t in earlier]:
            return trial
        end_trial(sweep, trial, "dropped")
        if free:
            sweep.study.enqueue_trial(random.choice(free))


def _counted(sweep: Sweep) -> list[FrozenTrial]:
    """The trials that need not be made again: a training that failed would fail again."""
    waiting = TrialState.WAITING
    trials = [t for t in sweep.study.get_trials(deepcopy=False) if t.state != waiting]
    return [t for t in trials if t.state != TrialState.FAIL or t.user_attrs.get(END) == "failed"]


def untried(plan: Plan, tried: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The combinations that are not among ``tried``; None where there are too many to count."""
    if any(not setting.choices and not setting.whole for setting in plan.varied):
        return None
    possible = list(islice(combinations(plan.config, plan.varied), MANY))
    return [settings for settings in possible if settings not in tried] if len(possible) < MANY else None


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
