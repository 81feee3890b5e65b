"""A bar that shows how far something slow is, also what a cached function does.

>>> with progress() as show:                                              # doctest: +SKIP
...     images = _decoded(name, show)  # its argument is called _show: no part of what the cache goes by
"""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from cnnlab.datasets.download import Progress


@contextmanager
def progress() -> Iterator[Progress]:
    """Gives a Progress; its bar comes with the first report, where the page is now, and goes at the end.

    What a cached function draws, Streamlit draws again at each hit, every report of it. The bar is drawn as from here,
    outside of the function.
    """
    here, slots = contextvars.copy_context(), list[Any]()

    def draw(task: str, done: int, total: int) -> None:
        if not slots:
            slots.append(st.empty())
        slots[0].progress(done / total if total else 0.0, f"{task} …" + (f" {100 * done // total} %" if total else ""))

    try:
        yield lambda task, done, total: here.run(draw, task, done, total)
    finally:
        if slots:
            here.run(slots[0].empty)
