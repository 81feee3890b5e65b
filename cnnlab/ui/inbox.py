"""What a visitor's browser sends in one request: many files at once, in memory for as long as the visit lasts.

    POST /lab/inbox/<key>     4 bytes: the length of what follows; [[name, bytes], …] as JSON; the contents, end to end

The key cannot be guessed, and nothing is ever read through it. What comes takes the place of what came before.
"""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from streamlit import runtime

from cnnlab.prediction.sources import MOST_FILES

MOST_BYTES = 500 << 20  # of a visitor's files: about 100 photographs
MOST_IN_ALL = 2 << 30  # bytes of all visitors' files, those on their way included
MOST_LISTING = 4 << 20  # bytes of the names and sizes: 400 for each file
LOOK = 55  # seconds between two looks for closed tabs: after 120, Streamlit could not end their sessions any longer

Files = tuple[tuple[str, bytes], ...]
"""(name, content) of each file."""


class InboxError(ValueError):
    """What is not taken; the message is one sentence that says why and what to do."""


class Inbox:
    """Where the files of one visitor arrive: ``files``, and ``number``, which grows with each change.

    The session ``session_id`` holds it, so that its memory is given back when the session ends.
    """

    def __init__(self, session_id: str = "") -> None:
        self.session_id = session_id
        self.key = secrets.token_urlsafe(24)
        self.files: Files = ()
        self.size = 0  # bytes
        self.number = 0
        with _opening:
            _inboxes[self.key] = self

    def put(self, files: Files) -> None:
        """Hold ``files`` instead of what was held."""
        self.files, self.size = files, sum(len(content) for _, content in files)
        self.number += 1


_inboxes: WeakValueDictionary[str, Inbox] = WeakValueDictionary()
_opening = threading.Lock()
_arriving = 0  # bytes of requests that are not read to their end: only the server's event loop counts them


def find_inbox(key: str) -> Inbox | None:
    """The inbox with this key, or None where the visit is over."""
    with _opening:
        return _inboxes.get(key)


async def end_left_sessions() -> None:
    """Go on ending each session that holds files while its tab is closed at two looks, one after the other.

    Streamlit waits two minutes for a tab to come back, and then keeps its session until yet another tab is closed. Once
    it is ended, the next script run gives its memory back.
    """
    left: set[str] = set()
    while True:
        await asyncio.sleep(LOOK)
        with _opening:
            holding = {inbox.session_id for inbox in _inboxes.values() if inbox.size}
        server = runtime.get_instance()
        before, left = left, {session_id for session_id in holding if not server.is_active_session(session_id)}
        for session_id in left & before:
            server.close_session(session_id)


async def receive(chunks: AsyncIterator[bytes]) -> Files:
    """The files in a request's body. Raises InboxError, after the body is read to its end if it is not too long."""
    global _arriving
    seen, refusal, unpacking = 0, "", _Unpacking()
    try:
        async for chunk in chunks:
            seen += len(chunk)
            _arriving += len(chunk)
            if seen > MOST_BYTES + MOST_LISTING:
                raise InboxError(f"There are more than {MOST_BYTES >> 20} MB, the most at a time: choose fewer files.")
            if not refusal:  # else it is only read, for a browser hears no answer before it has sent all
                refusal = _no_room() or unpacking.take(chunk)
    finally:
        _arriving -= seen
    if refusal or not unpacking.complete:
        raise InboxError(refusal or "The files did not arrive whole: choose them again.")
    return tuple(unpacking.files)


def _no_room() -> str:
    with _opening:
        held = sum(inbox.size for inbox in _inboxes.values())
    if held + _arriving <= MOST_IN_ALL:
        return ""
    return f"The server holds {MOST_IN_ALL >> 30} GB of visitors' files, the most it takes: try again in some minutes."


class _Unpacking:
    """The files that a body holds, taken from it as it comes."""

    def __init__(self) -> None:
        self.files: list[tuple[str, bytes]] = []
        self._rest = bytearray()
        self._listing: list[tuple[str, int]] | None = None

    @property
    def complete(self) -> bool:
        """Whether all came that the listing promised, and no more."""
        return self._listing is not None and len(self.files) == len(self._listing) and not self._rest

    def take(self, chunk: bytes) -> str:
        """Go on with ``chunk``; gives why the body is refused, or nothing."""
        self._rest += chunk
        if self._listing is None:
            if len(self._rest) < 4:
                return ""
            end = 4 + int.from_bytes(self._rest[:4])
            if end > MOST_LISTING:
                return "The files' names are too long: choose fewer files."
            if len(self._rest) < end:
                return ""
            try:
                self._listing = _listing(bytes(self._rest[4:end]))
            except InboxError as error:
                return str(error)
            del self._rest[:end]
        self._contents(self._listing)
        return ""

    def _contents(self, listing: list[tuple[str, int]]) -> None:
        start = 0
        with memoryview(self._rest) as view:
            for name, size in listing[len(self.files) :]:
                if start + size > len(view):
                    break
                self.files.append((name, bytes(view[start : start + size])))
                start += size
        del self._rest[:start]


def _listing(text: bytes) -> list[tuple[str, int]]:
    """The names and sizes of the files to come. Raises InboxError."""
    try:
        listing = [(str(name), int(size)) for name, size in json.loads(text)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InboxError("The files did not arrive as they were sent: load the page again.") from None
    if len(listing) > MOST_FILES:
        raise InboxError(f"There are more than {MOST_FILES:,} files, the most at a time: choose fewer.")
    if any(size < 0 for _, size in listing) or sum(size for _, size in listing) > MOST_BYTES:
        raise InboxError(f"There are more than {MOST_BYTES >> 20} MB, the most at a time: choose fewer files.")
    return listing
