"""Pictures that the browser fetches once, from an address that nobody can guess and that never changes its meaning.

>>> find_picture(keep_picture(b"pixels").rpartition("/")[2]).content
b'pixels'
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from typing import NamedTuple

ROUTE = "/lab/pictures/"
MOST = 200 << 20  # bytes in all


class Kept(NamedTuple):
    """A picture's bytes and their media type."""

    content: bytes
    media_type: str


_salt = secrets.token_bytes(16)  # so that nobody can ask whether the server holds a picture that they know
_kept: OrderedDict[str, Kept] = OrderedDict()
_keeping = threading.Lock()


def keep_picture(content: bytes, media_type: str = "application/octet-stream") -> str:
    """Keep ``content`` and give its address; the longest unused go when there are too many."""
    name = hashlib.sha256(_salt + content).hexdigest()[:32]
    with _keeping:
        _kept[name] = Kept(content, media_type)
        _kept.move_to_end(name)
        while len(_kept) > 1 and sum(len(kept.content) for kept in _kept.values()) > MOST:
            _kept.popitem(last=False)
    return ROUTE + name


def find_picture(name: str) -> Kept | None:
    """What is kept at the address that ends in ``name``, or None."""
    with _keeping:
        return _kept.get(name)
