"""What a dataset is: uint8 images with labels, in splits that never overlap.

>>> import torch
>>> images = ImageSet(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 0, 1, 1]), torch.arange(4))
>>> [len(part) for part in stratified_split(images, 0.5, seed=0)]
[2, 2]
"""

from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from cnnlab.config import SPLITS, TrainConfig
from cnnlab.datasets.error import DatasetError
from cnnlab.datasets.view import Images, fetched, in_chunks, in_file, view

TEST_FRACTION = 0.2  # of the images, where the source has no test split of its own
TEST_SPLIT_SEED = 0  # the same test images for every run, whatever its seed


@dataclass(frozen=True)
class ImageSet:
    """Images of one split: ``images`` uint8 [N, C, H, W], ``labels`` int64 [N], ``ids`` int64 [N].

    An id is the image's place in its source and stays the same whatever the split. Splits share the pixels of their
    source: ``images[index]`` copies what is asked for, ``images[:]`` all. ``keys``, int64 [N], are there where a place
    may shift, because files come and go: each image's own, by which it is drawn into a split.
    """

    images: Images
    labels: Tensor
    ids: Tensor
    keys: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, index: Tensor | slice) -> "ImageSet":
        """The images at ``index`` (int64 [M]), in that order; their pixels are not copied."""
        keys = None if self.keys is None else self.keys[index]
        return ImageSet(view(self.images, index), self.labels[index], self.ids[index], keys)

    def head(self, count: int) -> "ImageSet":
        """``count`` images, always the same; 0 means all. They are the first, but where images have keys and so lie
        class by class: there they are evenly spaced.
        """
        if not 0 < count < len(self):
            return self
        return self.select(slice(count) if self.keys is None else torch.arange(count) * len(self) // count)

    def to(self, device: torch.device) -> "ImageSet":
        """The same images with all tensors on ``device``, but for pixels that stay in a file, or for which a GPU has no
        room: of those it is sent each batch.
        """
        images = self.images.to(device) if _has_room(device, self.images) else self.images
        return ImageSet(images, self.labels.to(device), self.ids.to(device), self.keys)


def _has_room(device: torch.device, images: Images) -> bool:
    """Whether ``images`` would leave a GPU half of its free memory, for the network and its steps."""
    return device.type != "cuda" or images.shape.numel() < torch.cuda.mem_get_info(device)[0] / 2


@dataclass(frozen=True)
class Splits:
    """What one run trains on, chooses by and is finally tested on: no image is in two of them."""

    train: ImageSet
    val: ImageSet
    test: ImageSet

    def get(self, name: str) -> ImageSet:
        """The split called ``name``: train, val or test; any other raises DatasetError."""
        if name not in SPLITS:
            raise DatasetError(f"Unknown split '{name}'. Available: {', '.join(SPLITS)}.")
        found: ImageSet = getattr(self, name)
        return found


@dataclass(frozen=True)
class ImageDataset:
    """A dataset, in memory or with its pixels in a file.

    Attributes:
        name: the name by which a TrainConfig asks for it.
        class_names: one for each label, in the order of the labels.
        train, test: what may be trained on, and what may not.
        val: validation images where the source brings its own, else None.
        mean, std: of the training images' channels, each in [0, 1], length C.
        unreadable: files that could not be decoded, each with its reason.
        copies: files whose picture is another file's too, each with that.
        version: another one for each change of a person's files, wherever they lie; "" where there is but one.
    """

    name: str
    class_names: tuple[str, ...]
    train: ImageSet
    test: ImageSet
    mean: tuple[float, ...]
    std: tuple[float, ...]
    val: ImageSet | None = None
    unreadable: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    version: str = ""

    @property
    def in_channels(self) -> int:
        """1 for grey images, 3 for colour."""
        return self.train.images.shape[1]

    @property
    def image_size(self) -> int:
        """Width and height of the images in pixels."""
        return self.train.images.shape[-1]

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(in_channels, image_size, num_classes): what a network for these images is built from."""
        return self.in_channels, self.image_size, self.num_classes

    @property
    def image_bytes(self) -> int:
        """How much memory the images take, or would."""
        parts = (self.train, self.test, self.val)
        return sum(part.images.shape.numel() for part in parts if part is not None)

    @property
    def in_file(self) -> bool:
        """Whether the images are read from a file, batch by batch, because they are larger than the memory budget."""
        return in_file(self.train.images)

    def splits(self, config: TrainConfig) -> Splits:
        """Part the images as ``config`` says: its seed draws the validation images, each class its share."""
        train, val = self.train, self.val
        if val is None:
            train, val = stratified_split(train, config.validation_fraction, config.seed)
        if config.train_images:
            generator = torch.Generator().manual_seed(config.seed)
            train = train.select(torch.randperm(len(train), generator=generator)[: config.train_images])
        if len(train) == 0:
            raise DatasetError(f"No training images are left of {self.name}: lower the validation fraction.")
        return Splits(train, val, self.test)


def stratified_split(images: ImageSet, fraction: float, seed: int) -> tuple[ImageSet, ImageSet]:
    """Part ``images`` into (rest, held out), with ``fraction`` in [0, 1) of each class held out.

    Both parts keep the source's order. The share of each class is rounded, and a class keeps at least one image
    in the rest. Images with keys are drawn by these: where some come or go, hardly any other changes its part, and
    those of one key are not parted, unless all of a class have the same.
    """
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(images), dtype=torch.bool)
    for label in range(int(images.labels.max()) + 1 if len(images) else 0):
        members = (images.labels == label).nonzero().flatten()
        count = max(0, min(round(len(members) * fraction), len(members) - 1))
        if images.keys is None:
            order = torch.randperm(len(members), generator=generator)
        else:
            order = torch.tensor(_by_chance(images.keys[members], seed), dtype=torch.int64)
            keys = images.keys[members[order]]
            borders = (keys[1:] != keys[:-1]).nonzero().flatten() + 1
            if count and len(borders):
                count = int(borders[(borders - count).abs().argmin()])
        held[members[order[:count]]] = True
    return images.select((~held).nonzero().flatten()), images.select(held.nonzero().flatten())


def _by_chance(keys: Tensor, seed: int) -> list[int]:
    """The places of ``keys`` (int64 [N]) in an order that ``seed`` shuffles, in which two stand alike whatever the
    others are: by their hashes.
    """
    hashes = [sha256(f"{seed} {key}".encode()).digest() for key in keys.tolist()]
    return sorted(range(len(keys)), key=hashes.__getitem__)


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of ``images`` (uint8 [N, C, H, W]), in units of 255.

    Exact, from the 256 counts of grey values; a constant channel gets a deviation of 1 so that it can be divided by.
    """
    counts = torch.zeros(images.shape[1], 256, dtype=torch.int64)
    for part in fetched(images, in_chunks(images)):
        for channel, count in enumerate(counts):
            count += torch.bincount(part[:, channel].flatten(), minlength=256)
    means, stds = [], []
    values = torch.arange(256, dtype=torch.float64) / 255
    for count in counts:
        share = count.double()
        share /= share.sum()
        mean = (share * values).sum()
        variance = (share * (values - mean) ** 2).sum()
        means.append(round(mean.item(), 6))
        stds.append(round(variance.sqrt().item(), 6) or 1.0)
    return tuple(means), tuple(stds)


def make_dataset(name: str, class_names: tuple[str, ...], train: ImageSet, test: ImageSet) -> ImageDataset:
    """An ImageDataset with the statistics of ``train``."""
    mean, std = channel_statistics(train.images)
    return ImageDataset(name, class_names, train, test, mean, std)


def image_set(images: Tensor, labels: Tensor, first_id: int = 0) -> ImageSet:
    """An ImageSet whose ids count from ``first_id``."""
    images = images.contiguous(memory_format=torch.channels_last)  # as batches want them
    return ImageSet(images, labels.long(), torch.arange(first_id, first_id + len(labels)))
