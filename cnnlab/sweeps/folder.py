"""SweepFolder: the one module that knows what a sweep's folder among the runs holds.

    runs/sweeps/lr-search/
        journal          Optuna's record of all trials, unless a database keeps them
        storage          that database's address
        began            an empty file, as old as the sweep
        workers/         a lock for each worker, held for as long as it lives; beside it NAME.stop asks it to stop,
                         and NAME.run names the run that it is training
        asking           a lock, held by the worker that is choosing what to try next
        output.log       what the workers printed that the dashboard started

>>> [sweep.name for sweep in list_sweeps(Path("runs"))]                 # doctest: +SKIP
['lr-search']
"""

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from cnnlab.locks import is_held
from cnnlab.paths import numbered, remove_folder
from cnnlab.runs import Run, RunError, changing, checked_name


@dataclass(frozen=True)
class Worker:
    """A process that takes part in a sweep."""

    path: Path

    def _beside(self, kind: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{kind}")

    def alive(self) -> bool:
        """Whether its process still lives."""
        return is_held(self.path)

    def stop_requested(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._beside("stop").exists()

    def begins(self, run: Run) -> None:
        """Say that it is about to train ``run``; where somebody has asked it to stop, so is the run."""
        self._beside("run").write_text(run.id, "utf-8")
        if self.stop_requested():
            run.request_stop()

    def request_stop(self, runs: Path) -> None:
        """Ask it to stop its training among ``runs`` after its step, or to leave the queue, and to begin no other."""
        self._beside("stop").touch()
        with suppress(OSError, RunError):  # it is between two trainings, or somebody has deleted that run
            if id := self._beside("run").read_text("utf-8"):  # empty while it is being written
                Run(runs / id).request_stop()

    def forget(self) -> None:
        """Remove its files."""
        for path in (self._beside("stop"), self._beside("run"), self.path):
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class SweepFolder:
    """The sweep ``name`` among the runs in ``runs``. Nothing is kept in memory."""

    runs: Path
    name: str

    def __post_init__(self) -> None:
        """Raises RunError for a name that would lead elsewhere, such as ``..``."""
        checked_name(self.name)

    @property
    def path(self) -> Path:
        """The folder; it need not exist."""
        return self.runs / "sweeps" / self.name

    @property
    def journal_path(self) -> Path:
        """Where Optuna's journal lies, or would."""
        return self.path / "journal"

    @property
    def storage_path(self) -> Path:
        """Where the address of a database is kept, or would be."""
        return self.path / "storage"

    @property
    def began_path(self) -> Path:
        """Where the file lies that is written once, as the sweep begins."""
        return self.path / "began"

    @property
    def asking_path(self) -> Path:
        """Where the lock lies that a worker holds while it chooses."""
        return self.path / "asking"

    @property
    def log_path(self) -> Path:
        """What the dashboard's workers printed."""
        return self.path / "output.log"

    def exists(self) -> bool:
        """Whether the sweep has begun."""
        return self.journal_path.is_file() or self.storage_path.is_file()

    def began(self) -> float:
        """When it began, in seconds since 1970: of one that kept no such file, when its folder changed; 0 if gone."""
        for path in (self.began_path, self.path):
            with suppress(OSError):
                return path.stat().st_mtime
        return 0.0

    def keep_beginning(self) -> None:
        """Remember that it begins now, unless it has begun."""
        if not self.began_path.exists():
            self.began_path.touch()

    def storage(self) -> str | None:
        """The address of the database that keeps the trials; None where it is the journal."""
        try:
            return self.storage_path.read_text("utf-8").strip() or None
        except OSError:
            return None

    def identity(self) -> bytes:
        """What tells this sweep from an earlier one of its name; empty where it has not begun.

        A file's inode does not: the next file may get it. A journal's first line holds a random id of Optuna's; the
        file with a database's address is written once.
        """
        with suppress(OSError):
            if self.storage():
                return str(self.storage_path.stat().st_mtime_ns).encode()
            with self.journal_path.open("rb") as journal:
                return journal.readline()
        return b""

    def keep_storage(self, address: str) -> None:
        """Remember the database, for the dashboard and later workers; for its owner's eyes: it may hold a password."""
        if self.storage() != address:
            self.storage_path.unlink(missing_ok=True)
            with os.fdopen(os.open(self.storage_path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(address + "\n")

    def delete(self) -> None:
        """Remove the folder; its trials' runs stay. Raises RunError where a worker lives or the folder is kept."""
        if self.at_work():
            raise RunError(f"The sweep '{self.name}' is at work: stop it first.")
        try:
            remove_folder(self.path)
        except OSError as error:
            raise RunError(f"{self.path} could not be deleted ({error}).") from error

    # ── its workers ───────────────────────────────────────────────────────────────────────────────────────────────

    def workers(self) -> list[Worker]:
        """All workers that did not leave in order: those at work, and those that were cut off."""
        return [Worker(p) for p in sorted((self.path / "workers").glob("*")) if p.suffix not in (".stop", ".run")]

    def at_work(self) -> int:
        """How many workers live."""
        return len(self._living())

    def _living(self) -> list[Worker]:
        return [worker for worker in self.workers() if worker.alive()]

    def request_stop(self) -> None:
        """Ask all workers that live to stop; the run of one that was cut off may have gone on without it.

        Raises RunError where the folder cannot be written.
        """
        with changing(self.path):
            for worker in self._living():
                worker.request_stop(self.runs)

    def stop_requested(self) -> bool:
        """Whether all workers that live have been asked to stop."""
        living = self._living()
        return bool(living) and all(worker.stop_requested() for worker in living)

    @contextmanager
    def joined(self) -> Iterator[Worker]:
        """Be one of the workers inside the ``with``; raises RunError where the folder cannot be written."""
        folder = self.path / "workers"
        worker = Worker(
            folder / f"{re.sub(r'[^A-Za-z0-9-]', '-', socket.gethostname())}-{os.getpid()}-{time.time_ns()}"
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for other in self.workers():
                if not other.alive():
                    other.forget()
            lock = FileLock(worker.path)
            lock.acquire()
        except OSError as error:
            raise RunError(f"The folder {folder} of the sweep cannot be written ({error}).") from error
        try:
            yield worker
        finally:
            worker.forget()
            lock.release()
            if not self.exists():  # what was asked for could not be begun
                for path in (folder, self.path, self.path.parent):
                    with suppress(OSError):  # not empty: the dashboard's log is there
                        path.rmdir()


def list_sweeps(runs: Path) -> list[SweepFolder]:
    """All sweeps among the runs in ``runs``, the newest first."""
    try:
        names = [path.name for path in (runs / "sweeps").iterdir()]
    except OSError:
        return []
    begun = []
    for name in names:
        with suppress(RunError, OSError):  # something else, which somebody put there, or may keep to themselves
            if (sweep := SweepFolder(runs, name)).exists():
                begun.append(sweep)
    return sorted(begun, key=SweepFolder.began, reverse=True)


def free_name(runs: Path, stem: str) -> str:
    """``stem``, or with the first number behind it, so that no sweep is called so."""
    return next(name for name in numbered(stem) if not SweepFolder(runs, name).exists())
