"""What a training process asks of its machine: how many threads compute, and that freed memory stays at hand.

::

    prepare_process(dataset, config)            # once, before engine.fit
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.distributed.ranks import world_size

THREADS = torch.get_num_threads()
_computing = threading.Lock()
SMALL_STEP = 10_000_000  # multiply-adds forward, half a millisecond: several threads would wait more than they compute

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
GIB = 1 << 30
NO_MEMORY = (  # as a GPU's and a CPU's allocator, that on Windows and oneDNN say it
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "could not create a memory",
)


def lacks_memory(error: Exception) -> bool:
    """Whether ``error`` says that this machine, or its GPU, has not enough memory left."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY)


def memory_sentence(error: Exception) -> str | None:
    """What to say, and what to try, where an ``error`` of a question to a network is that; None for any other."""
    if not lacks_memory(error):
        return None
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    way = " Or compute without the GPU: set CUDA_VISIBLE_DEVICES to nothing." if "CUDA" in reason else ""
    return f"There is not enough memory left ({reason}). Try again when the trainings here have ended.{way}"


def prepare_process(dataset: ImageDataset, config: TrainConfig) -> None:
    """Make this process ready to train; what a CPU computes depends on :func:`thread_count` alone."""
    torch.set_num_threads(thread_count(config, *dataset.shape))
    keep_freed_memory()
    torch.backends.cudnn.benchmark = True  # a GPU's convolutions try their ways once, and take the fastest


def thread_count(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> int:
    """How many threads compute: one for small steps. What is summed up depends on it to the last bit, so it follows
    from ``config`` and is never timed.
    """
    shape, batch = (in_channels, image_size, num_classes), config.batch_size // world_size()
    if batch * models.count_parameters(models.outline(config, *shape)) >= SMALL_STEP:  # each is used at least once
        return THREADS
    network = models.unfilled(config, *shape)  # an outline's answers would import a compiler
    return 1 if batch * models.multiply_adds(network, in_channels, image_size) < SMALL_STEP else THREADS


@contextmanager
def computing_threads(number: int) -> Iterator[None]:
    """Inside the ``with``, ``number`` threads compute, and afterwards THREADS; who comes here meanwhile waits.

    The number is one for the whole process, but a thread that began during the ``with`` of another goes on to read
    that one's: what is read is not what to go back to.
    """
    with _computing:
        torch.set_num_threads(number)
        try:
            yield
        finally:
            torch.set_num_threads(THREADS)


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed for the next step; False where there is no glibc or it declined.

    Otherwise each step's activations, some MB, go back to the system and are claimed anew, page by page: thousands of
    page faults, a quarter of the step's time and more (benchmarks/README.md). The peak is the same.
    """
    if not sys.platform.startswith("linux") or os.environ.get("LD_PRELOAD"):  # somebody chose another malloc
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, GIB) for name in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD))
