"""How a training hears that it is to stop: by a signal, or by a wish that somebody left on the disk.

>>> NowAndThen(lambda: True)()
True
"""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ASK_EVERY = 0.02  # seconds between two looks for a wish to stop, each of which takes some 30 µs of a step


@dataclass
class NowAndThen:
    """Answers what ``ask`` answers, or did at most 20 ms ago, unless it is told to ``forget`` that."""

    ask: Callable[[], bool]
    asked: float = -math.inf
    answer: bool = False

    def __call__(self) -> bool:
        if time.monotonic() - self.asked > ASK_EVERY:
            self.answer, self.asked = self.ask(), time.monotonic()
        return self.answer

    def forget(self) -> None:
        """Ask anew the next time."""
        self.asked = -math.inf


@contextmanager
def signals_request(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call ``stop``, which is to end the training after its step; a second Ctrl-C ends it at once.

    A scheduler and ``torchrun`` may both send SIGTERM to the same process: once is meant.
    """
    received: list[int] = []

    def handle(number: int, frame: object) -> None:
        received.append(number)
        if received.count(signal.SIGINT) > 1:
            raise KeyboardInterrupt
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = {number: signal.signal(number, handle) for number in numbers}
    except ValueError:  # not in the main thread: the caller deals with signals
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
