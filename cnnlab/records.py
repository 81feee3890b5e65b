"""The records of a run's metrics: which lines hold one.

>>> record_of(b'{"event": "step", "step": 1}\\n'), record_of(b'{"event": "st')
({'event': 'step', 'step': 1}, None)
"""

import json
from typing import Any

PROGRESS = ("step", "eval", "epoch")
"""The records that tell of a step; they alone have one."""


def record_of(line: bytes) -> dict[str, Any] | None:
    """The record that a line of the metrics holds; None where it is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if is_record(record) else None


def is_record(found: Any) -> bool:
    """Whether what was ``found`` in the metrics is a record: its event is named, and its step where it has one."""
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        return False
    return found["event"] not in PROGRESS or isinstance(found.get("step"), int)


def mark_of(event: str | None) -> bytes:
    """What stands in the line of a record of the kind ``event``, or of any: to pass over others unread."""
    return f'"event": "{event}"'.encode() if event else b"{"
