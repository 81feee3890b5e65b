"""What the command line shows: a progress bar on a terminal, plain lines elsewhere, tables, and the run's log.

Standard error takes what is for people; standard output is left to results.
"""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cnnlab.config import SPLITS, TrainConfig
from cnnlab.engine import Record
from cnnlab.train import Listener

UNCUT = 10_000  # columns, where no terminal says how many there are: rich would take 80
PLAIN_EVERY = 5.0  # seconds between two lines on a training's way through an epoch


class PipedConsole(Console):
    """A Console that tells its caller when nobody reads it any more; rich would end the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise  # the BrokenPipeError


err = PipedConsole(stderr=True, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on standard output; elsewhere than on a terminal its rows are as wide as they need."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    PipedConsole(width=None if sys.stdout.isatty() else UNCUT, highlight=False, markup=False).print(table)


def figures_line(values: dict[str, Any]) -> str:
    """The figures of an epoch or evaluation as one line, such as ``train loss 0.21, accuracy 93.9 %``."""
    parts = []
    for name in SPLITS:
        if f"{name}/loss" in values:
            parts.append(f"{name} loss {values[f'{name}/loss']:.4f}, accuracy {100 * values[f'{name}/accuracy']:.2f} %")
    return " | ".join(parts)


class ConsoleListener(Listener):
    """Shows a training on a terminal (a bar) or elsewhere (lines); lines also go to ``log``."""

    def __init__(self, log: Path) -> None:
        self.bar: Progress | None = None
        self.bar_task: TaskID | None = None
        self.log = None if _is_standard_error(log) else log
        self.steps, self.epochs, self.last_line = 0, 0, 0.0

    def say(self, text: str) -> None:
        if self.log is not None:
            with suppress(OSError), self.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text + "\n")
        with suppress(OSError):  # nobody reads it any more; as where the disk of the log is full, training goes on
            err.print(text, markup=False, soft_wrap=True)

    def task(self, what: str, done: int, total: int) -> None:
        if self._progress():
            self._bar(what, done, total)
        elif total == 0 or done == total or time.monotonic() - self.last_line > PLAIN_EVERY:
            self.last_line = time.monotonic()
            self.say(f"{what}: {100 * done // total} %" if total else what)

    def begin(self, config: TrainConfig, step: int, steps: int) -> None:
        self.steps, self.epochs = steps, config.epochs
        where = f"from step {step} of {steps}" if step else f"{steps} steps"
        epochs = f"{config.epochs} epochs" if config.epochs > 1 else "one epoch"
        self.say(f"Training {config.model} on {config.dataset}: {epochs}, {where}.")

    def record(self, record: Record) -> None:
        if record.event == "epoch":
            seconds = record.values["seconds"]
            self.say(f"Epoch {record.epoch}/{self.epochs}: {figures_line(record.values)} | {seconds:.1f} s")
        elif record.event == "eval":
            self.say(f"Step {record.step}: {figures_line(record.values)}")
        elif record.event == "end":
            self.close()
            self.say(("Failed: " if record.values["status"] == "failed" else "") + record.values["message"])
        elif self._progress():
            loss = record.values["train/loss"]
            self._bar(f"Epoch {record.epoch}/{self.epochs}, loss {loss:.3f}", record.step, self.steps)
        elif time.monotonic() - self.last_line > PLAIN_EVERY:
            self.last_line = time.monotonic()
            speed = record.values["images_per_second"]
            self.say(f"Step {record.step}/{self.steps}: loss {record.values['train/loss']:.4f}, {speed:,.0f} images/s")

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            with suppress(OSError):  # its terminal is gone
                self.bar.stop()
            self.bar = None

    def _progress(self) -> bool:
        return err.is_terminal

    def _bar(self, what: str, done: int, total: int) -> None:
        if self.bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=err, transient=True)
            self.bar.start()
            self.bar_task = self.bar.add_task(what)
        assert self.bar_task is not None
        self.bar.update(self.bar_task, description=what, completed=done, total=total or None)


def _is_standard_error(path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(sys.stderr.fileno()), path.stat())
    except (OSError, ValueError, AttributeError):
        return False
