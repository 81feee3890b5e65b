"""Locks that a process holds for as long as it lives: alive or not is asked of them, never guessed from a number.

>>> is_held(Path("no such lock"))
False
"""

import sys
from pathlib import Path

from filelock import FileLock, Timeout


def is_held(lock: Path) -> bool:
    """Whether a living process holds ``lock``. Askers don't disturb each other, nor the process."""
    if sys.platform == "win32":
        try:
            FileLock(lock).acquire(blocking=False).lock.release()
        except Timeout:
            return True
        return False
    import fcntl

    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that two askers don't meet each other
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
