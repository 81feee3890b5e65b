"""Which of how many processes this is, as ``torchrun`` says it in the environment; read without torch.

>>> rank(), world_size()                                              # doctest: +SKIP
(0, 1)
"""

import os


def world_size() -> int:
    """How many processes were started together, on all hosts; 1 without ``torchrun``."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process among them, from 0 on. Rank 0 owns the run folder."""
    return int(os.environ.get("RANK", "0")) if world_size() > 1 else 0


def local_rank() -> int:
    """The number of this process among those on this host, from 0 on: which GPU it takes."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_world_size() -> int:
    """How many of the processes are on this host."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
