"""Run: the one module that knows what a run folder holds.

    runs/quick_digits-1122-153000/
        config.json      the TrainConfig, where it came from, versions; device and parameter count once training starts
        metrics.jsonl    a record a line, appended
        checkpoints/     best.safetensors, last.safetensors
        predictions-<split>.npz       its answers; predictions-<split>-<checkpoint>.npz are those of one not chosen
        calibration-<checkpoint>.json, features-<checkpoint>.npz      how sure to be, and what is unlike anything known
        output.log       what the process printed
        name             what a person calls it, if that is not the folder's name
        lock             held by the training process for as long as it lives
        lock-1, …        held likewise by the other processes, where torchrun started several
        stop             asks that process to stop after its step

>>> [run.name for run in list_runs(Path("runs"))]                   # doctest: +SKIP
['quick_digits-1122-153000']
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock

from cnnlab.config import TrainConfig
from cnnlab.locks import is_held
from cnnlab.parsing import ConfigError, parse
from cnnlab.paths import remove_folder, write_whole
from cnnlab.records import PROGRESS, mark_of, record_of
from cnnlab.registry import did_you_mean
from cnnlab.tails import lines_from_the_end, tail

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
LIVE: tuple[State, ...] = ("queued", "running")
ENDED: tuple[State, ...] = ("finished", "stopped", "failed")

MOST_TOLD = 10  # runs that a sentence names
NAME = re.compile(r"[\w][\w .()+=,-]{0,99}")
RESERVED = ("sweeps", "kernels.json")  # what else lies among the runs


class RunError(Exception):
    """A run that cannot be found, read or changed; the message says which and what to do."""


@dataclass(frozen=True)
class Run:
    """A run folder. Nothing is kept in memory: every question is asked of the disk."""

    path: Path

    # ── what it is ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def id(self) -> str:
        """The folder's name; it never changes."""
        return self.path.name

    @property
    def name(self) -> str:
        """What a person calls this run."""
        try:
            return (self.path / "name").read_text("utf-8").strip() or self.id
        except (OSError, UnicodeError):
            return self.id

    def exists(self) -> bool:
        """Whether there is such a run: its folder alone may be there before."""
        return (self.path / "config.json").is_file()

    def facts(self) -> dict[str, Any]:
        """``config.json`` as it stands; raises RunError where it is missing or damaged."""
        try:
            facts = json.loads((self.path / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path} is no run folder: its config.json cannot be read ({error}).") from error
        if not isinstance(facts, dict) or not isinstance(facts.get("config"), dict):
            raise RunError(f"{self.path}/config.json holds no 'config': it was not written by cnnlab.")
        return facts

    @property
    def config(self) -> TrainConfig:
        """The run's TrainConfig; raises RunError."""
        try:
            return parse(self.facts()["config"])
        except ConfigError as error:
            raise RunError(f"{self.path}/config.json cannot be used: {error}") from error

    @property
    def recipe(self) -> str | None:
        """The recipe that the run began with, if any."""
        return self.facts().get("recipe")

    @property
    def created(self) -> float:
        """When it was created, in seconds since 1970; 0 where that is not known."""
        created = self.facts().get("created")
        return float(created) if isinstance(created, int | float) else 0.0

    def add_facts(self, facts: Mapping[str, Any]) -> None:
        """Complete ``config.json``, once what it lacked is known."""
        write_whole(self.path / "config.json", json.dumps(self.facts() | dict(facts), indent=2).encode())

    # ── its life ──────────────────────────────────────────────────────────────────────────────────────────────────

    def lock(self) -> FileLock:
        """The lock that the training process holds for as long as it lives."""
        return FileLock(self.path / "lock")

    def rank_lock_path(self, rank: int) -> Path:
        """Where the lock of another of the run's processes lies, or would."""
        return self.path / f"lock-{rank}"

    def alive(self) -> bool:
        """Whether its process lives."""
        return is_held(self.path / "lock")

    def state(self) -> State:
        """What the run is doing: alive or not is asked of the lock, the rest of the last record."""
        alive = self.alive()  # asked first: a run that ends in between reads as ended, not as dead
        last = self.last_record()
        event = last.get("event") if last else None
        if event == "end":
            status: State = last["status"] if last and last.get("status") in ENDED else "failed"
            return status
        if alive:
            return "running" if event not in (None, "queued") else "queued"
        return "interrupted"

    def request_stop(self) -> None:
        """Ask the training process to stop after its step, or to leave the queue. Raises RunError where it cannot."""
        with changing(self.path):
            (self.path / "stop").touch()

    def stop_requested(self) -> bool:
        """Whether somebody asked for a stop."""
        return (self.path / "stop").exists()

    def wait_until_ended(self, seconds: float) -> bool:
        """Wait for the process to let go of the lock; whether it did within ``seconds``."""
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def rename(self, name: str) -> None:
        """Give the run another name (not its folder); raises RunError for one that cannot be used or is taken."""
        name = checked_name(name)
        refuse_taken(name, (run for run in list_runs(self.path.parent) if run.id != self.id))
        with changing(self.path):
            write_whole(self.path / "name", (name + "\n").encode())

    def delete(self) -> None:
        """Remove the folder with all that is in it; a live run is stopped first. Raises RunError where it cannot."""
        if self.state() in LIVE:
            self.request_stop()
        if not self.wait_until_ended(30):
            raise RunError(f"{self.name} is still training and did not stop within 30 s: try again.")
        try:
            remove_folder(self.path)
        except OSError as error:
            raise RunError(f"{self.path} could not be deleted ({error}).") from error

    def delete_unstarted(self) -> None:
        """Remove what create_run made, because it turned out not to be trainable; a person's files there stay."""
        for name in ("config.json", "metrics.jsonl", "lock"):
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            self.path.rmdir()

    # ── its records ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def metrics_path(self) -> Path:
        """``metrics.jsonl``."""
        return self.path / "metrics.jsonl"

    def append(self, records: list[dict[str, Any]]) -> None:
        """Append ``records`` to the metrics in one write, and hand it to the operating system."""
        with self.metrics_path.open("ab") as file:
            file.write(b"".join(json.dumps(record).encode() + b"\n" for record in records))

    def records(self, event: str | None = None) -> Iterator[dict[str, Any]]:
        """All whole records (of the kind ``event``), from the first on; what a bad disk or a person made of others is
        passed over.
        """
        mark = mark_of(event)
        try:
            with self.metrics_path.open("rb") as file:
                for line in file:
                    if mark in line and line.endswith(b"\n") and (record := record_of(line)):
                        yield record
        except FileNotFoundError:
            return

    def last_record(self, event: str | None = None) -> dict[str, Any] | None:
        """The last whole record (of the kind ``event``); the file is read from its end."""
        mark = mark_of(event)
        for line in lines_from_the_end(self.metrics_path):
            if mark in line and (record := record_of(line)):
                return record
        return None

    def forget_after(self, step: int) -> None:
        """Drop the records of later steps, and any end: the run goes on from ``step``, and logs each step once."""
        kept = [r for r in self.records() if r["event"] in PROGRESS and r["step"] <= step]
        write_whole(self.metrics_path, b"".join(json.dumps(record).encode() + b"\n" for record in kept))

    def drop_half_record(self) -> None:
        """Cut off what follows the last newline: a process that was killed, or a full disk, left it half written."""
        try:
            with self.metrics_path.open("rb+") as file:
                file.truncate(sum(len(line) for line in file if line.endswith(b"\n")))
        except FileNotFoundError:
            return

    # ── its files ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def log_path(self) -> Path:
        """``output.log``."""
        return self.path / "output.log"

    def log_tail(self, lines: int = 200) -> str:
        """The last lines that the process printed."""
        return tail(self.log_path, lines)

    def checkpoint_path(self, name: str) -> Path:
        """Where the checkpoint ``name`` (best or last) lies, or would."""
        return self.path / "checkpoints" / f"{name}.safetensors"

    def checkpoint_time(self, name: str) -> int:
        """When the checkpoint ``name`` was written, in ns; 0 where there is none. It tells one from the next."""
        try:
            return self.checkpoint_path(name).stat().st_mtime_ns
        except OSError:
            return 0

    def predictions_path(self, split: str, checkpoint: str | None = None) -> Path:
        """Where the answers to ``split`` of ``checkpoint`` (None: the chosen one) are kept, or would be."""
        return self.path / (f"predictions-{split}-{checkpoint}.npz" if checkpoint else f"predictions-{split}.npz")

    def calibration_path(self, checkpoint: str) -> Path:
        """Where the temperature of ``checkpoint`` is kept, or would be."""
        return self.path / f"calibration-{checkpoint}.json"

    def features_path(self, checkpoint: str) -> Path:
        """Where the features are kept that tell what ``checkpoint`` has never seen, or would be."""
        return self.path / f"features-{checkpoint}.npz"

    def checkpoints(self) -> list[str]:
        """Those of best and last that were saved."""
        return [name for name in ("best", "last") if self.checkpoint_path(name).is_file()]

    def chosen_checkpoint(self) -> str | None:
        """best, or last where nothing chose a best, or None where nothing was saved yet."""
        return next(iter(self.checkpoints()), None)


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Raises RunError where what is done inside the ``with`` cannot be written into ``folder``."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written to ({error.strerror}): look at its permissions and its disk."
        ) from error


def checked_name(name: str) -> str:
    """``name`` without outer blanks; raises RunError where it cannot be a run's name."""
    if not NAME.fullmatch(name.strip()):
        raise RunError(
            f"'{name}' cannot be a run's name: use 1 to 100 letters, digits, blanks and . _ - ( ) + = , "
            "and begin with a letter or digit."
        )
    if name.strip().lower() in RESERVED:
        raise RunError(f"'{name}' cannot be a run's name: {' and '.join(RESERVED)} have another use there.")
    return name.strip()


def refuse_taken(name: str, others: Iterable[Run]) -> None:
    """Raise RunError where one of ``others`` is called ``name``, or its folder is."""
    if any(name in (run.id, run.name) for run in others):
        raise RunError(f"Another run is called '{name}' already: choose another name, or rename that one first.")


def list_runs(folder: Path) -> list[Run]:
    """All runs in ``folder``, the newest first; what may not be looked into is left out."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):  # somebody else's
                if (run := Run(path)).exists():
                    found.append(run)
    return sorted(found, key=_age, reverse=True)


def _age(run: Run) -> float:
    try:
        return run.created
    except RunError:
        return 0.0


class Named(Protocol):
    """A run, or what is said of one."""

    @property
    def id(self) -> str:
        """The folder's name."""

    @property
    def name(self) -> str:
        """What a person calls it."""


def names_of(runs: Iterable[Named]) -> dict[str, str]:
    """id -> name of ``runs``; where some share one, with the id behind it."""
    names = {run.id: run.name for run in runs}
    times = Counter(names.values())
    return {id: name if times[name] == 1 else f"{name} ({id})" for id, name in names.items()}


def find_run(text: str, folder: Path) -> Run:
    """The run that ``text`` means: a folder's name in ``folder``, its path, or the name that a person gave.

    Raises RunError where there is none, and for a folder outside ``folder`` that was not written by cnnlab.
    """
    for path in (folder / text, Path(text)):
        with suppress(OSError, RuntimeError):  # no name of a file, such as one of 1,000 letters, or ~nobody
            if (found := Run(path.expanduser())).exists():
                run = Run(found.path.resolve())
                if run.path.parent != folder.resolve():
                    run.facts()
                return run
    named = [run for run in list_runs(folder) if run.name == text]
    if len(named) == 1:
        return named[0]
    if named:
        raise RunError(
            f"{len(named)} runs are called '{text}': give one of the folders {', '.join(r.id for r in named)}."
        )
    runs = list_runs(folder)
    known = ", ".join(run.id for run in runs[:MOST_TOLD]) or "none yet"
    more = f" and {len(runs) - MOST_TOLD} more, which `runs` lists" if len(runs) > MOST_TOLD else ""
    hint = did_you_mean(text, {name for run in runs for name in (run.id, run.name)})
    raise RunError(f"There is no run '{text}' in {folder}. Available: {known}{more}.{hint}")
