"""What lists show of runs: that of a run that has ended is read once, and again when its folder has changed.

>>> summary(run).best_accuracy                                            # doctest: +SKIP
0.9933
"""

from contextlib import suppress
from functools import lru_cache

from cnnlab.runs import Run
from cnnlab.summary import Summary, summarise
from cnnlab.ui.followed import last_records

Written = tuple[tuple[int, int], ...]
"""Of each file that a summary is made of, when it was written, in ns, and its size in bytes."""


def summary(run: Run) -> Summary:
    """The Summary of ``run`` now; raises RunError where its ``config.json`` cannot be read."""
    written = _written(run)  # asked first: of a run that is resumed in between nothing is kept that is looked up again
    return summarise(run, last_records(run)) if run.alive() else _ended(run, written)


@lru_cache(maxsize=2048)  # of about 3 KB each
def _ended(run: Run, written: Written) -> Summary:
    return summarise(run)


def _written(run: Run) -> Written:
    found = []
    for name in ("config.json", "name", "metrics.jsonl"):
        with suppress(OSError):
            file = (run.path / name).stat()
            found.append((file.st_mtime_ns, file.st_size))
    return tuple(found)
