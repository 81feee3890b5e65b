"""The browser's Back and Forward between the Train page's views and settings.

Streamlit runs the page again with the former address, but to the script that looks as if a widget had been used while
an address was still on its way. So the browser itself says that somebody went through its history.
"""

from urllib.parse import parse_qsl

import streamlit as st

from cnnlab.ui.component import component
from cnnlab.ui.navigation import PAGES
from cnnlab.ui.train.settings_address import open_settings
from cnnlab.ui.train.views import open_address

KEY = "train.history"

_component = component(__file__)


def follow_history() -> None:
    """Open what an address says that the browser goes back or forward to; shows nothing itself."""
    others = [page.stem for page in PAGES.glob("*.py") if page.stem != "train"]
    _component(data={"others": others}, key=KEY, height="content", on_went_change=_went)


def _went() -> None:
    if KEY not in st.session_state:  # another page has been opened since
        return
    asked = dict(parse_qsl(str(st.session_state[KEY].went or "").removeprefix("?"), keep_blank_values=True))
    if "recipe" in asked:
        open_settings(asked)
    if "view" in asked:
        open_address(asked)
