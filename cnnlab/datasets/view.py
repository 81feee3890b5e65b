"""Some of the images of a store that several splits share: nothing is copied until it is asked for.

>>> store = torch.arange(8, dtype=torch.uint8).view(4, 1, 1, 2)
>>> ImageView(store, torch.tensor([2, 0]))[:].flatten().tolist()
[4, 5, 0, 1]
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnlab.datasets.mapped import MappedImages

READERS = 4  # threads, for a disk answers several at a time faster; more of them would wait for each other
CHUNK = 1 << 24  # 16 MiB of images are copied to a device at a time

Index = int | slice | Tensor | NDArray[np.int64]


def picked(images: Tensor, index: Tensor) -> Tensor:
    """``images[index]`` ([N, C, H, W], at best in channels-last order), in channels-last order.

    Whole images are copied, ten times as fast as ``images[index]`` copies value by value.
    """
    _, channels, height, width = images.shape
    rows = images.permute(0, 2, 3, 1).flatten(1).index_select(0, index)
    return rows.view(len(index), height, width, channels).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class ImageView:
    """The images at ``places`` (int64 [N]) of ``store`` (uint8 [S, C, H, W], in memory or in a file)."""

    store: Tensor | MappedImages
    places: Tensor

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Index) -> Tensor:
        """A copy of the images at ``index``: uint8 [M, C, H, W], or [C, H, W] for a single one."""
        places = self.places[index]
        if isinstance(self.store, MappedImages) or places.dim() == 0:
            return self.store[places]
        return picked(self.store, places)

    @property
    def shape(self) -> torch.Size:
        """[N, C, H, W]."""
        return torch.Size([len(self), *self.store.shape[1:]])

    @property
    def device(self) -> torch.device:
        """Where the images lie; the CPU for those in a file."""
        return self.places.device

    @property
    def in_file(self) -> bool:
        """Whether the images lie in a file."""
        return isinstance(self.store, MappedImages)

    def to(self, device: torch.device) -> "Images":
        """The images on ``device``; those in a file stay there, and batches are sent."""
        if self.in_file or device.type == "cpu":
            return self
        sent = torch.empty(self.shape, dtype=torch.uint8, device=device, memory_format=torch.channels_last)
        for part in in_chunks(self):
            sent[part] = self[part].to(device)
        return sent


Images = Tensor | ImageView
"""uint8 [N, C, H, W]: a tensor, or a view that gives one when it is indexed."""


def view(images: Images, index: Tensor | slice) -> Images:
    """The images at ``index`` of ``images``, without copying them."""
    if isinstance(images, ImageView):
        return ImageView(images.store, images.places[index])
    if isinstance(index, slice):
        return images[index]
    return ImageView(images, torch.arange(len(images), device=images.device)[index])


def in_file(images: Images) -> bool:
    """Whether ``images`` lie in a file."""
    return isinstance(images, ImageView) and images.in_file


def in_chunks(images: Images) -> list[slice]:
    """Slices that cover ``images``, each of about 16 MiB."""
    step = max(1, CHUNK // max(1, images.shape[1:].numel()))
    return [slice(start, start + step) for start in range(0, len(images), step)]


def fetched(images: Images, parts: Iterable[Tensor | slice]) -> Iterator[Tensor]:
    """``images[part]`` for each of ``parts``, in order; from a file they are read ahead in the background."""
    if not in_file(images):
        yield from (_taken(images, part) for part in parts)
        return
    waiting: deque[Future[Tensor]] = deque()
    readers = ThreadPoolExecutor(READERS, "reader")
    try:
        for part in parts:
            waiting.append(readers.submit(images.__getitem__, part))
            if len(waiting) > READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        readers.shutdown(cancel_futures=True)


def _taken(images: Images, part: Tensor | slice) -> Tensor:
    return picked(images, part) if isinstance(images, Tensor) and isinstance(part, Tensor) else images[part]
