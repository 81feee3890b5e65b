"""Kernels that people keep by name, in one JSON file beside the runs.

>>> Shelf(Path("runs/kernels.json")).save(kernel, "My edges")               # doctest: +SKIP
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from cnnlab.explain.kernels import LONGEST_NAME, Kernel, KernelError, make_kernel
from cnnlab.paths import write_whole

MOST = 200  # kernels
Entries = dict[str, Any]  # name -> weights


@dataclass(frozen=True)
class Shelf:
    """The kernels in ``path``, shared by all who use this server."""

    path: Path

    def kernels(self) -> dict[str, Kernel]:
        """All kernels by name; entries that are none are left out. Raises KernelError if the file cannot be read."""
        return _kernels(self._entries())

    def save(self, kernel: Kernel, name: str) -> Kernel:
        """Keep ``kernel`` as ``name``; raises KernelError where another is called so, which may be somebody else's."""
        name = name.strip()
        if not 1 <= len(name) <= LONGEST_NAME:
            raise KernelError(f"A name has 1 to {LONGEST_NAME} characters, and this has {len(name)}: give another.")

        def added(entries: Entries) -> Entries:
            known = _kernels(entries).get(name)
            if name in entries and (known is None or known.text != kernel.text):
                raise KernelError(f"Another kernel is called '{name}' already: give another name, or delete that one.")
            if name not in entries and len(entries) >= MOST:
                raise KernelError(f"{MOST} kernels are kept already, the most there can be: delete one first.")
            return entries | {name: kernel.weights.tolist()}

        self._change(added)
        return replace(kernel, name=name)

    def delete(self, name: str) -> None:
        """Take the kernel called ``name`` away, if it is there; raises KernelError."""
        self._change(lambda entries: {other: weights for other, weights in entries.items() if other != name})

    def _entries(self) -> Entries:
        """What the file holds, kernels or not; raises KernelError if it cannot be read."""
        try:
            entries = json.loads(self.path.read_text("utf-8"))
            if not isinstance(entries, dict):
                raise ValueError("it holds no JSON object")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise KernelError(f"The saved kernels in {self.path} cannot be read ({error}): mend or move it.") from None
        return entries

    def _change(self, change: Callable[[Entries], Entries]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                write_whole(self.path, json.dumps(change(self._entries())).encode())
        except OSError as error:
            raise KernelError(f"The kernels cannot be kept in {self.path} ({error.strerror}): check it.") from error


def _kernels(entries: Entries) -> dict[str, Kernel]:
    """Those of ``entries`` that are kernels."""
    found = {}
    for name, weights in entries.items():
        with suppress(KernelError):
            found[name] = make_kernel(weights, name)
    return found
