"""Batches from images in memory, or in a file: shuffled, augmented and scaled a batch at a time, on the device.

What a batch holds depends on (seed, epoch, step) alone, so that a run can go on from any step exactly::

    for batch in epoch_batches(train, config, epoch=1, scaling=scaling):
        logits = model(batch.inputs)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import tee
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, ImageSet
from cnnlab.datasets.view import fetched
from cnnlab.distributed.group import share

SEED_STRIDE = 1_000_003  # a prime, so that (seed, step) pairs rarely meet
SEEDS = 2**63  # what a torch.Generator takes is below
AT_ONCE = 1 << 17  # values of images that are made ready at a time: half a megabyte once scaled, which caches hold
AT_ONCE_ON_GPU = 1 << 24  # there each operation costs a launch, and 64 MB are little


@dataclass(frozen=True)
class Scaling:
    """What turns a uint8 image into the network's input: ``x / 255``, minus ``mean``, divided by ``std``."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 or float [B, C, H, W] from 0 to 255 -> float32 [B, C, H, W] in channels-last order, same device."""
        count, channels, height, width = images.shape
        scale, shift = _rows(self, height * width, images.device)
        # a row is an image: a mean and a deviation for each channel, the innermost, would be applied one by one
        rows = images.permute(0, 2, 3, 1).reshape(count, len(scale)).to(torch.float32, copy=True)
        return rows.mul_(scale).add_(shift).view(count, height, width, channels).permute(0, 3, 1, 2)

    def factors(self) -> tuple[list[float], list[float]]:
        """For each channel what to multiply values from 0 to 255 with, and what to add."""
        return [1 / (255 * s) for s in self.std], [-m / s for m, s in zip(self.mean, self.std, strict=True)]


@lru_cache(maxsize=8)
def _rows(scaling: Scaling, pixels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What to multiply an image's values with and what to add, each float32 [pixels × C], pixel by pixel."""
    scale, shift = (torch.tensor(values, device=device) for values in scaling.factors())
    return scale.repeat(pixels), shift.repeat(pixels)


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
    """One step's images: ``inputs`` float32 [B, C, H, W], ``labels`` int64 [B].

    Of several processes each has its share of them; ``count`` is how many all have together.
    """

    inputs: Tensor
    labels: Tensor
    count: int


class Dice:
    """Random numbers for a batch of ``count`` images, of which this process has ``mine``; they do not depend on it."""

    def __init__(self, seed: int, count: int, mine: slice = slice(None)) -> None:
        self.count, self.mine = count, mine
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, rows: int = 1) -> Tensor:
        """float32 [rows, B] in [0, 1)."""
        return torch.rand(rows, self.count, generator=self.generator)[:, self.mine]

    def integers(self, end: int, rows: int = 1) -> Tensor:
        """int64 [rows, B] from 0 to ``end`` - 1."""
        return torch.randint(0, end, (rows, self.count), generator=self.generator)[:, self.mine]


@dataclass(frozen=True)
class DiceOfBatches:
    """The dice of several batches, side by side: each gets the numbers that it would get alone."""

    dice: list[Dice]

    def uniform(self, rows: int = 1) -> Tensor:
        """float32 [rows, B of all] in [0, 1)."""
        return torch.cat([one.uniform(rows) for one in self.dice], 1)

    def integers(self, end: int, rows: int = 1) -> Tensor:
        """int64 [rows, B of all] from 0 to ``end`` - 1."""
        return torch.cat([one.integers(end, rows) for one in self.dice], 1)


AnyDice = Dice | DiceOfBatches


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches an epoch has. A last batch of a single image is left out: batch norm cannot use it."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1 or (rest == 1 and full == 0))


def epoch_batches(
    images: ImageSet, config: TrainConfig, epoch: int, scaling: Scaling, first: int = 0
) -> Iterator[Batch]:
    """The batches of ``epoch`` (from 1 on), from number ``first`` (from 0 on) on; this process's share of each.

    Small batches are picked, augmented and scaled several at a time: each operation on a batch costs some
    microseconds, however small it is.
    """
    device = images.labels.device
    shuffle = torch.Generator().manual_seed(config.seed * SEED_STRIDE + epoch)
    order = torch.randperm(len(images), generator=shuffle).to(images.images.device)
    values = AT_ONCE_ON_GPU if device.type == "cuda" else AT_ONCE
    at_once = max(1, values // (config.batch_size * images.images.shape[1:].numel()))
    numbers = range(first, steps_per_epoch(len(images), config.batch_size))
    groups = (
        [_part(order, number, config.batch_size) for number in numbers[start : start + at_once]]
        for start in range(0, len(numbers), at_once)
    )
    asked, taken = tee((group, torch.cat([part.places for part in group])) for group in groups)
    ahead = (index for _, index in asked)  # a file is asked for a few groups before they are taken
    for (group, index), pixels in zip(taken, fetched(images.images, ahead), strict=True):
        labels, pixels = images.labels[_sent(index, device)], _sent(pixels, device)
        if augments(config):
            seeds = [((config.seed * SEED_STRIDE + epoch) * SEED_STRIDE + part.number) % SEEDS for part in group]
            dice = [Dice(seed, part.size, part.mine) for seed, part in zip(seeds, group, strict=True)]
            pixels = augment(pixels, config, DiceOfBatches(dice))
        inputs = scaling(pixels)
        end = 0
        for part in group:
            begin, end = end, end + len(part.places)
            yield Batch(inputs[begin:end], labels[begin:end], part.size)


class _Part(NamedTuple):
    """What this process has of a batch: which of its ``size`` images, and their ``places`` among all (int64)."""

    number: int
    size: int
    mine: slice
    places: Tensor


def _part(order: Tensor, number: int, batch_size: int) -> _Part:
    whole = order[number * batch_size : (number + 1) * batch_size]
    mine = share(len(whole))
    return _Part(number, len(whole), mine, whole[mine])


def _sent(values: Tensor, device: torch.device) -> Tensor:
    """``values`` on ``device``; a GPU gets them while it computes what came before."""
    if device.type == "cuda" and not values.is_cuda:
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def augments(config: TrainConfig) -> bool:
    """Whether :func:`augment` changes anything."""
    return bool(config.augment_rotation or config.augment_flip or config.augment_shift or config.augment_erase)


def augment(pixels: Tensor, config: TrainConfig, dice: AnyDice) -> Tensor:
    """Rotate, flip, shift and erase ``pixels`` (uint8 or float [B, C, H, W]) as ``config`` says, by throws of ``dice``.

    What comes in from outside the image, and an erased square, is 0: black, for nothing is scaled yet. A rotation
    makes float32 of uint8, its values still from 0 to 255.
    """
    if not len(pixels):  # of a small batch, some processes have no share
        return pixels
    if config.augment_rotation:
        pixels = rotate(pixels.float(), config.augment_rotation, dice)
    if config.augment_flip or config.augment_shift:
        pixels = _flip_and_shift(pixels, config.augment_flip, config.augment_shift, dice)
    if config.augment_erase:
        pixels = erase(pixels, config.augment_erase, dice)
    return pixels


def rotate(x: Tensor, degrees: float, dice: AnyDice) -> Tensor:
    """``x`` (float [B, C, H, W]), each image turned by up to ``degrees`` either way."""
    angle = (dice.uniform()[0] * 2 - 1) * math.radians(degrees)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(len(x))
    matrix = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)
    grid = affine_grid(_sent(matrix, x.device), list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _flip_and_shift(x: Tensor, flip: bool, most: int, dice: AnyDice) -> Tensor:
    """Each pixel is looked up once: its row, its column and its image give its place in the padded batch."""
    count, channels, height, width = x.shape
    mirrored = _sent(dice.uniform()[0, :, None] < (0.5 if flip else 0), x.device)
    corner = _sent(dice.integers(2 * most + 1, 2)[:, :, None], x.device)
    column, row, image = (torch.arange(n, device=x.device) for n in (width, height, count))
    columns = corner[1] + torch.where(mirrored, width - 1 - column, column)
    rows = corner[0] + row + (height + 2 * most) * image[:, None]
    place = (rows[:, :, None] * (width + 2 * most) + columns[:, None, :]).flatten()
    padded = pad(x, (most, most, most, most)).permute(0, 2, 3, 1).reshape(-1, channels)
    return padded.index_select(0, place).view(count, height, width, channels).permute(0, 3, 1, 2)


def erase(x: Tensor, side: int, dice: AnyDice) -> Tensor:
    """``x`` [B, C, H, W] with a square of ``side`` pixels in each image 0, some of it perhaps outside."""
    height, width = x.shape[2], x.shape[3]
    centre = dice.uniform(2) * torch.tensor([[height], [width]])
    centre = _sent(centre, x.device)
    rows = (torch.arange(height, device=x.device) + 0.5 - centre[0, :, None]).abs() * 2 <= side
    columns = (torch.arange(width, device=x.device) + 0.5 - centre[1, :, None]).abs() * 2 <= side
    return x.masked_fill((rows[:, :, None] & columns[:, None, :]).unsqueeze(1), 0)
