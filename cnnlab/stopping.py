"""How a training hears that it is to stop: by a signal, or by a wish that somebody left on the disk.

>>> NowAndThen(lambda: True)()
True
"""

import math
import signal
import sys
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer, get_ident
from types import FrameType

INTERRUPTED = 130  # an exit status, as shells call it
IMPORTING = 0.01  # seconds until a Ctrl-C amid an import is tried again
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
    """Ctrl-C, SIGTERM and the end of a terminal call ``stop``, which is to end the training after its step; a second
    Ctrl-C ends it at once.

    A scheduler and ``torchrun`` may both send SIGTERM to the same process: once is meant. ``nohup`` is minded.
    """
    received: list[int] = []

    def handle(number: int, frame: object) -> None:
        received.append(number)
        if received.count(signal.SIGINT) > 1:
            raise KeyboardInterrupt
        stop()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
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


def _interrupt(thread: int) -> None:
    """Ctrl-C for ``thread``, the main one: it also ends what that waits for, such as a read."""
    if sys.platform == "win32":
        interrupt_main()
    else:
        signal.pthread_kill(thread, signal.SIGINT)


@contextmanager
def imports_uninterrupted() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, as ever, but amid an import only once that is done.

    There the C code of PyTorch and NumPy swallows it, or leaves a module half made.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                again = Timer(IMPORTING, _interrupt, [get_ident()])
                again.daemon = True
                again.start()
                return
            frame = frame.f_back
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # it is ignored, or the caller deals with it
        yield
        return
    try:
        signal.signal(signal.SIGINT, handle)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
