"""t-SNE beside the page: a thread of the server computes, any visitor sees how far it is, stops it, and has its result.

>>> start("a key", lambda report: tsne(features, on_progress=report))                   # doctest: +SKIP
>>> find("a key").fraction, find("a key").points          # doctest: +SKIP
(0.4, None)
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from cnnlab.explain.embeddings import Cancelled, Points

MOST = 16  # layouts that are kept, of 5,000 points at most

Report = Callable[[int, int], bool]

_at_work = threading.Semaphore(1)  # each takes all cores
_jobs: OrderedDict[Hashable, "Job"] = OrderedDict()
_starting = threading.Lock()


@dataclass
class Job:
    """A computation under way, or done: ``points`` float32 [N, 2]; or why there are none, ``failure``, a sentence."""

    fraction: float = 0.0
    points: Points | None = None
    failure: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it is still under way."""
        return self.points is None and not self.failure

    def run(self, compute: Callable[[Report], Points]) -> None:
        """Do the work, in the thread that calls, once no other is at work."""

        def report(done: int, total: int) -> bool:
            self.fraction = done / total
            return self.stopped.is_set()

        try:
            while not _at_work.acquire(timeout=0.1):
                if self.stopped.is_set():
                    raise Cancelled
            try:
                self.points = compute(report)
            finally:
                _at_work.release()
        except Cancelled:
            self.failure = "t-SNE was stopped."
        except Exception as error:  # a thread has nobody else to tell
            self.failure = f"t-SNE failed ({error})."


def find(key: Hashable) -> Job | None:
    """The job that was started for ``key``; None where there is none, or it was long ago."""
    return _jobs.get(key)


def start(key: Hashable, compute: Callable[[Report], Points]) -> None:
    """See to it that there is a job for ``key``: one under way or done, or a new one."""
    with _starting:
        if (job := find(key)) and not job.failure:
            return
        job = _jobs[key] = Job()
        _jobs.move_to_end(key)
        while len(_jobs) > MOST:
            _jobs.popitem(last=False)[1].stopped.set()
    threading.Thread(target=job.run, args=(compute,), daemon=True).start()
