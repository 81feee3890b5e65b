"""A registry: names and what they stand for.

>>> shapes: Registry[str] = Registry("shape")
>>> shapes.add("square", "four equal sides")
>>> shapes.get("square")
'four equal sides'
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Generic, TypeVar

T = TypeVar("T")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown ``name``: `` Did you mean …?`` where it is near a ``known`` one, or ""."""
    near = get_close_matches(name, list(known), 1)
    return f" Did you mean {near[0]}?" if near else ""


class UnknownName(ValueError):
    """A name that a registry does not hold; the message lists those it does."""


class Registry(Generic[T]):
    """Entries by name, in the order in which they were added."""

    def __init__(self, kind: str) -> None:
        """``kind`` is the singular noun that error messages use, such as ``"network"``."""
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> None:
        """Register ``entry`` as ``name``; a name that is taken raises ValueError."""
        if name in self._entries:
            raise ValueError(f"The {self.kind} '{name}' is registered already.")
        self._entries[name] = entry

    def get(self, name: str) -> T:
        """The entry called ``name``; raises UnknownName with the list of known names."""
        if name not in self._entries:
            hint = did_you_mean(name, self)
            raise UnknownName(f"Unknown {self.kind} '{name}'. Available: {', '.join(self)}.{hint}")
        return self._entries[name]

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)
