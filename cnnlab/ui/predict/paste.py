"""A picture from the clipboard, where the browser gives it: by Ctrl+V anywhere on the page, or by the button."""

import base64
from typing import Any

from cnnlab.ui.component import component

MOST = 20 << 20  # bytes of a pasted picture

_component = component(__file__)


def pasted() -> tuple[int, bytes] | None:
    """The number (later ones are larger) and the content of what was pasted last, or None."""
    result: Any = _component(data={"most": MOST}, key="predict.paste", height="content", on_picture_change=lambda: None)
    picture = result.get("picture")
    try:
        content = base64.b64decode(picture["content"].partition(",")[2], validate=True)
        number = int(picture["number"])
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    return (number, content) if len(content) <= MOST else None
