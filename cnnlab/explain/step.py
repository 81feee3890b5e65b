"""One training step, opened: everything that happens between a batch and the new weights, written down.

>>> step = open_step(config, dataset, number=1)                          # doctest: +SKIP
>>> step.loss, step.loss_after                                           # doctest: +SKIP
(2.3128, 2.2046)

It is the very step of a training by this config: same weights, same images, same dropout. Only the arithmetic is in
double precision, so that what is worked out by hand agrees with torch to every digit that is shown. It may also begin
with other weights, such as a trained run's.
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.explain.anatomy import anatomy
from cnnlab.explain.footprint import COPIES, SMALLER, TooLarge, expect_affordable, telling_of_memory
from cnnlab.loader import SEED_STRIDE, Batch, epoch_batches, scaling_of, steps_per_epoch
from cnnlab.optim import lr_at, make_optimizer
from cnnlab.seeding import seeded

MOST_PARAMETERS = 20_000_000  # a step of more takes a few hundred MB for each visitor
WIDTH = 8  # bytes of a number in double precision
KEPT = 65_536  # values of each weight tensor that are written down, from the first on: ResNet-18's take 42 MB


@dataclass(frozen=True)
class Weights:
    """What a step did to one tensor of weights: its first KEPT values in each, float64 [n].

    ``gradient`` is as ``backward`` left it. ``state`` is what the optimiser remembered before the step.
    """

    name: str
    shape: tuple[int, ...]
    before: Tensor
    gradient: Tensor
    after: Tensor
    gradient_norm: float
    state: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """Step ``number`` (from 1 on), from the batch to the loss afterwards.

    ``pixels`` uint8 [B, C, H, W], as augmented; ``inputs`` float64, what the network saw; ``labels`` int64 [B];
    ``logits`` and ``probabilities`` float64 [B, K]; ``losses`` float64 [B], one an image; ``loss`` and
    ``loss_after`` their means, before and after; ``left_over`` the gradient's norm that ``zero_grad`` clears away;
    ``clip`` the factor of gradient clipping.
    """

    number: int
    pixels: Tensor
    inputs: Tensor
    labels: Tensor
    logits: Tensor
    probabilities: Tensor
    losses: Tensor
    loss: float
    loss_after: float
    lr: float
    left_over: float
    gradient_norm: float
    clip: float
    weights: dict[str, Weights]
    first_kernels: Tensor | None


@dataclass
class _Training:
    """A training of its own, in double precision, from ``weights`` on (a state dict) or from the first ones.

    Others may draw as long as it draws neither its weights nor its dropout: a step can take many seconds.
    """

    config: TrainConfig
    dataset: ImageDataset
    lr: float | None
    weights: Mapping[str, Tensor] | None

    def __post_init__(self) -> None:
        outline = models.outline(self.config, *self.dataset.shape)
        size = models.count_parameters(outline)
        if size > MOST_PARAMETERS:
            raise TooLarge(
                f"A step of {size:,} parameters takes {WIDTH * COPIES * size / 1e9:.1f} GB when it is opened, too much "
                f"for a look: choose a network of at most {MOST_PARAMETERS:,}, such as {SMALLER}."
            )
        self.train = self.dataset.splits(self.config).train
        image = self.dataset.in_channels, self.dataset.image_size, self.dataset.image_size
        expect_affordable(anatomy(outline, image), min(self.config.batch_size, len(self.train)), WIDTH)
        with seeded(self.config.seed):
            self.model = models.build(self.config, *self.dataset.shape)
        if self.weights is not None:
            self.model.load_state_dict(dict(self.weights))
        self.model.double().train()
        self.optimizer = make_optimizer(self.model.parameters(), self.config)
        self.scaling = scaling_of(self.config, self.dataset)
        self.per_epoch = steps_per_epoch(len(self.train), self.config.batch_size)

    def lr_of(self, number: int) -> float:
        """The learning rate of step ``number``: the schedule's, unless a person chose one."""
        return _scheduled(self.config, self.per_epoch, number) if self.lr is None else self.lr

    def batches(self) -> Iterator[Batch]:
        """Each step's batch, epoch after epoch."""
        for epoch in count(1):
            for batch in epoch_batches(self.train, self.config, epoch, self.scaling):
                yield Batch(batch.inputs.double(), batch.labels, batch.count)

    def walk_to(self, number: int) -> Batch:
        """The batch of step ``number`` (from 1 on), once the steps before it are taken."""
        batches = self.batches()
        for earlier in range(1, number):
            self.step(next(batches), earlier)
        return next(batches)

    def pixels(self, inputs: Tensor) -> Tensor:
        """The pictures (uint8) that became ``inputs``, augmentation and all."""
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.scaling.mean, self.scaling.std))
        return ((inputs * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)

    def forward(self, batch: Batch, number: int) -> tuple[Tensor, Tensor]:
        """Logits and losses [B]; the same dropout whenever it is asked for the same step."""
        seed = self.config.seed * SEED_STRIDE + number - 1
        with seeded(seed) if models.dropout_of(self.config) else nullcontext():
            logits = self.model(batch.inputs)
        return logits, cross_entropy(
            logits, batch.labels, reduction="none", label_smoothing=self.config.label_smoothing
        )

    def step(self, batch: Batch, number: int) -> float:
        """Gradient descent as in the engine; the loss before it."""
        _, losses = self.forward(batch, number)
        loss = losses.mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.clip()
        self.update(number)
        return loss.item()

    def clip(self) -> float:
        """Clip the gradients where the config asks for it; the factor."""
        if not self.config.grad_clip:
            return 1.0
        norm = nn.utils.clip_grad_norm_(list(self.model.parameters()), self.config.grad_clip).item()
        return min(1.0, self.config.grad_clip / (norm + 1e-6))  # torch's own guard against a norm of 0

    def update(self, number: int) -> None:
        """The optimiser's step."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr_of(number)
        self.optimizer.step()

    def gradient_norm(self) -> float:
        """Of all gradients together."""
        gradients = [w.grad for w in self.model.parameters() if w.grad is not None]
        return nn.utils.get_total_norm(gradients).item() if gradients else 0.0


def scheduled_lr(config: TrainConfig, dataset: ImageDataset, number: int) -> float:
    """The learning rate that the schedule of ``config`` has for step ``number`` (from 1 on)."""
    return _scheduled(config, steps_per_epoch(len(dataset.splits(config).train), config.batch_size), number)


def _scheduled(config: TrainConfig, per_epoch: int, number: int) -> float:
    return lr_at(min(number - 1, config.epochs * per_epoch - 1), config, per_epoch)


@telling_of_memory()
def open_step(
    config: TrainConfig,
    dataset: ImageDataset,
    number: int = 1,
    lr: float | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> Step:
    """Step ``number`` (from 1 on) of a training by ``config``, opened; ``lr`` in place of the schedule's, if given.

    It begins with ``weights`` (a state dict of the network) in place of the first ones, if given; the optimiser begins
    anew. Raises TooLarge for networks above MOST_PARAMETERS, and where there is too little memory for the batch.
    """
    training = _Training(config, dataset, lr, weights)
    return _opened(training, training.walk_to(number), number)


def repeat_steps(
    config: TrainConfig,
    dataset: ImageDataset,
    steps: int,
    lr: float | None = None,
    weights: Mapping[str, Tensor] | None = None,
    number: int = 1,
    earlier_lr: float | None = None,
) -> list[float]:
    """The loss on the batch of step ``number`` before each of ``steps`` steps with it at ``lr``, and after the last.

    The steps before are taken as :func:`open_step` takes them, at ``earlier_lr``.
    """
    training = _Training(config, dataset, earlier_lr, weights)
    batch, training.lr = training.walk_to(number), lr
    losses = [training.step(batch, again) for again in range(number, number + steps)]
    return [*losses, training.forward(batch, number + steps - 1)[1].mean().item()]


def _opened(training: _Training, batch: Batch, number: int) -> Step:
    logits, losses = training.forward(batch, number)
    left_over = training.gradient_norm()
    training.optimizer.zero_grad()
    losses.mean().backward()  # type: ignore[no-untyped-call]
    total = training.gradient_norm()
    named = dict(training.model.named_parameters())
    gradients = {name: w.grad.detach().clone() for name, w in named.items() if w.grad is not None}
    before = {name: _first(w) for name, w in named.items()}
    state = {name: _remembered(training.optimizer, w) for name, w in named.items()}
    clip = training.clip()
    training.update(number)
    weights = {
        name: Weights(name, tuple(g.shape), before[name], _first(g), _first(named[name]), g.norm().item(), state[name])
        for name, g in gradients.items()
    }
    kernels = next((g for g in gradients.values() if g.dim() == 4), None)
    with torch.no_grad():
        loss_after = training.forward(batch, number)[1].mean().item()
    return Step(
        number=number,
        pixels=training.pixels(batch.inputs),
        inputs=batch.inputs,
        labels=batch.labels,
        logits=logits.detach(),
        probabilities=logits.detach().softmax(1),
        losses=losses.detach(),
        loss=losses.mean().item(),
        loss_after=loss_after,
        lr=training.lr_of(number),
        left_over=left_over,
        gradient_norm=total,
        clip=clip,
        weights=weights,
        first_kernels=kernels,
    )


def _first(values: Tensor) -> Tensor:
    return values.detach().flatten()[:KEPT].clone()


def _remembered(optimizer: torch.optim.Optimizer, weight: nn.Parameter) -> dict[str, Tensor]:
    return {name: _first(value) for name, value in optimizer.state.get(weight, {}).items() if isinstance(value, Tensor)}
