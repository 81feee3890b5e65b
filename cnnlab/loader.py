"""Batches from images that live in memory: shuffled, augmented and scaled a batch at a time, on the device.

What a batch holds depends on (seed, epoch, step) alone, so that a run can go on from any step exactly::

    for batch in epoch_batches(train, config, epoch=1, scaling=scaling):
        logits = model(batch.inputs)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, ImageSet

SEED_STRIDE = 1_000_003  # a prime, so that (seed, step) pairs rarely meet


@dataclass(frozen=True)
class Scaling:
    """What turns a uint8 image into the network's input: ``x / 255``, minus ``mean``, divided by ``std``."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [B, C, H, W] -> float32 [B, C, H, W] in channels-last order, on the same device."""
        scale = torch.tensor([1 / (255 * s) for s in self.std], device=images.device).view(1, -1, 1, 1)
        shift = torch.tensor([-m / s for m, s in zip(self.mean, self.std, strict=True)], device=images.device).view(
            1, -1, 1, 1
        )
        floats = images.to(torch.float32, memory_format=torch.channels_last)
        return torch.addcmul(shift, floats, scale)


def scaling_of(config: TrainConfig, dataset: ImageDataset) -> Scaling:
    """The Scaling that ``config`` asks for, with the statistics of ``dataset`` where it wants them."""
    channels = dataset.in_channels
    if config.scaling == "dataset":
        return Scaling(dataset.mean, dataset.std)
    if config.scaling == "half":
        return Scaling((0.5,) * channels, (0.5,) * channels)
    return Scaling((0.0,) * channels, (1.0,) * channels)


@dataclass(frozen=True)
class Batch:
    """One step's images: ``inputs`` float32 [B, C, H, W], ``labels`` int64 [B]."""

    inputs: Tensor
    labels: Tensor


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches an epoch has. A last batch of a single image is left out: batch norm cannot use it."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1 or (rest == 1 and full == 0))


def epoch_batches(
    images: ImageSet, config: TrainConfig, epoch: int, scaling: Scaling, first: int = 0
) -> Iterator[Batch]:
    """The batches of ``epoch`` (from 1 on), beginning with the batch number ``first`` (from 0 on)."""
    count = steps_per_epoch(len(images), config.batch_size)
    shuffle = torch.Generator().manual_seed(config.seed * SEED_STRIDE + epoch)
    order = torch.randperm(len(images), generator=shuffle).to(images.labels.device)
    for number in range(first, count):
        chosen = order[number * config.batch_size : (number + 1) * config.batch_size]
        pixels = images.images[chosen]
        dice = torch.Generator().manual_seed((config.seed * SEED_STRIDE + epoch) * SEED_STRIDE + number)
        inputs = augment(scaling(pixels), config, dice, scaling)
        yield Batch(inputs, images.labels[chosen])


def augment(inputs: Tensor, config: TrainConfig, dice: torch.Generator, scaling: Scaling) -> Tensor:
    """Shift, flip, rotate and erase ``inputs`` (float32 [B, C, H, W]) as ``config`` says; dice are thrown by ``dice``.

    What comes in from outside the image, and an erased square, is black before scaling.
    """
    if not (config.augment_shift or config.augment_flip or config.augment_rotation or config.augment_erase):
        return inputs
    black = torch.tensor([-m / s for m, s in zip(scaling.mean, scaling.std, strict=True)], device=inputs.device).view(
        1, -1, 1, 1
    )
    x = inputs - black  # from here on black is 0
    if config.augment_flip:
        mirrored = (torch.rand(len(x), generator=dice) < 0.5).to(x.device)
        x = torch.where(mirrored.view(-1, 1, 1, 1), x.flip(3), x)
    if config.augment_rotation:
        x = _rotate(x, config.augment_rotation, dice)
    if config.augment_shift:
        x = _shift(x, config.augment_shift, dice)
    if config.augment_erase:
        x = _erase(x, config.augment_erase, dice)
    return (x + black).contiguous(memory_format=torch.channels_last)


def _rotate(x: Tensor, degrees: float, dice: torch.Generator) -> Tensor:
    angle = (torch.rand(len(x), generator=dice) * 2 - 1) * math.radians(degrees)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(len(x))
    matrix = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1).to(x.device)
    grid = affine_grid(matrix, list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _shift(x: Tensor, most: int, dice: torch.Generator) -> Tensor:
    count, height, width = len(x), x.shape[2], x.shape[3]
    padded = pad(x, (most, most, most, most)).permute(0, 2, 3, 1)  # [B, H + 2m, W + 2m, C]
    corner = torch.randint(0, 2 * most + 1, (2, count), generator=dice).to(x.device)
    rows = corner[0, :, None] + torch.arange(height, device=x.device)
    columns = corner[1, :, None] + torch.arange(width, device=x.device)
    image = torch.arange(count, device=x.device).view(-1, 1, 1)
    return padded[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _erase(x: Tensor, side: int, dice: torch.Generator) -> Tensor:
    height, width = x.shape[2], x.shape[3]
    centre = (torch.rand(2, len(x), generator=dice) * torch.tensor([[height], [width]])).to(x.device)
    rows = (torch.arange(height, device=x.device) + 0.5 - centre[0, :, None]).abs() * 2 <= side
    columns = (torch.arange(width, device=x.device) + 0.5 - centre[1, :, None]).abs() * 2 <= side
    return x.masked_fill((rows[:, :, None] & columns[:, None, :]).unsqueeze(1), 0)
