"""The command that searches over hyperparameters: sweep."""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnlab.cli.base import (
    FAILED,
    OK,
    AddCommand,
    Failure,
    add_recipe,
    add_runs_dir,
    add_settings,
    config_of,
    folder_of,
)
from cnnlab.config import shown
from cnnlab.parsing import ConfigError
from cnnlab.runs import LIVE, RunError, checked_name

if TYPE_CHECKING:
    from cnnlab.sweeps.folder import SweepFolder
    from cnnlab.sweeps.plan import Plan
    from cnnlab.sweeps.study import Sweep, Trial

TRIALS = 20  # unless somebody says otherwise


def add_commands(command: AddCommand) -> None:
    """Add the command."""
    sweep = command(
        "sweep", "Search over hyperparameters; each trial is a run, the hopeless ones are cut short.", _sweep
    )
    add_recipe(sweep)
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="a setting and its values, such as lr=1e-4..1e-1:log or batch_size=32,64,128; once for each setting",
    )
    sweep.add_argument("--trials", type=int, help=f"how many trials, with those of other workers (default: {TRIALS})")
    sweep.add_argument("--name", default="sweep", help="its name; that alone goes on with the sweep, or joins it")
    sweep.add_argument("--stop", action="store_true", help="ask the workers of --name to stop, with all saved")
    sweep.add_argument("--storage", metavar="URL", help="a database for workers on other hosts, such as sqlite:///FILE")
    add_runs_dir(sweep)
    add_settings(sweep)


def _sweep(given: argparse.Namespace) -> int:
    from cnnlab.sweeps.folder import SweepFolder

    if given.trials is not None and given.trials < 1:
        raise ConfigError(f"--trials {given.trials} is not allowed: give a whole number from 1 on, such as {TRIALS}.")
    folder = SweepFolder(folder_of(given), checked_name(given.name))
    if given.stop:
        return _stop(folder)
    with folder.joined() as worker:  # before torch is imported: the dashboard waits for it
        try:
            from cnnlab.sweeps.storage import SweepError, UnknownSweep
            from cnnlab.sweeps.study import open_sweep
            from cnnlab.sweeps.sweep import check_sweep, run_sweep
        except ModuleNotFoundError as error:
            raise Failure(f"A sweep needs the package {error.name}: install requirements.txt.") from error
        from cnnlab.console import ConsoleListener

        try:
            plan = _plan(given, folder)
            check_sweep(plan.config, plan.varied)
            sweep = open_sweep(folder, given.storage)
            trials = run_sweep(sweep, plan, ConsoleListener, worker)
            left = _left(sweep, plan, trials)
        except UnknownSweep as error:
            raise ConfigError(str(error)) from error
        except SweepError as error:
            raise Failure(str(error)) from error
    _print_trials(folder.name, plan, trials)
    if left:
        print(f"cnnlab: {left}", file=sys.stderr)
    return FAILED if trials and all(trial.state == "failed" for trial in trials) else OK


def _left(sweep: "Sweep", plan: "Plan", trials: "list[Trial]") -> str:
    """Why there are not as many trials as ``plan`` wants; "" where there are. Raises SweepError."""
    from cnnlab.sweeps.study import JUDGED

    made = sum(trial.state in JUDGED for trial in trials)
    if made >= plan.trials:
        return ""
    if training := [trial.run or f"trial {trial.number}" for trial in trials if trial.state in LIVE]:
        return f"Another worker is still training {', '.join(training)}."
    kept = sweep.plan()
    if kept and made >= kept.trials:
        return f"All {made} combinations are tried."
    return f"Not all {plan.trials} trials are made: sweep --name {sweep.folder.name} goes on."


def _stop(folder: "SweepFolder") -> int:
    if not (workers := folder.at_work()):
        raise RunError(f"The sweep '{folder.name}' is not at work in {folder.runs}: there is nothing to stop.")
    folder.request_stop()
    print(f"{workers} worker{'s' if workers > 1 else ''} of {folder.name} will stop after a step, with all saved.")
    return OK


def _plan(given: argparse.Namespace, folder: "SweepFolder") -> "Plan":
    """What to search for: what the arguments say, or, of a sweep that has begun, what it has searched for until now."""
    from cnnlab.sweeps.plan import Plan
    from cnnlab.sweeps.study import load_sweep

    if given.vary:
        return Plan(config_of(given), tuple(given.vary), given.trials or TRIALS, given.recipe)
    if given.recipe or given.settings:
        raise ConfigError("Nothing is varied: give --vary, or leave the settings out to go on with a sweep.")
    plan = load_sweep(folder, given.storage).plan()
    if plan is None:
        raise ConfigError(f"The sweep '{folder.name}' has only just begun: try again in a moment.")
    return replace(plan, trials=given.trials or plan.trials)


def _print_trials(name: str, plan: "Plan", trials: "list[Trial]") -> None:
    from cnnlab.console import print_table

    names = [setting.name for setting in plan.varied]
    print_table(
        f"Sweep {name}, the best first",
        ("run", *names, "state", "validation accuracy (lowest loss)"),
        (
            (
                t.run or "–",
                *(shown(t.settings[name]) if name in t.settings else "–" for name in names),
                t.state,
                t.reason if t.accuracy is None else f"{100 * t.accuracy:.2f} %",
            )
            for t in sorted(trials, key=lambda trial: -(trial.accuracy or 0.0))
        ),
    )
