"""Where a run stands, in the words that its page shows.

>>> status(run).text                                                      # doctest: +SKIP
'Epoch 3 of 12 · step 60 of 246 · 8,000 images per second, about 6.0 s left'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.config import TrainConfig
from cnnlab.loader import steps_per_epoch
from cnnlab.queue import before_this
from cnnlab.runs import Run, State, list_runs
from cnnlab.summary import summarise
from cnnlab.ui import words
from cnnlab.ui.followed import last_records

LOOKS = 60  # at a whole run, as long as the next two allow
LEAST_PAUSE, MOST_PAUSE = 1.0, 5.0  # seconds
SETTLED = 1.0  # seconds of training, before which its first step, a slow one, would speak for all


@dataclass(frozen=True)
class Tile:
    """One figure with its name and what it means."""

    label: str
    value: str
    help: str


@dataclass(frozen=True)
class Status:
    """How far a run is: ``share`` in [0, 1] of its steps, and in how many seconds to look again.

    Another ``state`` tells that there is something else to show.
    """

    state: str
    share: float
    text: str
    tiles: tuple[Tile, ...]
    pause: float


def status(run: Run) -> Status:
    """The Status of ``run`` now. Raises RunError where its ``config.json`` cannot be read."""
    state, config = run.state(), run.config
    last = last_records(run)
    duration = summarise(run, last).duration
    share, text = _progress(run, config, state, last, duration)
    return Status(state, share, text, _tiles(run, config, last, duration), pause(share, duration))


def pause(share: float, duration: float) -> float:
    """Seconds until a run's figures are worth another look, each of which takes its training some time.

    ``duration`` seconds were for ``share`` of its steps.
    """
    whole = duration / share if share else 0.0
    return min(max(whole / LOOKS, LEAST_PAUSE), MOST_PAUSE)


def _progress(
    run: Run, config: TrainConfig, state: State, last: Mapping[str, Mapping[str, Any]], duration: float
) -> tuple[float, str]:
    """How far ``run`` is, and in words; its pace is that of all its ``duration``, evaluations included."""
    if state == "queued":
        return 0.0, _wait(run, last.get("queued", {}).get("ahead", 0))
    logged = last.get("step", {})
    step = int(logged.get("step", 0))
    images = run.facts().get("images", {}).get("train")
    total = config.epochs * steps_per_epoch(images, config.batch_size) if images else 0
    share = min(1.0, step / total) if total else 0.0
    if state != "running":
        steps = f"{step:,} of {total:,} steps." if total else ""
        if state == "failed":  # the page says why above
            return share, steps or "No step was taken."
        return share, f"{end_message(run)} {steps}".rstrip()
    if not (total and step):
        return 0.0, "Preparing the data and the network …"
    said = f"Epoch {-(-step * config.epochs // total)} of {config.epochs} · step {step:,} of {total:,}"
    if duration < SETTLED:
        return share, said
    pace, left = share * config.epochs * images / duration, duration / share - duration
    return share, f"{said} · {pace:,.0f} images per second, about {words.duration(left)} left"


def end_message(run: Run) -> str:
    """Why ``run`` ended, in a sentence."""
    end = run.last_record() or {}
    return str(end.get("message", "Its process ended without a word: the machine or a person cut it off."))


def _wait(run: Run, ahead: int) -> str:
    """What ``run`` waits for, when so many wait ahead of it."""
    other = _at_work(run)
    reasons = (f"{other.name} is training" if other else "", before_this(ahead))
    told = " and ".join(filter(None, reasons))
    return f"Waiting for its turn: {told}." if told else "Starting: Python and PyTorch are being loaded …"


def _at_work(run: Run) -> Run | None:
    """Another run that is training, for which ``run`` may have to wait."""
    return next((r for r in list_runs(run.path.parent) if r.id != run.id and r.state() == "running"), None)


def _tiles(run: Run, config: TrainConfig, last: Mapping[str, Mapping[str, Any]], duration: float) -> tuple[Tile, ...]:
    epoch, step = last.get("epoch", {}), last.get("step", {})
    split = watched_split(run, config)
    label = {"val": "Validation", "test": "Test"}[split]
    best = Tile("Kept weights", "the last", "Nothing is chosen by test images.")
    if split == "val":
        which = f"epoch {epoch['best/epoch']}" if "best/epoch" in epoch else "the epoch"
        why = f"On the validation images after {which}, where their loss was lowest: its weights are kept as best."
        best = Tile("Accuracy at lowest loss", words.percent(epoch.get("best/accuracy")), why)
    of_training = "Mean over the last epoch's images." if epoch else "Of the last step: no epoch has ended yet."
    return (
        Tile("Training loss", words.loss(epoch.get("train/loss", step.get("train/loss"))), of_training),
        Tile(f"{label} loss (last)", words.loss(epoch.get(f"{split}/loss")), "After the last epoch."),
        Tile(f"{label} accuracy (last)", words.percent(epoch.get(f"{split}/accuracy")), "After the last epoch."),
        best,
        Tile("Time", words.duration(duration), "Training and evaluating."),
    )


def watched_split(run: Run, config: TrainConfig) -> str:
    """The split whose figures ``run`` records while it trains: val, or test where nothing is held out."""
    held_out = run.facts().get("images", {}).get("val", config.validation_fraction)
    return "test" if config.watch_test and not held_out else "val"
