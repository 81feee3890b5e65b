"""Start a sweep's worker as a process of its own, which outlives the dashboard; stopping is SweepFolder.request_stop.

>>> start_sweep(SweepFolder(runs_dir(), "search"), begin_arguments(plan, "search"))             # doctest: +SKIP
"""

import shutil
from pathlib import Path

from cnnlab import launch
from cnnlab.runs import RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan


def begin_arguments(plan: Plan, name: str) -> list[str]:
    """The arguments of ``python -m cnnlab`` that begin the sweep ``name``."""
    varied = [argument for text in plan.vary for argument in ("--vary", text)]
    settings = launch.flags(plan.config, plan.recipe)
    return ["sweep", *settings, *varied, "--trials", str(plan.trials), "--name", name]


def join_arguments(name: str, trials: int | None = None) -> list[str]:
    """The arguments that join the sweep ``name``, or go on with it until it has ``trials``."""
    return ["sweep", "--name", name, *(["--trials", str(trials)] if trials else [])]


def start_sweep(folder: SweepFolder, arguments: list[str]) -> None:
    """Start a worker; returns once it is at work. Raises RunError where it did not come to that."""
    before = {worker.path for worker in folder.workers()}
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        child = launch.spawn([*arguments, "--runs-dir", str(folder.runs)], folder.log_path)
    except OSError as error:
        raise RunError(f"The folder {folder.path} of the sweep cannot be written ({error}).") from error
    try:
        if not launch.begins(child, lambda: _begun(folder, before), "sweep", folder.log_path) and child.returncode:
            raise launch.did_not_start("sweep", folder.log_path)
    except RunError:
        _forget(folder)
        raise


def _begun(folder: SweepFolder, before: set[Path]) -> bool:
    return folder.exists() and any(w.alive() and w.path not in before for w in folder.workers())


def _forget(folder: SweepFolder) -> None:
    """Remove what a sweep that did not begin has left: its log, and the lock of a worker that was ended."""
    if not folder.exists() and not folder.at_work():
        shutil.rmtree(folder.path, ignore_errors=True)
