"""Where data and runs lie: ``./data`` and ``./runs``, unless the environment says otherwise.

>>> data_dir(), runs_dir()                                    # doctest: +SKIP
(PosixPath('/home/me/cnnlab/data'), PosixPath('/home/me/cnnlab/runs'))
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def data_dir() -> Path:
    """The folder of datasets: ``CNNLAB_DATA``, else ``./data``. It need not exist."""
    return Path(os.environ.get("CNNLAB_DATA") or "data").expanduser().resolve()


def runs_dir() -> Path:
    """The folder of runs: ``CNNLAB_RUNS``, else ``./runs``. It need not exist."""
    return Path(os.environ.get("CNNLAB_RUNS") or "runs").expanduser().resolve()


def cache_dir() -> Path:
    """Where decoded images are kept: ``CNNLAB_CACHE``, else ``cache`` in the folder of datasets."""
    override = os.environ.get("CNNLAB_CACHE")
    return Path(override).expanduser().resolve() if override else data_dir() / "cache"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, which takes its place once all is written; until then nobody sees a part.

    The folder is made. Raises OSError where nothing can be written; what was written is then gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
