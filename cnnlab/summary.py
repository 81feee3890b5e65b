"""A run in one line: what lists and tables show of it.

>>> summarise(run).best_accuracy                                          # doctest: +SKIP
0.9933
"""

import time
from dataclasses import dataclass

from cnnlab.runs import LIVE, Run, State


@dataclass(frozen=True)
class Summary:
    """What a list shows of a run; accuracies in [0, 1], times in seconds."""

    id: str
    name: str
    state: State
    recipe: str | None
    dataset: str
    model: str
    epochs: int
    epoch: int
    best_accuracy: float | None
    watched_accuracy: float | None
    duration: float
    created: float


def summarise(run: Run) -> Summary:
    """The Summary of ``run``; raises RunError where its ``config.json`` cannot be read.

    ``best_accuracy`` is the validation accuracy of the best checkpoint, ``watched_accuracy`` the last test accuracy of
    a run that watches the test set; None where there is none.
    """
    facts = run.facts()
    config = run.config
    state = run.state()
    epoch = run.last_record("epoch") or {}
    last = run.last_record() or {}
    duration = last.get("elapsed", epoch.get("elapsed", 0.0))
    if state in LIVE and (start := run.last_record("start")):
        duration = start["elapsed"] + time.time() - start["time"]
    return Summary(
        run.id,
        run.name,
        state,
        facts.get("recipe"),
        config.dataset,
        config.model,
        config.epochs,
        int(epoch.get("epoch", 0)),
        epoch.get("best/accuracy"),
        epoch.get("test/accuracy"),
        float(duration),
        run.created,
    )
