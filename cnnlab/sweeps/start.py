"""Start a sweep's worker as a process of its own, which outlives the dashboard; stopping is SweepFolder.request_stop.

>>> start_sweep(SweepFolder(runs_dir(), "search"), begin_arguments(plan, "search"))             # doctest: +SKIP
"""

import time
from contextlib import suppress

from cnnlab import launch
from cnnlab.runs import RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan
from cnnlab.tails import tail


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
    deadline = time.monotonic() + launch.PATIENCE
    while not (folder.exists() and any(w.alive() and w.path not in before for w in folder.workers())):
        if child.poll() is not None:
            if child.returncode == 0:
                return  # it was quicker than we
            said = tail(folder.log_path, 3) or "its process ended without a word."
            _forget(folder)
            raise RunError(f"The sweep did not start: {said}")
        if time.monotonic() > deadline:
            raise RunError(f"The sweep did not start within {launch.PATIENCE} s; its log is {folder.log_path}.")
        time.sleep(0.02)


def _forget(folder: SweepFolder) -> None:
    """Remove the log of a sweep that did not begin."""
    if not folder.exists():
        folder.log_path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.path.rmdir()
