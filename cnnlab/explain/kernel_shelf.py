"""Kernels that people keep by name, in one JSON file beside the runs.

>>> Shelf(Path("runs/kernels.json")).save(kernel, "My edges")               # doctest: +SKIP
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from cnnlab.explain.kernels import LONGEST_NAME, Kernel, KernelError, make_kernel
from cnnlab.paths import write_whole

MOST = 200  # kernels


@dataclass(frozen=True)
class Shelf:
    """The kernels in ``path``, shared by all who use this server."""

    path: Path

    def kernels(self) -> dict[str, Kernel]:
        """All kernels by name; entries that are none are left out. Raises KernelError if the file cannot be read."""
        try:
            entries = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise KernelError(f"The saved kernels in {self.path} cannot be read ({error}): mend or move it.") from None
        found = {}
        for name, weights in entries.items() if isinstance(entries, dict) else ():
            try:
                found[name] = make_kernel(weights, name)
            except KernelError:
                continue
        return found

    def save(self, kernel: Kernel, name: str) -> Kernel:
        """Keep ``kernel`` as ``name``; raises KernelError where another is called so, which may be somebody else's."""
        name = name.strip()
        if not 1 <= len(name) <= LONGEST_NAME:
            raise KernelError(f"A name has 1 to {LONGEST_NAME} characters, and this has {len(name)}: give another.")
        named = replace(kernel, name=name)

        def added(kept: dict[str, Kernel]) -> dict[str, Kernel]:
            if name in kept and kept[name].text != kernel.text:
                raise KernelError(f"Another kernel is called '{name}' already: give another name, or delete that one.")
            return kept | {name: named}

        self._change(added)
        return named

    def delete(self, name: str) -> None:
        """Take the kernel called ``name`` away, if it is there; raises KernelError."""
        self._change(lambda kept: {other: kernel for other, kernel in kept.items() if other != name})

    def _change(self, change: Callable[[dict[str, Kernel]], dict[str, Kernel]]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                kept = change(self.kernels())
                if len(kept) > MOST:
                    raise KernelError(f"{MOST} kernels are kept already, the most there can be: delete one first.")
                write_whole(self.path, json.dumps({n: kernel.weights.tolist() for n, kernel in kept.items()}).encode())
        except OSError as error:
            raise KernelError(f"The kernels cannot be kept in {self.path} ({error.strerror}): check it.") from error
