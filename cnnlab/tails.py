"""The ends of long files, without reading what lies before.

>>> tail(Path("no such log"))
''
"""

import os
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 16  # bytes read at a time when looking for a line


def tail(path: Path, lines: int = 200) -> str:
    """The last lines of a log; nothing where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - max(CHUNK, 200 * lines)))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


def lines_from_the_end(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, the last first; what follows the last newline is still being written."""
    try:
        with path.open("rb") as file:
            position, buffer, whole = file.seek(0, os.SEEK_END), b"", False
            while position > 0:
                size = min(CHUNK, position)
                position -= size
                file.seek(position)
                buffer, *lines = (file.read(size) + buffer).split(b"\n")
                for line in reversed(lines):
                    if whole:
                        yield line
                    whole = True
            if whole:
                yield buffer
    except FileNotFoundError:
        return
