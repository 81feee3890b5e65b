"""A run's curves for drawing: read as far as they are written, and thinned to what a screen can show.

>>> reader = CurveReader(run)                                             # doctest: +SKIP
>>> reader.read()                                                         # doctest: +SKIP
>>> reader.points()["val/loss"]                                           # doctest: +SKIP
([41, 82], [0.25, 0.19])
"""

import json
import os
from collections.abc import Iterable
from typing import Any

from cnnlab.records import PROGRESS, is_record, record_of
from cnnlab.runs import Run

MOST_POINTS = 600  # of a curve: a chart is about so many pixels wide
DIGITS = 5  # of a number that matter on a screen; all sixteen would triple what is sent
CHUNK = 1 << 20  # bytes parsed at a time: at once is twice as fast as line by line, and so much is no burden

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

    def drawn(self, unit: float = 1) -> tuple[list[float], list[float]]:
        """The points, x divided by ``unit``, with no more digits than can be seen."""
        xs, ys = self.points(unit)
        return [round(x, 3) for x in xs], [float(f"{y:.{DIGITS}g}") for y in ys]


class CurveReader:
    """Follows one run's metrics: each read takes what is new, and begins anew if the file was replaced."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._start_over(None)

    def _start_over(self, file: tuple[int, bytes] | None) -> None:
        self.file, self.offset = file, 0  # its inode, which a later file may get again, and its first line
        self.curves: dict[str, Thinned] = {}
        self.class_accuracy: list[float | None] = []
        self.last: dict[str, dict[str, Any]] = {}  # event -> its last record

    @property
    def version(self) -> str:
        """Changes whenever there is something new to draw."""
        return f"{hash(self.file)}-{self.offset}"

    def read(self) -> None:
        """Take in the whole lines that were written since the last call."""
        try:
            with self.run.metrics_path.open("rb") as file:
                status, begins = os.fstat(file.fileno()), file.readline()
                if (status.st_ino, begins) != self.file or status.st_size < self.offset:
                    self._start_over((status.st_ino, begins))
                file.seek(self.offset)
                while end := (chunk := file.read(CHUNK)).rfind(b"\n") + 1:
                    for record in _records(chunk[:end]):
                        self._take(record)
                    self.offset += end
                    file.seek(self.offset)
        except FileNotFoundError:
            self._start_over(None)

    def _take(self, record: dict[str, Any]) -> None:
        event = record["event"]
        self.last[event] = record
        if event not in PROGRESS:
            return
        prefix, keys = ("step/", STEP_KEYS) if event == "step" else ("", EPOCH_KEYS)
        for key in keys:
            if key in record:
                self.curves.setdefault(prefix + key, Thinned()).add(record["step"], record[key])
        if event != "step":
            watched = "val" if "val/class_accuracy" in record else "test"
            self.class_accuracy = record.get(f"{watched}/class_accuracy", self.class_accuracy)

    def points(self, steps_per_unit: float = 1) -> dict[str, tuple[list[float], list[float]]]:
        """All curves by name, x in units of so many steps."""
        return {name: curve.points(steps_per_unit) for name, curve in self.curves.items()}

    def drawn(self, steps_per_unit: float = 1) -> dict[str, tuple[list[float], list[float]]]:
        """All curves by name, x in units of so many steps, with no more digits than can be seen."""
        return {name: curve.drawn(steps_per_unit) for name, curve in self.curves.items()}


def _records(lines: bytes) -> Iterable[dict[str, Any]]:
    """The records of whole ``lines``; damaged ones are passed over."""
    try:
        records: list[Any] = json.loads(b"[%s]" % lines[:-1].replace(b"\n", b","))
    except ValueError:
        return [record for line in lines.splitlines() if (record := record_of(line))]
    return [record for record in records if is_record(record)]


def read_curves(run: Run, steps_per_unit: float = 1) -> dict[str, tuple[list[float], list[float]]]:
    """All curves of ``run`` as they stand, over units of so many steps."""
    reader = CurveReader(run)
    reader.read()
    return reader.points(steps_per_unit)


def epoch_length(run: Run) -> int:
    """Steps in an epoch of ``run``; 1 as long as its images are not counted. Raises RunError."""
    from cnnlab.loader import steps_per_epoch  # knows torch, which a server may still be importing

    images = run.facts().get("images", {}).get("train", 0)
    return steps_per_epoch(images, run.config.batch_size) or 1
