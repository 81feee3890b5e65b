"""What processes tell each other before and beside their training, through the store that ``torchrun`` keeps for them.

A process that waits here does not block: it looks now and then, so that signals reach it and no time-out ends it.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from torch.distributed.rendezvous import rendezvous

from cnnlab.distributed.ranks import world_size

PREFIX = "cnnlab/"  # PyTorch keeps keys of its own beside ours
ASK_AGAIN = 0.05  # seconds
MEETING = 10.0  # seconds to wait for the others at the end


class Lost(RuntimeError):
    """Another process is gone, or the connection to it; the message says what was seen of that."""


@cache
def _store() -> Any:
    store, _, _ = next(iter(rendezvous("env://")))
    return store


def tell(key: str, text: str) -> None:
    """Leave ``text`` under ``key`` for all the others."""
    _store().set(PREFIX + key, text)


def heard(key: str) -> str | None:
    """What was told under ``key``; None where nothing was, or where the store is gone with its host."""
    try:
        return _store().get(PREFIX + key).decode() if _store().check([PREFIX + key]) else None
    except RuntimeError:
        return None


def wait_to_hear(key: str, give_up: Callable[[], bool]) -> str | None:
    """What is told under ``key``, however long it takes; None where ``give_up()`` became true before."""
    while (text := heard(key)) is None:
        if give_up():
            return None
        time.sleep(ASK_AGAIN)
    return text


def meet(name: str) -> None:
    """Wait until all processes came to this point, but not for one that is gone."""
    _store().add(PREFIX + name, 1)
    until = time.monotonic() + MEETING
    while _store().add(PREFIX + name, 0) < world_size() and time.monotonic() < until:
        time.sleep(ASK_AGAIN)
