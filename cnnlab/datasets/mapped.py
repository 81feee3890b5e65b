"""Images in a file, of which only the rows that are asked for come into memory.

::

    with new_file(path, (1000, 64, 64, 3)) as write:
        for pixels in decoded:
            write(pixels)
    images = MappedImages(path)
    batch = images[torch.tensor([5, 3])]          # uint8 [2, 3, 64, 64]
"""

import mmap
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnlab.datasets.memory import machine_memory
from cnnlab.paths import cache_dir, written_whole

AHEAD = 1 << 20  # bytes that Linux reads ahead at the most when it is asked once
CACHED = 0.5  # share of the machine's memory up to which a file is read ahead, in order: 50 times as fast a row

Rows = np.memmap[Any, np.dtype[np.uint8]]


class MappedImages:
    """Images in a file of uint8 [N, H, W, C], given as [N, C, H, W] in channels-last order.

    What is read stays in the system's cache, which it can take back at any time, though tools count it as this
    process's memory. To let go of it now and then would cost five to fifty times as much as reading.
    """

    def __init__(self, source: Path | Rows) -> None:
        """``source`` is an .npy file or a memory map; raises OSError, ValueError or EOFError for what is neither."""
        self._rows: Rows = np.load(source, mmap_mode="r") if isinstance(source, Path) else source
        self._map: mmap.mmap | None = getattr(self._rows, "_mmap", None)
        count, height, width, channels = self._rows.shape
        self.shape = torch.Size([count, channels, height, width])
        self._row = height * width * channels  # bytes
        self._ahead = count  # the rows from this one on are asked for batch by batch
        self._advise("MADV_RANDOM")  # else each row comes with the 128 KiB and more around it

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: Tensor) -> Tensor:
        """The images at ``places`` (int64 [M], or a single one), in that order. Many threads may ask at a time."""
        if self._ahead < len(self) and len(beyond := places[places >= self._ahead]):
            self._ask_for(np.unique(beyond.numpy()))
        return torch.from_numpy(np.take(self._rows, places.numpy(), axis=0)).movedim(-1, -3)

    def read_ahead(self) -> None:
        """Bring as many of the first rows into the system's cache as it can well hold, in the background."""
        most = int(CACHED * machine_memory())
        self._ahead = most // self._row
        threading.Thread(target=self._bring, args=[0, min(len(self._map or ()), most)], daemon=True).start()

    def _ask_for(self, rows: NDArray[np.int64]) -> None:
        """Have the disk bring all ``rows``, in ascending order, at once; else each would wait for the one before."""
        for neighbours in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            begin, end = int(neighbours[0]) * self._row, int(neighbours[-1] + 1) * self._row
            self._bring(self._rows.offset + begin, self._rows.offset + end)

    def _bring(self, begin: int, end: int) -> None:
        """Have the disk bring these bytes of the file into the system's cache, without waiting for it."""
        for start in range(begin - begin % mmap.PAGESIZE, end, AHEAD):
            self._advise("MADV_WILLNEED", start, min(AHEAD, end - start))

    def _advise(self, advice: str, *part: int) -> None:
        if self._map is not None and hasattr(mmap, advice):  # not on every system
            self._map.madvise(getattr(mmap, advice), *part)


def read_images(path: Path, budget: int) -> Tensor | MappedImages:
    """The images in an .npy file: in memory if they take no more than ``budget`` bytes, else mapped.

    Raises OSError, ValueError or EOFError for a file that is missing or damaged.
    """
    mapped = MappedImages(path)
    if mapped.shape.numel() > budget:
        mapped.read_ahead()
        return mapped
    return torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)


@contextmanager
def new_file(path: Path, shape: tuple[int, int, int, int]) -> Iterator[Callable[[NDArray[np.uint8]], object]]:
    """Write an .npy file of uint8 images of ``shape`` [N, H, W, C], one after the other, by what this gives.

    The file appears when it is whole. Raises OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part, part.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda pixels: file.write(np.ascontiguousarray(pixels).data)


def on_disk(images: Tensor) -> MappedImages:
    """``images`` in a file without a name, which is gone when nothing needs it; raises OSError."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=cache_dir()) as file:
        rows = images.permute(0, 2, 3, 1).contiguous().numpy()
        file.write(rows.data)
        file.flush()
        return MappedImages(np.memmap(file, np.uint8, "r", shape=rows.shape))
