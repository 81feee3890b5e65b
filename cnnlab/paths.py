"""Where data and runs lie: ``./data`` and ``./runs``, unless the environment says otherwise.

>>> data_dir(), runs_dir()                                    # doctest: +SKIP
(PosixPath('/home/me/cnnlab/data'), PosixPath('/home/me/cnnlab/runs'))
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

FOLDER_PREFIX = "folder:"  # before the path of a person's own images, which is a dataset's name


def data_dir() -> Path:
    """The folder of datasets: ``CNNLAB_DATA``, else ``./data``. It need not exist."""
    return expanded(Path(os.environ.get("CNNLAB_DATA") or "data")).resolve()


def runs_dir() -> Path:
    """The folder of runs: ``CNNLAB_RUNS``, else ``./runs``. It need not exist."""
    return expanded(Path(os.environ.get("CNNLAB_RUNS") or "runs")).resolve()


def cache_dir() -> Path:
    """Where decoded images are kept: ``CNNLAB_CACHE``, else ``cache`` in the folder of datasets."""
    override = os.environ.get("CNNLAB_CACHE")
    return expanded(Path(override)).resolve() if override else data_dir() / "cache"


def folder_path(dataset: str) -> Path:
    """The folder that a dataset's name such as ``folder:~/flowers`` means."""
    return expanded(Path(dataset.removeprefix(FOLDER_PREFIX)))


def expanded(path: Path) -> Path:
    """``path`` with a leading ``~`` replaced by the home folder that it means, if it means one."""
    try:
        return path.expanduser()
    except RuntimeError:  # ~nobody
        return path


def refused(path: Path) -> str | None:
    """Why ``path`` is not opened for a person, in a sentence; None if it is.

    ``CNNLAB_FOLDERS`` names the folders, parted as in PATH, that a server for many opens for its visitors; without it
    all are.
    """
    named = os.environ.get("CNNLAB_FOLDERS")
    if not named:
        return None
    folders = [folder for folder in named.split(os.pathsep) if folder]
    if any(path.resolve().is_relative_to(expanded(Path(folder)).resolve()) for folder in folders):
        return None
    return f"{path} is not among the folders that this server opens: give one in {' or '.join(folders)}."


def printable(name: str) -> str:
    r"""A file's name for people: bytes that are no letters show as such, ``\udcff``; it can be sent and written."""
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, which takes its place once all is on the disk; nobody sees a part before.

    Threads, processes and hosts may write the same path at once: the last one stays. Raises OSError where nothing can
    be written; what was written is then gone. Others may read it as they may any new file there, though safetensors
    would leave that to its owner.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.touch()
        mode = part.stat().st_mode
        yield part
        part.chmod(mode)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write ``path`` so that a reader sees the old content or the new, never a part; raises OSError."""
    with written_whole(path) as part:
        part.write_bytes(content)


def remove_folder(path: Path) -> None:
    """Remove ``path`` with all that is in it; others may do so at the same time. Raises OSError where it cannot."""
    while path.exists():
        with suppress(FileNotFoundError):  # another took a file from under us
            shutil.rmtree(path)


def numbered(stem: str) -> Iterator[str]:
    """``stem``, ``stem-2``, ``stem-3`` and so on without an end: names to try until one is free."""
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))
