"""The training loop, readable from top to bottom: fit() yields records and never touches a disk.

::

    state = new_state(config, dataset)
    for record in fit(state, dataset, config):
        print(record.event, record.values)
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, ImageSet
from cnnlab.distributed.group import any_of, share, sum_gradients, together, totals
from cnnlab.distributed.layers import begin_batch, over_all_processes
from cnnlab.inference import autocast, infer, pick_device
from cnnlab.loader import SEED_STRIDE, Batch, Scaling, epoch_batches, scaling_of, steps_per_epoch
from cnnlab.optim import lr_at, make_optimizer

FETCH_AFTER = 0.25  # seconds that a step's figures stay on the device: a GPU runs dry whenever they are fetched
ASK_EVERY = 10  # steps, of several processes: they ask each other whether to stop, which takes a third of a millisecond

Network = Callable[[Tensor], Tensor]
Event = Literal["step", "eval", "epoch", "end"]


@dataclass(frozen=True)
class Record:
    """What happened: after which step (from 1 on), in which epoch (from 1 on), and the figures by name.

    step: train/loss, train/accuracy (of the batch, before the step), lr, grad_norm, images_per_second.
    eval: val/loss, val/accuracy, val/class_accuracy (one figure for each class, null without images) and val/count;
    likewise test/… where the run watches the test set.
    epoch: the means over the epoch's images as train/loss and train/accuracy, the figures of an evaluation on all
    images, lr, seconds (of training alone), images_per_second, elapsed (seconds with everything), best/epoch,
    best/loss, best/accuracy.
    end: status (finished, stopped, failed) and a message.
    """

    event: Event
    step: int
    epoch: int
    values: dict[str, Any]


@dataclass
class TrainState:
    """Everything that a run carries from step to step, and so what a checkpoint holds."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    loss_sum: float = 0.0  # over the images of the epoch so far, like the next three
    correct: int = 0
    seen: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    best_loss: float = math.inf
    best_accuracy: float = 0.0
    best_epoch: int = 0


COUNTERS = tuple(part.name for part in fields(TrainState) if part.name not in ("model", "optimizer"))  # plain numbers


@dataclass
class _Pending:
    """Figures of steps that still lie on the device."""

    losses: list[Tensor] = field(default_factory=list)
    correct: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)  # of each step as many: of the gradient, or of its parts
    facts: list[tuple[int, int, float]] = field(default_factory=list)  # step, images, learning rate
    since: float = field(default_factory=time.perf_counter)

    def fetch(self) -> list[tuple[float, float, float]]:
        """Loss, right answers and gradient norm of each step; waits for the device."""
        norms = torch.linalg.vector_norm(torch.stack(self.norms).view(len(self.losses), -1), dim=1)
        columns = (torch.stack(self.losses).tolist(), torch.stack(self.correct).tolist(), norms.tolist())
        return list(zip(*columns, strict=True))

    def clear(self) -> None:
        """Begin anew."""
        for part in (self.losses, self.correct, self.norms, self.facts):
            part.clear()
        self.since = time.perf_counter()


class NotFinite(RuntimeError):
    """A loss became infinite or not a number; the message says which, at which step, and what to try."""


def new_state(config: TrainConfig, dataset: ImageDataset) -> TrainState:
    """A network with fresh weights, drawn from ``config.seed``, and its optimiser, on the device of ``config``."""
    torch.manual_seed(config.seed)
    model = models.build(config, *dataset.shape)
    model.to(pick_device(config.device)).to(memory_format=torch.channels_last)
    return TrainState(over_all_processes(model), make_optimizer(model.parameters(), config))


def fit(
    state: TrainState, dataset: ImageDataset, config: TrainConfig, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Record]:
    """Train ``state`` from its step on, as ``config`` says, until the last epoch or until ``should_stop()``.

    Yields a Record for each step, evaluation and epoch, then one for the end; while it waits at an epoch or end
    record, ``state`` is whole and may be saved. Raises NotFinite where the loss blows up. Of several processes
    (distributed/) each calls it alike, takes its share of every batch, and yields the same figures.
    """
    started = time.perf_counter() - state.elapsed
    device = next(state.model.parameters()).device
    splits = dataset.splits(config)
    train = splits.train.to(device)
    watched = {"val": splits.val.to(device)} if len(splits.val) else {}
    if config.watch_test:
        watched["test"] = splits.test.to(device)
    scaling = scaling_of(config, dataset)
    network = models.for_training(state.model)
    compiled: Network = network
    if config.compile and not together():
        graphs = "reduce-overhead" if device.type == "cuda" else None  # a CUDA graph: one launch for all its kernels
        compiled = torch.compile(network, dynamic=False, mode=graphs)
    per_epoch = steps_per_epoch(len(train), config.batch_size)
    pending = _Pending()
    stopped, begun = False, state.step

    def patience_ended() -> bool:
        epochs, into_next = divmod(state.step, per_epoch)
        return bool(config.early_stopping) and not into_next and epochs - state.best_epoch >= config.early_stopping

    def evaluated(images: int = 0) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        for name, part in watched.items():
            figures |= _scores(name, network, part.head(images), config, scaling)
            _refuse_blown_up(figures[f"{name}/loss"], f"{name}/loss after step {state.step}", lr)
        return figures

    while state.step < config.epochs * per_epoch and not stopped and not patience_ended():
        epoch, first = state.step // per_epoch + 1, state.step % per_epoch
        if first == 0:
            state.loss_sum, state.correct, state.seen, state.seconds = 0.0, 0, 0, 0.0
        network.train()
        pending.since = time.perf_counter()
        for batch in epoch_batches(train, config, epoch, scaling, first):
            lr = lr_at(state.step, config, per_epoch)
            usual = batch.count == config.batch_size  # an epoch's last batch is not worth compiling for
            loss, correct, norms = train_step(state, compiled if usual else network, batch, config, lr)
            pending.losses.append(loss)
            pending.correct.append(correct)
            pending.norms.extend(norms)
            state.step += 1
            pending.facts.append((state.step, batch.count, lr))
            last = state.step % per_epoch == 0
            due = bool(config.eval_every) and state.step % config.eval_every == 0 and not last
            awaited = state.step == begun + 1  # by a person who pressed Start
            old = state.step % ASK_EVERY == 0 if together() else time.perf_counter() - pending.since > FETCH_AFTER
            fetch = last or due or awaited or old  # all processes alike, so that all see a loss blow up
            if fetch or not together():  # before they wait for a GPU, which would for ever if another process is gone
                stopped = any_of(should_stop())
            if fetch or stopped:
                yield from _flush(pending, state, epoch)
            if due:
                yield Record("eval", state.step, epoch, evaluated(config.eval_images))
                network.train()
                pending.since = time.perf_counter()
            if stopped:
                break
        if state.step % per_epoch == 0:
            figures = evaluated()
            chosen_by = figures.get("val/loss")  # never by the test split
            if chosen_by is not None and chosen_by < state.best_loss:
                state.best_loss, state.best_accuracy, state.best_epoch = chosen_by, figures["val/accuracy"], epoch
            state.elapsed = time.perf_counter() - started
            yield Record(
                "epoch", state.step, epoch, _epoch_figures(state, lr_at(state.step - 1, config, per_epoch)) | figures
            )
        state.elapsed = time.perf_counter() - started

    yield _end(state, config, per_epoch, patience_ended())


def train_step(
    state: TrainState, network: Network, batch: Batch, config: TrainConfig, lr: float
) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
    """One step of gradient descent: zero the gradients, forward through ``network``, loss, backward, optimiser step.

    Gives the loss, how many answers were right, and the norms of the gradient's parts, whose norm is the gradient's:
    scalars that still lie on the device.
    """
    _seed(batch.inputs.device, config.seed * SEED_STRIDE + state.step)  # dropout depends on (seed, step) alone
    for group in state.optimizer.param_groups:
        group["lr"] = lr
    weights = [weight for group in state.optimizer.param_groups for weight in group["params"]]
    for weight in weights:  # as optimizer.zero_grad() does, which asks a profiler first
        weight.grad = None  # before the forward pass, for a CUDA graph gives its memory out anew there
    reduction = "sum" if together() else "mean"  # of a share of the batch, which may be empty
    with autocast(batch.inputs.device, config):
        begin_batch(batch.count)
        logits = network(batch.inputs)
        loss = cross_entropy(logits.float(), batch.labels, label_smoothing=config.label_smoothing, reduction=reduction)
    if together():
        loss = loss / batch.count
    loss.backward()  # type: ignore[no-untyped-call]
    loss, correct = sum_gradients(weights, loss, (logits.argmax(1) == batch.labels).sum())
    if config.grad_clip:
        norms: Sequence[Tensor] = [nn.utils.clip_grad_norm_(weights, config.grad_clip)]
    else:
        norms = torch._foreach_norm([w.grad for w in weights if w.grad is not None])
    state.optimizer.step()
    return loss.detach(), correct, norms


def _seed(device: torch.device, seed: int) -> None:
    """What torch.manual_seed does for ``device`` alone: for all that there may be takes a tenth of a millisecond."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def _refuse_blown_up(loss: float, what: str, lr: float) -> None:
    if not math.isfinite(loss):
        raise NotFinite(
            f"{what} is {loss}: training has blown up. Try a lower learning rate (it was {lr:g}), a warm-up, or "
            "gradient clipping."
        )


def _flush(pending: _Pending, state: TrainState, epoch: int) -> Iterator[Record]:
    """Fetch the pending figures, add them to the epoch's sums and yield a step record for each."""
    figures = pending.fetch()
    seconds = (time.perf_counter() - pending.since) / len(figures)
    for (loss, correct, norm), (step, images, lr) in zip(figures, pending.facts, strict=True):
        _refuse_blown_up(loss, f"train/loss at step {step}", lr)
        state.loss_sum += loss * images
        state.correct += int(correct)
        state.seen += images
        state.seconds += seconds
        values = {
            "train/loss": loss,
            "train/accuracy": correct / images,
            "lr": lr,
            "grad_norm": norm,
            "images_per_second": images / seconds,
        }
        yield Record("step", step, epoch, values)
    pending.clear()


def _end(state: TrainState, config: TrainConfig, per_epoch: int, patience_ended: bool) -> Record:
    status = "finished"
    if state.step == config.epochs * per_epoch:
        message = f"All {config.epochs} epochs are done." if config.epochs > 1 else "The epoch is done."
    elif patience_ended:
        message = f"Early stop: no lower validation loss for {config.early_stopping} epochs."
    else:
        status, message = "stopped", f"Stopped after step {state.step}; it can be resumed."
    epoch = max(1, math.ceil(state.step / per_epoch))
    return Record("end", state.step, epoch, {"status": status, "message": message, "elapsed": state.elapsed})


def _epoch_figures(state: TrainState, lr: float) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "train/loss": state.loss_sum / state.seen,
        "train/accuracy": state.correct / state.seen,
        "lr": lr,
        "seconds": state.seconds,
        "images_per_second": state.seen / state.seconds,
        "elapsed": state.elapsed,
    }
    if state.best_epoch:
        figures |= {"best/epoch": state.best_epoch, "best/loss": state.best_loss, "best/accuracy": state.best_accuracy}
    return figures


def _scores(name: str, model: nn.Module, images: ImageSet, config: TrainConfig, scaling: Scaling) -> dict[str, Any]:
    """Loss and accuracies of ``model`` on ``images`` as figures called ``name``/…"""
    mine = share(len(images))
    labels = images.labels[mine]
    logits = infer(model, images.select(mine).images, config, scaling)
    loss = cross_entropy(logits, labels, reduction="sum").item()
    total, correct = (
        torch.bincount(chosen, minlength=logits.shape[1]).tolist()
        for chosen in (labels, labels[logits.argmax(1) == labels])
    )
    loss, *counts = totals([loss, *total, *correct])
    total, correct = counts[: len(total)], counts[len(total) :]
    return {
        f"{name}/loss": loss / len(images),
        f"{name}/accuracy": sum(correct) / len(images),
        f"{name}/class_accuracy": [c / t if t else None for c, t in zip(correct, total, strict=True)],
        f"{name}/count": len(images),
    }
