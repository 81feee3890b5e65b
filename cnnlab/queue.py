"""The queue: at most so many trainings at a time in one folder of runs; others wait their turn in order.

A place in the queue is a lock file that its process holds, and so is a slot: both are free again when the process
ends, however it ends::

    with turn(runs_dir(), waiting_for=lambda ahead: print(f"{ahead} before me"), give_up=run.stop_requested) as slot:
        if slot is not None: ...
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cnnlab.locks import is_held

ASK_AGAIN = 0.2  # seconds


def most_at_a_time() -> int:
    """How many trainings may run at a time: ``CNNLAB_MAX_TRAININGS``, else 1; raises ValueError for no such number."""
    text = os.environ.get("CNNLAB_MAX_TRAININGS") or "1"
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"CNNLAB_MAX_TRAININGS = {text} is not allowed: give a whole number from 1 on, such as 1.")
    return int(text)


def more_wait(count: int) -> str:
    """So many wait, too, in words, such as ``1 more waits``; empty for none."""
    return f"{count} more wait{'' if count > 1 else 's'}" if count else ""


def before_this(ahead: int) -> str:
    """How many wait before one in the queue, in words; empty for none."""
    return f"{more_wait(ahead)} before this one" if ahead else ""


@contextmanager
def turn(runs: Path, waiting_for: Callable[[int], None], give_up: Callable[[], bool]) -> Iterator[int | None]:
    """Wait for a slot and hold it inside the ``with``; gives its number, None where ``give_up()`` became true before.

    ``waiting_for`` is told how many wait ahead whenever that changes.
    """
    folder = runs / ".queue"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "counting"):
        number = max(map(_number, folder.glob("ticket-*")), default=0) + 1  # not by clocks, which differ
        ticket = FileLock(folder / f"ticket-{number}")
        ticket.acquire()
    try:
        slot = _wait(folder, number, waiting_for, give_up)
    finally:
        Path(ticket.lock_file).unlink(missing_ok=True)
        ticket.release()
    try:
        yield _number(Path(slot.lock_file)) if slot else None
    finally:
        if slot:
            slot.release()


def _number(ticket_or_slot: Path) -> int:
    return int(ticket_or_slot.name.split("-")[1])


def _wait(
    folder: Path, number: int, waiting_for: Callable[[int], None], give_up: Callable[[], bool]
) -> FileLock | None:
    told = -1
    while not give_up():
        ahead = sum(_is_waiting(other) for other in folder.glob("ticket-*") if _number(other) < number)
        if ahead == 0 and (slot := _free_slot(folder)):
            return slot
        if ahead != told:
            waiting_for(ahead)
            told = ahead
        time.sleep(ASK_AGAIN)
    return None


def _is_waiting(ticket: Path) -> bool:
    if is_held(ticket):
        return True
    ticket.unlink(missing_ok=True)  # its process died while it waited
    return False


def _free_slot(folder: Path) -> FileLock | None:
    for number in range(most_at_a_time()):
        slot = FileLock(folder / f"slot-{number}")
        try:
            slot.acquire(blocking=False)
            return slot
        except Timeout:
            continue
    return None
