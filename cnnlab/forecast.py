"""What a step of a training takes, as earlier runs of the same work on the same device have shown.

>>> measured_step(config, "cpu", 2, runs_dir())                           # doctest: +SKIP
0.0021
"""

from pathlib import Path
from typing import Any

from cnnlab.config import TrainConfig
from cnnlab.loader import steps_per_epoch
from cnnlab.runs import Run, RunError, list_runs

LOOKED_AT = 30  # of the newest runs: each costs a file's reading
WITHOUT_WEIGHT = frozenset(
    {"epochs", "lr", "momentum", "nesterov", "weight_decay", "schedule", "step_epochs", "step_gamma", "warmup_epochs"}
    | {"train_images", "validation_fraction", "label_smoothing", "scaling", "dropout", "seed", "device"}
    | {"eval_every", "eval_images", "early_stopping", "watch_test"}
)
"""Settings that do not change how long a step takes."""


def measured_step(config: TrainConfig, device: str, threads: int, runs: Path) -> float | None:
    """Seconds that a training step of ``config`` took in the last epoch of the fastest of the newest runs like it.

    ``device`` (cpu, cuda, mps) and ``threads`` are what it would run on. None where no run in ``runs`` is like it.
    """
    wanted = _work(config.model_dump(mode="json"))
    found = [_step(run, wanted, device, threads) for run in list_runs(runs)[:LOOKED_AT]]
    return min((seconds for seconds in found if seconds), default=None)


def _work(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in WITHOUT_WEIGHT}


def _step(run: Run, wanted: dict[str, Any], device: str, threads: int) -> float | None:
    try:
        facts = run.facts()
    except RunError:
        return None
    used = facts.get("device", {})
    alike = (used.get("type"), used.get("threads"), facts.get("processes", 1)) == (device, threads, 1)
    same = alike and _work(facts["config"]) == wanted
    epoch = run.last_record("epoch") if same else None
    return (
        epoch["seconds"] / steps_per_epoch(facts["images"]["train"], facts["config"]["batch_size"]) if epoch else None
    )
