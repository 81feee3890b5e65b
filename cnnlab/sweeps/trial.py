"""One trial of a sweep: an ordinary run with the settings that were chosen for it, cut short once it is hopeless.

>>> make_trial(sweep, plan, trial, ConsoleListener, worker)                      # doctest: +SKIP
'finished'
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from filelock import AcquireReturnProxy, FileLock
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from cnnlab.checks import CHECK_ERRORS, check
from cnnlab.config import TrainConfig, shown
from cnnlab.engine import Record
from cnnlab.new_runs import create_run
from cnnlab.parsing import adapt
from cnnlab.paths import numbered
from cnnlab.runs import Run
from cnnlab.sweeps.folder import Worker
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.storage import reason, signs_of_life
from cnnlab.sweeps.study import END, MARK, REASON, RUN, Sweep, settings_of
from cnnlab.train import Listener, train, versions

Listen = Callable[[Path], Listener]
"""Makes the Listener of a run from its log's path."""


def make_trial(sweep: Sweep, plan: Plan, trial: optuna.Trial, listen: Listen, worker: Worker | None) -> str:
    """Train with the settings of ``trial``; what became of it: finished, pruned, stopped, failed or dropped.

    Raises SweepError where the storage does not answer for long.
    """
    try:
        settings = settings_of(trial)
        config = adapt(plan.config, settings)
        check(config)
    except CHECK_ERRORS as error:  # each value is allowed, but not together
        return end_trial(sweep, trial, "failed", str(error))
    mark = uuid4().hex
    facts = {"config": config.model_dump(mode="json"), "sweep": sweep.folder.name, "trial": mark, "recipe": plan.recipe}
    run, held = _new_run(sweep, trial.number + 1, facts | {"versions": versions()})
    with held, signs_of_life(trial):
        try:
            sweep.insist(partial(trial.set_user_attr, MARK, mark))
            sweep.insist(partial(trial.set_user_attr, RUN, run.id))
        except UpdateFinishedTrialError:  # another worker has taken us for dead
            run.delete_unstarted()
            return "dropped"
        if worker:
            worker.begins(run)
        judge = _Judge(listen(run.log_path), trial, run)
        judge.say(
            f"Trial {trial.number + 1}: " + ", ".join(f"{name} = {shown(value)}" for name, value in settings.items())
        )
        try:
            status = train(run, judge)
        finally:
            judge.close()
        return _judged(sweep, trial, status, judge)  # while the lock is held: others take the trial for alive


def _judged(sweep: Sweep, trial: optuna.Trial, status: str, judge: "_Judge") -> str:
    if status == "stopped" and judge.hopeless:
        sweep.insist(partial(sweep.study.tell, trial, state=TrialState.PRUNED, skip_if_finished=True))
        return "pruned"
    if status == "finished" and judge.best is None:
        return end_trial(sweep, trial, "failed", "There were no validation images to compare by: hold some out.")
    if status == "finished":
        sweep.insist(partial(sweep.study.tell, trial, judge.best, skip_if_finished=True))
        return status
    return end_trial(sweep, trial, status, str((judge.run.last_record() or {}).get("message", "")))


def end_trial(sweep: Sweep, trial: optuna.Trial, end: str, why: str = "") -> str:
    """Write down that a trial is failed, stopped or dropped, and ``why``; gives ``end``. Raises SweepError."""
    try:
        sweep.insist(partial(trial.set_user_attr, END, end))
        sweep.insist(partial(trial.set_user_attr, REASON, why))
    except UpdateFinishedTrialError:
        return end  # another worker has taken us for dead
    sweep.insist(partial(sweep.study.tell, trial, state=TrialState.FAIL, skip_if_finished=True))
    return end


def _new_run(sweep: Sweep, number: int, facts: dict[str, Any]) -> "tuple[Run, AcquireReturnProxy[FileLock]]":
    """A run named after the sweep and the trial, or, where an older one is called so, with a number behind it."""
    paths = map(sweep.folder.runs.joinpath, numbered(f"{sweep.folder.name}-{number:03d}"))
    return create_run(next(path for path in paths if not Run(path).exists()), facts)


class _Judge(Listener):
    """Passes on what a training says, tells the study of each epoch, and stops the run once it is hopeless."""

    def __init__(self, listener: Listener, trial: optuna.Trial, run: Run) -> None:
        self.listener, self.trial, self.run = listener, trial, run
        self.epochs = 0
        self.best: float | None = None
        self.hopeless = self.unheard = False

    def say(self, text: str) -> None:
        self.listener.say(text)

    def task(self, what: str, done: int, total: int) -> None:
        self.listener.task(what, done, total)

    def begin(self, config: TrainConfig, step: int, steps: int) -> None:
        self.epochs = config.epochs
        self.listener.begin(config, step, steps)

    def close(self) -> None:
        self.listener.close()

    def record(self, record: Record) -> None:
        self.listener.record(record)
        if record.event == "epoch" and "best/accuracy" in record.values:
            self.best = record.values["best/accuracy"]
            if not self.hopeless and self._is_hopeless(self.best, record.epoch):
                self.hopeless = True
                self.say("Cut short: at this epoch most other trials were better.")
                self.run.request_stop()

    def _is_hopeless(self, accuracy: float, epoch: int) -> bool:
        """Tell the study of an epoch; whether most others are better. Training goes on where the study can't be told:
        the storage does not answer, or another worker has taken this one for dead.
        """
        try:
            self.trial.report(accuracy, epoch)
            return epoch < self.epochs and self.trial.should_prune()
        except Exception as error:  # each database's driver has its own
            if not self.unheard:
                self.say(f"The sweep cannot be told of epoch {epoch} ({reason(error)}). The training goes on.")
            self.unheard = True
            return False
