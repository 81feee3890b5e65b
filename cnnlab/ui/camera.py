"""A photograph by the browser's camera, or why there can be none.

>>> taken = camera("Hold it before the camera", "predict.camera")              # doctest: +SKIP
>>> withheld("http://localhost:8501/predict")
>>> withheld("http://lab.school/predict")
'The browser gives its camera to pages over https alone, and this came over http from lab.school: upload a photograph.'
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

HERE = ("localhost", "127.0.0.1", "::1")


def camera(label: str, key: str, on_change: Callable[[], None] | None = None) -> Any:
    """The camera, and what was taken: a file, or None; a sentence in its place where the browser withholds it."""
    if why := withheld(st.context.url or ""):
        st.warning(why, icon=":material/no_photography:")
        return None
    return st.camera_input(label, key=key, on_change=on_change)


def withheld(url: str) -> str | None:
    """Why the browser gives no camera to the page at ``url``; None if it does (W3C, Secure Contexts)."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname in HERE:
        return None
    return (
        f"The browser gives its camera to pages over https alone, and this came over http from {address.hostname}: "
        "upload a photograph."
    )
