"""A sweep as Optuna keeps it: what it searches for, and its trials, in a journal or a database.

>>> sweep = load_sweep(SweepFolder(runs_dir(), "lr-search"))                    # doctest: +SKIP
>>> [trial.accuracy for trial in sweep.trials()]                                # doctest: +SKIP
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState

from cnnlab.parsing import ConfigError, parse
from cnnlab.runs import LIVE, Run, RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.storage import (
    SweepError,
    UnknownSweep,
    reading,
    reason,
    sampler,
    storage_of,
    unreadable,
    without_password,
)

T = TypeVar("T")
State = Literal["queued", "running", "finished", "pruned", "failed", "stopped", "interrupted"]

JUDGED: tuple[State, ...] = ("finished", "pruned", "failed")  # these are not tried again

FIRST = 4  # trials that are never cut short: without some to compare with, nothing is hopeless
INSIST, AGAIN = 60, 1  # seconds: how long a storage that does not answer is asked, and how often
BEGINNING = 60  # seconds that a worker may take from a trial's number to its run
RUN, MARK, END, REASON = "run", "mark", "end", "reason"
"""A trial's attributes: its run's id; what the run's facts hold as ``trial``; failed, stopped or dropped; why."""
PLAN = "plan"  # the study's attribute
BEGIN = "to begin one, say what to vary, such as --vary lr=1e-4..1e-1:log."


@dataclass(frozen=True)
class Trial:
    """One trial: its ``number`` from 1 on (Optuna's plus 1), its run's id ("" for none), what was varied, and the best
    validation accuracy in [0, 1] if it has one. ``reason`` tells why it failed, ``mark`` is what its run knows it by.
    """

    number: int
    run: str
    settings: dict[str, Any]
    state: State
    accuracy: float | None
    reason: str = ""
    mark: str = ""

    def run_in(self, folder: SweepFolder) -> Run | None:
        """Its run, if it lies among the runs of ``folder``."""
        return _run_here(folder, self.run, self.mark)


@dataclass(frozen=True)
class Sweep:
    """A named search, its trials kept in ``study``: in the database at ``address``, or, if it is None, in a journal."""

    folder: SweepFolder
    study: optuna.Study
    address: str | None

    def plan(self) -> Plan | None:
        """What it searches for; None where that has not been said yet. Raises SweepError."""
        with reading(self.folder, self.address):
            facts = self.study.user_attrs.get(PLAN)
            if facts is None:
                return None
            return Plan(parse(facts["config"]), tuple(facts["vary"]), int(facts["trials"]), facts["recipe"])

    def keep(self, plan: Plan) -> None:
        """Write down what it searches for. Raises ConfigError where it searches for something else already."""
        before = self.plan()
        if before and (before.config, set(before.varied)) != (plan.config, set(plan.varied)):
            raise ConfigError(
                f"The sweep '{self.folder.name}' varies {' '.join(before.vary)}, with settings of its own: "
                f"go on with it by --name {self.folder.name} alone, or choose another --name."
            )
        if before != plan:
            facts = {"config": plan.config.model_dump(mode="json"), "recipe": plan.recipe}
            self.study.set_user_attr(PLAN, {**facts, "vary": list(plan.vary), "trials": plan.trials})

    def trials(self) -> list[Trial]:
        """All trials, in the order in which they began. Raises SweepError."""
        with reading(self.folder, self.address):
            kept = self.study.get_trials(deepcopy=False)
        return [_trial(self, t) for t in kept if t.user_attrs.get(END) != "dropped" and t.state != TrialState.WAITING]

    def insist(self, ask: Callable[[], T]) -> T:
        """What ``ask`` gives; for a minute it is tried again where the storage does not answer, which may be locked or
        restarted. Raises SweepError.
        """
        until = time.monotonic() + INSIST
        while True:
            try:
                return ask()
            except (StorageInternalError, OSError) as error:
                if time.monotonic() > until:
                    raise SweepError(unreadable(self.folder, self.address, error)) from error
            time.sleep(AGAIN)

    def state(self, trials: list[Trial]) -> State:
        """running, finished (all its ``trials`` are made), stopped, or interrupted: a worker was cut off."""
        plan, workers = self.plan(), self.folder.workers()
        if any(worker.alive() for worker in workers) or any(trial.state in LIVE for trial in trials):
            return "running"
        if plan and sum(trial.state in JUDGED for trial in trials) >= plan.trials:
            return "finished"
        return "interrupted" if workers else "stopped"

    def delete(self, with_runs: bool) -> None:
        """Remove the sweep, from its database too, and ``with_runs`` the runs of its trials that lie here.

        Raises RunError where it is at work or a folder is kept, SweepError where the database does not answer.
        """
        runs = [run for trial in self.trials() if (run := trial.run_in(self.folder))]
        self.folder.delete()
        if self.address:
            try:
                optuna.delete_study(study_name=self.folder.name, storage=storage_of(self.folder, self.address))
            except Exception as error:  # each database's driver has its own
                where, why = without_password(self.address), reason(error)
                raise SweepError(f"The trials of '{self.folder.name}' are still in {where} ({why}).") from error
        for run in runs if with_runs else ():
            run.delete()

    def is_dead(self, trial: FrozenTrial) -> bool:
        """Whether the process of a trial that has not ended was cut off, as far as can be told from here."""
        if run := _run_of(self.folder, trial):
            return not run.alive()
        if self.address:
            return False  # it may lie on another host, in another time zone: what the database hears of it decides
        if RUN in trial.user_attrs:
            return True
        began = trial.datetime_start
        return began is not None and (datetime.now() - began).total_seconds() > BEGINNING


def settings_of(trial: FrozenTrial | optuna.Trial) -> dict[str, Any]:
    """What a trial varies: values out of a range with as many digits as anybody would type, and so they are trained,
    but never outside of it.
    """
    settings = dict(trial.params)
    for name, of in trial.distributions.items():
        if isinstance(of, optuna.distributions.FloatDistribution):
            settings[name] = min(max(float(f"{settings[name]:.4g}"), of.low), of.high)
    return settings


def best_of(trials: list[Trial]) -> Trial | None:
    """The finished trial of the highest accuracy, the first of equals; None where none has finished."""
    return max((t for t in trials if t.state == "finished"), key=lambda t: t.accuracy or 0.0, default=None)


def _run_here(folder: SweepFolder, id: str, mark: str) -> Run | None:
    """The run ``id``, where it is among the runs of ``folder`` and of this trial: a database knows of other hosts',
    and an older sweep of the same name may have left one that is called so.
    """
    if Path(id).name != id or id in ("", ".."):  # no name of a folder among the runs
        return None
    run = Run(folder.runs / id)
    try:
        facts = run.facts()
    except RunError:
        return None
    return run if (facts.get("sweep"), facts.get("trial", "")) == (folder.name, mark) else None


def _run_of(folder: SweepFolder, trial: FrozenTrial) -> Run | None:
    return _run_here(folder, trial.user_attrs.get(RUN, ""), trial.user_attrs.get(MARK, ""))


def _trial(sweep: Sweep, trial: FrozenTrial) -> Trial:
    run, mark, reason = (str(trial.user_attrs.get(name, "")) for name in (RUN, MARK, REASON))
    return Trial(trial.number + 1, run, settings_of(trial), _state(sweep, trial), _accuracy(trial), reason, mark)


def _state(sweep: Sweep, trial: FrozenTrial) -> State:
    if trial.state == TrialState.COMPLETE:
        return "finished"
    if trial.state == TrialState.PRUNED:
        return "pruned"
    if trial.state == TrialState.FAIL:
        end: State = trial.user_attrs.get(END, "interrupted")
        return end
    if sweep.is_dead(trial):
        return "interrupted"
    if RUN not in trial.user_attrs:
        return "queued"
    run = _run_of(sweep.folder, trial)
    return "queued" if run and run.state() == "queued" else "running"


def _accuracy(trial: FrozenTrial) -> float | None:
    if trial.state == TrialState.COMPLETE:
        return trial.value
    if trial.last_step is None:
        return None
    return trial.intermediate_values[trial.last_step]  # at the lowest loss so far, as of those that have finished


# ── opening ───────────────────────────────────────────────────────────────────────────────────────────────────────


def open_sweep(folder: SweepFolder, storage: str | None = None) -> Sweep:
    """The sweep, new or begun before; ``storage`` is a database's address, by default a journal is kept.

    Raises ConfigError where the storage cannot be used.
    """
    known = folder.storage()
    address = storage or known
    shown, kept = without_password(address or ""), without_password(known or "")
    if storage and folder.journal_path.is_file():
        raise ConfigError(f"--storage {shown} is not allowed: the sweep '{folder.name}' is kept in its journal.")
    if storage and known and storage != known:
        raise ConfigError(f"--storage {shown} is not allowed: the sweep '{folder.name}' is kept in {kept}.")
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            study_name=folder.name,
            storage=storage_of(folder, address),
            direction="maximize",
            load_if_exists=True,
            sampler=sampler(),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST),
        )
    except Exception as error:  # each database's driver has its own
        if address is None:
            raise ConfigError(unreadable(folder, None, error)) from error
        raise ConfigError(
            f"--storage {shown} cannot be used ({reason(error)}): an address is sqlite:///FILE, or, with that "
            "database's driver installed, such as postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from error
    folder.keep_beginning()
    if address:
        folder.keep_storage(address)
    return Sweep(folder, study, address)


def load_sweep(folder: SweepFolder, storage: str | None = None) -> Sweep:
    """A sweep that has begun. Raises UnknownSweep where it has not, SweepError where it cannot be read."""
    address = storage or folder.storage()
    if address is None and not folder.journal_path.is_file():
        raise UnknownSweep(f"There is no sweep '{folder.name}' in {folder.runs}: {BEGIN}")
    with reading(folder, address):
        try:
            study = optuna.load_study(study_name=folder.name, storage=storage_of(folder, address), sampler=sampler())
        except KeyError as error:
            raise UnknownSweep(f"There is no sweep '{folder.name}' in its storage: {BEGIN}") from error
    return Sweep(folder, study, address)
