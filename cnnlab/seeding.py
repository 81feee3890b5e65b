"""Draws from torch's global generator, which is one for all threads of a process, such as the dashboard's visitors.

>>> with seeded(7):
...     first = torch.rand(2)
>>> with seeded(7):
...     assert first.equal(torch.rand(2))
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_drawing = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the ``with`` the generator of the CPU is as after ``torch.manual_seed(seed)``, and no other thread that
    comes here draws from it; afterwards it is as before.
    """
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
