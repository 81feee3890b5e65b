"""How much memory a dataset's images may take; a larger one stays in a file and is read by the batch.

>>> memory_budget() // 2**30                                  # doctest: +SKIP
3
"""

import os
from pathlib import Path

from cnnlab.datasets.error import DatasetError

SHARE = 0.25  # of the machine's memory: the app and a training each hold the dataset, and both need more than that
UNKNOWN = 8 << 30  # bytes, where the system does not tell
LIMIT = Path("/sys/fs/cgroup/memory.max")  # what a container may take, in bytes, or "max"


def memory_budget() -> int:
    """Bytes of images that are held in memory: ``CNNLAB_MEMORY_GB`` × 2³⁰, else a quarter of the machine's memory.

    Raises DatasetError where the setting is no number above 0.
    """
    text = os.environ.get("CNNLAB_MEMORY_GB", "").strip()
    if not text:
        return int(SHARE * machine_memory())
    try:
        budget = int(float(text) * 2**30)
    except (ValueError, OverflowError):
        budget = 0
    if budget <= 0:
        raise DatasetError(f"CNNLAB_MEMORY_GB = {text} is not allowed: give a number of gigabytes above 0, such as 4.")
    return budget


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container in which we run, has."""
    if not hasattr(os, "sysconf"):  # Windows does not tell in this way
        return UNKNOWN
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(LIMIT.read_text()))
    except (OSError, ValueError):
        return memory
