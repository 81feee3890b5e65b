"""Runs' records as they are written: read once, a little at a time, and shared by the routes and all visitors.

>>> with following(run) as reader:                                        # doctest: +SKIP
...     reader.last["epoch"]["val/accuracy"]
0.9933
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cnnlab.curves import CurveReader
from cnnlab.runs import Run

MOST_READERS = 16  # runs whose curves are kept in memory, at most about 0.5 MB each

_readers: OrderedDict[Path, CurveReader] = OrderedDict()
_reading = threading.Lock()


@contextmanager
def following(run: Run) -> Iterator[CurveReader]:
    """The reader of ``run``, up to its last whole record; nobody else reads meanwhile."""
    with _reading:
        reader = _readers.pop(run.path, None) or CurveReader(run)
        _readers[run.path] = reader
        if len(_readers) > MOST_READERS:
            _readers.popitem(last=False)
        reader.read()
        yield reader


def route(run: Run, what: str) -> str:
    """Where the browser asks for ``what`` of ``run``: curves, status or classes; see server."""
    return f"/lab/runs/{quote(run.id, safe='')}/{what}"


def last_records(run: Run) -> dict[str, dict[str, Any]]:
    """The last record of each event of ``run``, without reading all that lies between them again."""
    with following(run) as reader:
        return dict(reader.last)
