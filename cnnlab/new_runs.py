"""Making run folders, and opening those of runs that ended to go on with them.

>>> run, held = create_run(new_folder(runs_dir(), config, "quick_digits"), facts)       # doctest: +SKIP
"""

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout

from cnnlab.config import TrainConfig
from cnnlab.paths import numbered, write_whole
from cnnlab.runs import LIVE, Run, RunError, changing, checked_name, list_runs, refuse_taken

LEAVING = 15  # seconds that a process may take from its last record to its end: it waits for other ranks


def new_folder(runs: Path, config: TrainConfig, recipe: str | None) -> Path:
    """Make an empty folder named after recipe or network and dataset, then date and time; nobody else gets the same.

    Raises RunError where it cannot be made.
    """
    subject = recipe or f"{config.model}-{Path(config.dataset).name.removeprefix('folder:')}"
    stem = re.sub(r"[^\w.-]+", "_", subject)[:60].lstrip(".-") + datetime.now().strftime("-%m%d-%H%M%S")
    for path in map(runs.joinpath, numbered(stem)):
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            continue
        except OSError as error:
            raise _cannot_be_made(path, error) from error
    raise AssertionError("there is always another number")


def named_folder(runs: Path, name: str) -> Path:
    """Make an empty folder called ``name``; nobody else gets the same.

    Raises RunError for a name that cannot be used or is taken, and where it cannot be made.
    """
    path = runs / checked_name(name)
    refuse_taken(path.name, list_runs(runs))
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"There is a folder {path} already: choose another name, or remove it first.") from None
    except OSError as error:
        raise _cannot_be_made(path, error) from error
    return path


def _cannot_be_made(path: Path, error: OSError) -> RunError:
    return RunError(f"The run folder {path} cannot be made ({error}): choose another place by CNNLAB_RUNS.")


def create_run(path: Path, facts: Mapping[str, Any]) -> "tuple[Run, AcquireReturnProxy[FileLock]]":
    """Make ``path`` a queued run and hold its lock, until the end of a ``with`` on what this gives beside the run.

    Raises RunError where another run is there already.
    The folder may exist if it is no run yet: the dashboard opens ``output.log`` in it before the process starts.
    """
    run = Run(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        held = run.lock().acquire(timeout=5)
    except Timeout:
        raise RunError(f"The run {path.name} is going on already: choose another --name.") from None
    except OSError as error:
        raise _cannot_be_made(path, error) from error
    if run.exists():
        held.lock.release()
        raise RunError(f"There is a run called {path.name} already: choose another --name, or delete that one.")
    try:
        run.append([{"event": "queued", "time": time.time()}])
        write_whole(path / "config.json", json.dumps({"created": time.time(), **facts}, indent=2).encode())
    except (OSError, KeyboardInterrupt):
        held.lock.release()
        run.delete_unstarted()
        raise
    return run, held


def reopen_run(run: Run) -> "AcquireReturnProxy[FileLock]":
    """Queue a run again that ended or was cut off, and hold its lock until the end of a ``with`` on what this gives.

    Raises RunError for a finished one, and for one whose folder cannot be written to.
    """
    refuse_to_resume(run)
    with changing(run.path):
        try:
            held = run.lock().acquire(timeout=LEAVING)
        except Timeout:
            raise RunError(f"{run.name} is {run.state()}, but its last process has not ended yet: try again.") from None
        if run.state() == "finished":  # in the meantime
            held.lock.release()
            refuse_to_resume(run)
        try:
            (run.path / "stop").unlink(missing_ok=True)
            run.drop_half_record()
            run.append([{"event": "queued", "time": time.time()}])
        except OSError:
            held.lock.release()
            raise
    return held


def refuse_to_resume(run: Run) -> None:
    """Raise RunError, with what to do instead, for a run that is going on or has finished."""
    state = run.state()
    if state in LIVE:
        raise RunError(f"{run.name} is {state}: there is nothing to resume.")
    if state == "finished":
        raise RunError(f"{run.name} has finished: there is nothing to resume. Repeat it with more epochs instead.")
