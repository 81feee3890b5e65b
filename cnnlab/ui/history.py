"""The browser's Back and Forward between the views and settings of one page.

Streamlit runs the page again with the former address, but to the script that looks as if a widget had been used while
an address was still on its way. So the browser itself says that somebody went through its history.

>>> follow_history("train", open_settings, default=True)                 # doctest: +SKIP
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

import streamlit as st

from cnnlab.ui.component import component

_component = component(__file__)


def follow_history(page: str, went: Callable[[dict[str, str]], None], default: bool = False) -> None:
    """Call ``went`` with what an address says that the browser goes back or forward to; shows nothing itself.

    ``page`` is the page's name in the address, which the ``default`` page need not have. The script runs after it.
    """
    key = f"{page}.history"

    def tell() -> None:
        if key in st.session_state:  # else another page has been opened since
            went(dict(parse_qsl(str(st.session_state[key].went or "").removeprefix("?"), keep_blank_values=True)))

    _component(data={"own": [page, ""] if default else [page]}, key=key, height="content", on_went_change=tell)
