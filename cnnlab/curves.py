"""A run's curves for drawing: read as far as they are written, and thinned to what a screen can show.

>>> reader = CurveReader(run)                                             # doctest: +SKIP
>>> reader.read()                                                         # doctest: +SKIP
>>> reader.points()["val/loss"]                                           # doctest: +SKIP
([41, 82], [0.25, 0.19])
"""

import json
import os
from typing import Any

from cnnlab.runs import Run

MOST_POINTS = 1000  # of a curve; more cannot be told apart on a screen

STEP_KEYS = ("train/loss", "train/accuracy")
EPOCH_KEYS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "test/loss", "test/accuracy")


class Thinned:
    """A curve that takes any number of points and keeps at most MOST_POINTS: neighbours are merged into their mean."""

    def __init__(self) -> None:
        self.width = 1  # points in a whole bin
        self.bins: list[tuple[float, float, int]] = []  # sum of x, sum of y, count

    def add(self, x: float, y: float) -> None:
        """Append a point whose x is no smaller than the last."""
        if self.bins and self.bins[-1][2] < self.width:
            sum_x, sum_y, count = self.bins[-1]
            self.bins[-1] = (sum_x + x, sum_y + y, count + 1)
            return
        if len(self.bins) == MOST_POINTS:
            pairs = zip(self.bins[::2], self.bins[1::2], strict=True)
            self.bins = [(a + c, b + d, n + m) for (a, b, n), (c, d, m) in pairs]
            self.width *= 2
        self.bins.append((x, y, 1))

    def points(self, unit: float = 1) -> tuple[list[float], list[float]]:
        """The means of x, divided by ``unit``, and of y."""
        return [x / n / unit for x, _, n in self.bins], [y / n for _, y, n in self.bins]


class CurveReader:
    """Follows one run's metrics: each read takes what is new, and begins anew if the file was replaced."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._start_over(0)

    def _start_over(self, inode: int) -> None:
        self.inode, self.offset = inode, 0
        self.curves: dict[str, Thinned] = {}
        self.class_accuracy: list[float | None] = []

    @property
    def version(self) -> str:
        """Changes whenever there is something new to draw."""
        return f"{self.inode}-{self.offset}"

    def read(self) -> None:
        """Take in the whole lines that were written since the last call."""
        try:
            with self.run.metrics_path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode != self.inode:
                    self._start_over(inode)
                file.seek(self.offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self.offset += len(line)
                    self._take(json.loads(line))
        except FileNotFoundError:
            self._start_over(0)

    def _take(self, record: dict[str, Any]) -> None:
        event = record["event"]
        if event == "step":
            for key in STEP_KEYS:
                self._add(f"step/{key}", record["step"], record[key])
        elif event in ("eval", "epoch"):
            for key in EPOCH_KEYS:
                if key in record:
                    self._add(key, record["step"], record[key])
            watched = "val" if "val/class_accuracy" in record else "test"
            self.class_accuracy = record.get(f"{watched}/class_accuracy", self.class_accuracy)

    def _add(self, name: str, step: int, value: float) -> None:
        self.curves.setdefault(name, Thinned()).add(step, value)

    def points(self, steps_per_unit: float = 1) -> dict[str, tuple[list[float], list[float]]]:
        """All curves by name, x in units of so many steps."""
        return {name: curve.points(steps_per_unit) for name, curve in self.curves.items()}


def read_curves(run: Run) -> dict[str, tuple[list[float], list[float]]]:
    """All curves of ``run`` as they stand, over steps."""
    reader = CurveReader(run)
    reader.read()
    return reader.points()
