"""Fetch a file with progress and a checked checksum: all of it or nothing.

>>> fetch("https://example.org/a.gz", Path("a.gz"), md5="…", on_progress=print)     # doctest: +SKIP
"""

import hashlib
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from cnnlab.datasets.error import DatasetError
from cnnlab.paths import written_whole

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, how much is done, how much there is; 0 where unknown)."""

CHUNK = 1 << 18  # 256 KiB: a few reports a second on a slow line
TIMEOUT = 20  # seconds without an answer


def silent(task: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


def fetch(url: str, path: Path, md5: str, on_progress: Progress = silent) -> None:
    """Download ``url`` to ``path``; the file appears only when it is whole and its MD5 is ``md5``.

    Raises DatasetError with a sentence where the network, the server or the checksum says no.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with written_whole(path) as part:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response, part.open("wb") as file:
                total, done = int(response.headers.get("Content-Length") or 0), 0
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    on_progress(f"Downloading {path.name}", done, total)
            if done < total:
                raise OSError(f"it ended after {done:,} of {total:,} bytes")
            if (found := digest.hexdigest()) != md5:
                raise DatasetError(f"{url} has the checksum {found}, not {md5}: it is damaged or was changed.")
    except (OSError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise DatasetError(f"{url} could not be downloaded ({reason}).") from error
