"""The process behind a run: engine.fit's records go into the run folder, its state into checkpoints.

::

    run, held = create_run(path, facts)
    status = train(run, Listener())          # "finished", "stopped" or "failed"
"""

import importlib.metadata
import math
import platform
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

from cnnlab import __version__, datasets, engine, models
from cnnlab.checkpoints import CheckpointError, save_checkpoint
from cnnlab.checks import CHECK_ERRORS, check
from cnnlab.config import SPLITS, TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.datasets.download import Progress
from cnnlab.distributed.group import joined
from cnnlab.distributed.messages import Lost
from cnnlab.distributed.ranks import world_size
from cnnlab.engine import NotFinite, Record, TrainState
from cnnlab.inference import pick_device
from cnnlab.loader import steps_per_epoch
from cnnlab.machine import lacks_memory, prepare_process
from cnnlab.queue import before_this, turn
from cnnlab.runs import Run
from cnnlab.stopping import NowAndThen, signals_request
from cnnlab.summary import trained_for
from cnnlab.team import call_together, remove_rank_locks, starting_state, why_lost

MOST_TOLD = 20  # files of a kind, one by one
WRITE_EVERY = 0.25  # seconds: how old a step's record may get before it is on disk


class Listener:
    """Who hears what a training does; this one keeps silent."""

    def say(self, text: str) -> None:
        """A line for people."""

    def task(self, what: str, done: int, total: int) -> None:
        """Progress of preparing the data; ``total`` is 0 where it is unknown."""

    def begin(self, config: TrainConfig, step: int, steps: int) -> None:
        """Training begins at ``step`` of ``steps``."""

    def record(self, record: Record) -> None:
        """Something happened."""

    def close(self) -> None:
        """Nothing more will come."""


def train(run: Run, listener: Listener) -> str:
    """Train ``run``, whose lock this process holds, from its last checkpoint or from the start; returns its status.

    Nothing is raised for what can go wrong with a training: the run then ends as failed, with a sentence.
    """
    with signals_request(run.request_stop):
        try:
            with turn(run.path.parent, lambda ahead: _tell_wait(run, ahead, listener), run.stop_requested) as slot:
                if slot is not None:
                    return _train(run, listener, slot)
            return _end(run, listener, "stopped", "Stopped while it waited for its turn.")
        except _Stopped:
            return _end(run, listener, "stopped", "Stopped while its images were fetched or read; it can be resumed.")
        except Lost:
            return _end(run, listener, "failed", why_lost(run))
        except (*CHECK_ERRORS, CheckpointError, NotFinite) as error:
            return _end(run, listener, "failed", str(error))
        except Exception as error:
            listener.say(traceback.format_exc())
            return _end(run, listener, "failed", _sentence(error))
        finally:
            remove_rank_locks(run)


def _sentence(error: Exception) -> str:
    """What went wrong, and what to try, for an ``error`` that nobody foresaw."""
    hint = "The log has the details."
    if lacks_memory(error):
        hint = "Try a smaller batch size or network."
    elif type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        hint = "The network could not be compiled: turn compile off."
    elif isinstance(error, OSError):
        hint = "Make room, or choose another place by CNNLAB_RUNS, and resume it."
    reason = f": {str(error).splitlines()[0]}" if str(error) else ""
    return f"{type(error).__name__}{reason}. {hint}"


def _train(run: Run, listener: Listener, slot: int) -> str:
    config = run.config
    dataset = datasets.load(config, _unless_stopped(run, listener.task))
    check(config, dataset)
    if dataset.in_file:
        listener.say(datasets.streaming_note(dataset))
    for problem in dataset.unreadable[:MOST_TOLD]:
        listener.say(f"Left out: {problem}")
    if dataset.unreadable:
        listener.say(f"Left out, for they could not be read: {len(dataset.unreadable)} of the files.")
    for copy in dataset.copies[:MOST_TOLD]:
        listener.say(f"Twice: {copy}.")
    if dataset.copies:
        listener.say(f"Pictures that are there twice: {len(dataset.copies)}. A test on what was learnt would flatter.")
    splits = dataset.splits(config)
    counts = {name: len(splits.get(name)) for name in SPLITS}
    images = {
        "images": counts,
        "class_names": list(dataset.class_names),
        "pixels": {"mean": list(dataset.mean), "std": list(dataset.std)},
    }
    _refuse_other_images(run, images)
    if world_size() > 1:
        call_together(run)
    with joined(pick_device(config.device), slot):
        return _train_on(run, listener, dataset, images)


class _Stopped(Exception):
    """Somebody has asked for a stop before there were images to train on."""


def _unless_stopped(run: Run, on_progress: Progress) -> Progress:
    """``on_progress``, but it raises _Stopped once ``run`` has been asked to stop."""
    should_stop = NowAndThen(run.stop_requested)

    def report(task: str, done: int, total: int) -> None:
        if should_stop():
            raise _Stopped
        on_progress(task, done, total)

    return report


def _train_on(run: Run, listener: Listener, dataset: ImageDataset, images: dict[str, Any]) -> str:
    config = run.config
    state = starting_state(run, dataset)
    prepare_process(dataset, config)
    run.forget_after(state.step)
    learnt = run.facts().get("images_version", dataset.version)  # a resumed run has learnt from the first too
    run.add_facts({**_facts(state), **images, "images_version": learnt})
    run.append([{"event": "start", "step": state.step, "time": time.time(), "elapsed": state.elapsed}])
    listener.begin(config, state.step, config.epochs * steps_per_epoch(images["images"]["train"], config.batch_size))
    status = "failed"
    should_stop = NowAndThen(run.stop_requested)
    for record in _written(run, engine.fit(state, dataset, config, should_stop)):
        if record.event == "epoch" and record.values.get("best/epoch") == record.epoch:
            save_checkpoint(run.checkpoint_path("best"), state, dataset, config, optimizer=False)
        if record.event == "epoch" or record.values.get("status") == "stopped":
            save_checkpoint(run.checkpoint_path("last"), state, dataset, config, optimizer=True)
        listener.record(record)
        status = record.values.get("status", status)
        if record.event != "step":
            should_stop.forget()  # the listener may have asked for a stop
    _append(run, [record])  # the end, once all that it promises is on disk
    return status


def _written(run: Run, records: Iterator[Record]) -> Iterator[Record]:
    """Pass ``records`` on, after they are in the run's metrics; steps go there in bulk, the end does not go there."""
    waiting: list[Record] = []
    written = -math.inf  # the first step at once: a person who pressed Start waits for it
    try:
        for record in records:
            if record.event != "end":
                waiting.append(record)
            if record.event != "step" or time.monotonic() - written > WRITE_EVERY:
                _append(run, waiting)
                waiting, written = [], time.monotonic()
            yield record
    finally:
        if waiting:  # the loss blew up: these steps led there
            _append(run, waiting)


def _append(run: Run, records: list[Record]) -> None:
    run.append([{"event": r.event, "step": r.step, "epoch": r.epoch, **r.values} for r in records])


def _end(run: Run, listener: Listener, status: str, message: str) -> str:
    last = run.last_record("epoch") or {}
    values = {"status": status, "message": message, "elapsed": trained_for(run.last_record, time.time())}
    end = Record("end", int(last.get("step", 0)), int(last.get("epoch", 0)), values)
    with suppress(OSError):  # the disk is full, say, which may be why: the listener hears of it all the same
        _append(run, [end])
    listener.record(end)
    return status


def _refuse_other_images(run: Run, images: dict[str, Any]) -> None:
    """Raise DatasetError where the ``images`` are not those with which ``run`` began, as far as can be told."""
    facts = run.facts()
    for name, now in images.items():
        if (before := facts.get(name, now)) != now:
            raise DatasetError(
                f"The images have changed since this run began ({_difference(name, before, now)}): "
                "start a new run on them."
            )


def _difference(fact: str, before: Any, now: Any) -> str:
    """In words, how the ``fact`` about a run's images differs."""
    if fact == "images":
        words = {"train": "training", "val": "validation", "test": "test"}
        counts = ((f"{before.get(split, 0):,}", word, f"{now[split]:,}") for split, word in words.items())
        return "; ".join(f"{then} {word} images then, {today} now" for then, word, today in counts if then != today)
    if fact == "class_names":
        lost, new = ([n for n in one if n not in other][:MOST_TOLD] for one, other in ((before, now), (now, before)))
        told = [f"classes {what}: {', '.join(names)}" for what, names in (("gone", lost), ("new", new)) if names]
        return "; ".join(told) or "their classes are in another order"
    return "as many as then, but others"  # the pixels' mean and deviation


def _facts(state: TrainState) -> dict[str, Any]:
    device = next(state.model.parameters()).device
    described = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": {"type": device.type, "name": described, "threads": torch.get_num_threads()},
        "parameters": models.count_parameters(state.model),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions on which a run's figures depend."""
    packages = ("torch", "torchvision", "numpy", "safetensors", "pydantic")
    return {"cnnlab": __version__, "python": platform.python_version()} | {
        p: importlib.metadata.version(p) for p in packages
    }


def _tell_wait(run: Run, ahead: int, listener: Listener) -> None:
    run.append([{"event": "queued", "time": time.time(), "ahead": ahead}])
    more = f" ({before_this(ahead)})" if ahead else ""
    listener.say(f"Waiting for another training to end{more} …")
