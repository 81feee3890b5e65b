"""A visitor's files arrive whole, within bounds, behind a key; what else is sent ends in one sentence."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.applications import Starlette

from cnnlab.prediction.sources import MOST_FILES
from cnnlab.ui import inbox as inboxes
from cnnlab.ui.inbox import Inbox, InboxError, find_inbox, receive
from cnnlab.ui.server import ROUTES

FILES = (("a.png", b"first"), ("more/é.png", b""), ("b.png", bytes(range(256)) * 9))


def packed(files: Any = FILES, listing: bytes | None = None) -> bytes:
    """The body that drop.js sends."""
    said = json.dumps([(name, len(content)) for name, content in files]).encode() if listing is None else listing
    return len(said).to_bytes(4) + said + b"".join(content for _, content in files)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What ``coroutine`` gives, in a loop of its own: the browser tests' may be running in this thread."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, coroutine).result()


def received(body: bytes, size: int = 1 << 16) -> inboxes.Files:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return run(receive(chunks()))


def asked(path: str, body: bytes, method: str = "POST") -> tuple[int, str]:
    """Status and text of the server's answer."""
    answers: list[dict[str, Any]] = []
    pieces: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": body}])

    async def hear() -> dict[str, Any]:
        return next(pieces, {"type": "http.disconnect"})

    async def say(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    run(Starlette(routes=ROUTES)(scope, hear, say))
    return answers[0]["status"], b"".join(a.get("body", b"") for a in answers[1:]).decode()


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 16])
def test_files_arrive_however_their_bytes_are_cut(size: int):
    assert received(packed(), size) == FILES


def test_they_take_the_place_of_those_before_and_tell_a_new_number():
    inbox = Inbox()
    assert asked(f"/lab/inbox/{inbox.key}", packed()) == (200, "1")
    assert inbox.files == FILES and inbox.size == 5 + 9 * 256
    assert asked(f"/lab/inbox/{inbox.key}", packed(FILES[:1])) == (200, "2")
    assert inbox.files == FILES[:1] and inbox.size == 5


def test_nobody_reads_through_the_key_and_no_other_key_opens():
    inbox = Inbox()
    inbox.put(FILES)
    assert len(inbox.key) >= 32 and inbox.key != Inbox().key
    assert asked(f"/lab/inbox/{inbox.key}", b"", "GET")[0] == 405
    assert asked("/lab/inbox/guessed", packed()) == (404, "This page has lost its server: load it again.")


def test_its_memory_goes_with_its_last_reference():
    inbox = Inbox()
    key = inbox.key
    assert find_inbox(key) is inbox
    del inbox
    gc.collect()
    assert find_inbox(key) is None


class Sessions:
    """What is asked of Streamlit's runtime: ``looks`` tells whether a session's tab is open, look by look."""

    def __init__(self, looks: dict[str, list[bool]]) -> None:
        self.looks, self.closed = looks, list[str]()

    def is_active_session(self, session_id: str) -> bool:
        looks = self.looks[session_id]
        return looks.pop(0) if len(looks) > 1 else looks[0]

    def close_session(self, session_id: str) -> None:
        self.closed.append(session_id)
        self.looks[session_id] = [True]


def test_a_session_with_files_ends_when_its_tab_stays_closed_not_when_it_comes_back(monkeypatch: pytest.MonkeyPatch):
    sessions = Sessions({"open": [True], "back": [True, False, True], "closed": [True, False], "empty": [False]})
    held = [Inbox(session_id) for session_id in sessions.looks]
    for inbox in held[:3]:
        inbox.put(FILES)
    monkeypatch.setattr(inboxes, "LOOK", 0.001)
    monkeypatch.setattr(inboxes.runtime, "get_instance", lambda: sessions)

    async def watched() -> None:
        watch = asyncio.create_task(inboxes.end_left_sessions())
        await asyncio.sleep(0.3)
        watch.cancel()

    run(watched())
    assert sessions.closed == ["closed"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "did not arrive whole"),
        (packed()[:-1], "did not arrive whole"),
        (packed() + b"more", "did not arrive whole"),
        (b"\xff\xff\xff\xff", "names are too long"),
        (packed((), b"no JSON"), "did not arrive as they were sent"),
        (packed((), b"[1, 2]"), "did not arrive as they were sent"),
        (packed((), b'[["a.png", 1e999]]'), "did not arrive as they were sent"),
        (packed((), b"[" * 100_000), "did not arrive as they were sent"),
        (packed((), b'[["a.png", -1], ["b.png", 1]]'), "more than 500 MB"),
        (packed((), b'[["a.png", 600000000]]'), "more than 500 MB"),
        (packed([("a.png", b"")] * (MOST_FILES + 1)), "more than 10,000 files"),
    ],
)
def test_anything_else_is_refused_in_one_sentence_and_what_was_held_stays(body: bytes, sentence: str):
    inbox = Inbox()
    inbox.put(FILES)
    status, said = asked(f"/lab/inbox/{inbox.key}", body)
    assert status == 413 and sentence in said and said.count(".") == 1
    assert inbox.files == FILES and inboxes._arriving == 0


def test_what_goes_on_and_on_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inboxes, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(inboxes, "MOST_LISTING", 1 << 10)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield bytes(1 << 16)

    with pytest.raises(InboxError, match="more than 1 MB"):
        run(receive(endless()))
    assert sent < 2 << 20 and inboxes._arriving == 0


def test_a_full_server_says_so(monkeypatch: pytest.MonkeyPatch):
    full, other = Inbox(), Inbox()
    full.put((("a.png", bytes(4000)),))
    monkeypatch.setattr(inboxes, "MOST_IN_ALL", 5000)
    assert "try again in some minutes" in asked(f"/lab/inbox/{other.key}", packed())[1]
    full.put(())
    assert asked(f"/lab/inbox/{other.key}", packed()) == (200, "1")
