"""A sweep's figures on its page."""

from collections.abc import Callable
from typing import Any

from cnnlab.config import title
from cnnlab.figures.parallel import Axis, Line, parallel_figure
from cnnlab.figures.sweep import Point, history_figure, importance_figure
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.study import Trial, best_of
from cnnlab.sweeps.vary import Vary
from cnnlab.ui import words
from cnnlab.ui.plot import plot
from cnnlab.ui.train.sweep_status import settings_text

KINDS = {
    "finished": "finished",
    "pruned": "pruned",
    "failed": "cut off",
    "stopped": "cut off",
    "interrupted": "cut off",
}
"""A trial's state -> its kind in the history."""

Pick = Callable[[Any], None]


def history(folder: SweepFolder, trials: list[Trial], on_pick: Pick) -> None:
    """Each trial's accuracy and the best so far; a click gives a trial's number."""
    points = [
        Point(t.number, t.accuracy, KINDS[t.state], settings_text(t))
        for t in trials
        if t.accuracy is not None and t.state in KINDS
    ]
    key, alt = f"sweep.history.{folder.name}", "Validation accuracy by trial, and the best so far."
    plot(history_figure(points), f"{folder.name} history", key, alt=alt, on_pick=on_pick)


def importances(folder: SweepFolder, shares: dict[str, float]) -> None:
    """How much each setting mattered."""
    named = {title(name): share for name, share in shares.items()}
    told = ", ".join(f"{name} {words.percent(share)}" for name, share in named.items())
    key, alt = f"sweep.importance.{folder.name}", f"What mattered: {told}."
    plot(importance_figure(named), f"{folder.name} importance", key, alt=alt)


def parallel(folder: SweepFolder, plan: Plan, trials: list[Trial], on_pick: Pick) -> None:
    """Parallel coordinates of what is varied, with the accuracy last; a click gives a trial's number."""
    judged = [t for t in trials if t.accuracy is not None and t.state in ("finished", "pruned")]
    if not judged:
        return
    finished = [t.accuracy or 0.0 for t in judged if t.state == "finished"]
    accuracies = finished if len(set(finished)) > 1 else [t.accuracy or 0.0 for t in judged]
    outcome = Axis("Validation accuracy", low=min(accuracies), high=max(accuracies), percent=True)
    axes = [*(_axis(setting) for setting in plan.varied), outcome]
    best = best_of(judged)
    lines = [
        Line(
            t.number,
            (*(t.settings.get(setting.name) for setting in plan.varied), t.accuracy),
            "best" if t is best else t.state,
            f"trial {t.number}: {words.percent(t.accuracy)}<br>{settings_text(t)}",
        )
        for t in judged
    ]
    key, alt = f"sweep.parallel.{folder.name}", f"Parallel coordinates: {', '.join(axis.title for axis in axes)}."
    plot(parallel_figure(axes, lines), f"{folder.name} parallel coordinates", key, alt=alt, on_pick=on_pick)


def _axis(setting: Vary) -> Axis:
    return Axis(title(setting.name), setting.choices, setting.low, setting.high, setting.log)
