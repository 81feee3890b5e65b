"""A run in one line: what lists and tables show of it.

>>> summarise(run).best_accuracy                                          # doctest: +SKIP
0.9933
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, brings_validation
from cnnlab.runs import LIVE, Run, State

Find = Callable[[str], Mapping[str, Any] | None]
"""Gives a run's last record of an event."""


@dataclass(frozen=True)
class Summary:
    """What a list shows of a run; accuracies in [0, 1], times in seconds, ``held_out`` validation images."""

    id: str
    name: str
    state: State
    recipe: str | None
    config: TrainConfig
    epoch: int
    held_out: int | None
    images_version: str
    best_accuracy: float | None
    watched_accuracy: float | None
    duration: float
    created: float


def summarise(run: Run, last: Mapping[str, Mapping[str, Any]] | None = None) -> Summary:
    """The Summary of ``run``; raises RunError where its ``config.json`` cannot be read.

    ``last``, its last record of each event, spares who has it a search through a long log.

    ``duration`` goes on while it trains. Of one that was cut off it is that of its whole epochs, or, where there are
    none, until its last record.

    ``best_accuracy`` is the validation accuracy of the best checkpoint, ``watched_accuracy`` the last test accuracy of
    a run that watches the test set; None where there is none.
    """
    facts = run.facts()
    state = run.state()
    find: Find = run.last_record if last is None else last.get
    epoch = find("epoch") or {}
    duration = None if state in LIVE else (run.last_record() or {}).get("elapsed", epoch.get("elapsed"))
    if duration is None:
        duration = trained_for(find, time.time() if state in LIVE else _last_written(run))
    return Summary(
        run.id,
        run.name,
        state,
        facts.get("recipe"),
        run.config,
        int(epoch.get("epoch", 0)),
        facts.get("images", {}).get("val"),
        facts.get("images_version", ""),
        epoch.get("best/accuracy"),
        epoch.get("test/accuracy"),
        float(duration),
        run.created,
    )


def held_out_of(summary: Summary) -> tuple[object, ...]:
    """What says which validation images a run was judged by: the same for two runs if they are the same images."""
    config = summary.config
    images = (config.dataset, summary.images_version)
    with suppress(DatasetError):
        if brings_validation(config.dataset):
            return images
    return (*images, config.validation_fraction, config.seed)


def _last_written(run: Run) -> float:
    """When the last record was written, in seconds since 1970; 0 where there is none."""
    try:
        return run.metrics_path.stat().st_mtime
    except OSError:
        return 0.0


def trained_for(find: Find, until: float) -> float:
    """Seconds that a run had trained by ``until``: those since its process began to, and what it had trained before.

    Where it has not begun since it was queued, or queued again, those before alone.
    """
    start, queued = find("start"), find("queued")
    if start and start["time"] >= (queued or start)["time"]:
        return float(start["elapsed"] + until - start["time"])
    return float((find("end") or find("epoch") or {}).get("elapsed", 0.0))
