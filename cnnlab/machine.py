"""What a training process asks of its machine: how many threads compute, and that freed memory stays at hand.

::

    settle(state, dataset, config)            # once, before engine.fit
"""

import ctypes
import os
import sys

import torch

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.distributed.ranks import world_size
from cnnlab.engine import TrainState

THREADS = torch.get_num_threads()
SMALL_STEP = 10_000_000  # multiply-adds forward, half a millisecond: several threads would wait more than they compute

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
GIB = 1 << 30


def settle(state: TrainState, dataset: ImageDataset, config: TrainConfig) -> None:
    """Make this process ready to train ``state``; what it computes does not depend on it but for :func:`threads`."""
    torch.set_num_threads(threads(state, dataset, config))
    keep_freed_memory()


def threads(state: TrainState, dataset: ImageDataset, config: TrainConfig) -> int:
    """How many threads compute: one for small steps. What is summed up depends on it to the last bit, so it follows
    from ``config`` and is never timed.
    """
    work = models.multiply_adds(state.model, dataset.in_channels, dataset.image_size)
    return 1 if config.batch_size // world_size() * work < SMALL_STEP else THREADS


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed for the next step; False where there is no glibc or it declined.

    Otherwise each step's activations, some MB, go back to the system and are claimed anew, page by page: thousands of
    page faults, a quarter of the step's time and more (benchmarks/README.md). The peak is the same.
    """
    if not sys.platform.startswith("linux") or os.environ.get("LD_PRELOAD"):  # somebody chose another malloc
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, GIB) for name in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD))
