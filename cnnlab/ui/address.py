"""What a page's address holds beside what its widgets bind themselves, and a word on what it cannot use.

>>> first = asked("quiz.round", int, 0)                                  # doctest: +SKIP
>>> write("quiz.round", "3")                                             # doctest: +SKIP
"""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import streamlit as st

from cnnlab.ui import words
from cnnlab.ui.navigation import PAGE, just_entered

T = TypeVar("T")
WRONG, OPENED, ASKED = "address.wrong", "address.opened", "address.asked"  # each followed by the page


def asked(key: str, read: Callable[[str], T], first: T) -> T:
    """The session's value of ``key``: on its first use what the address says, by ``read``, else ``first``.

    ``read`` raises ValueError for a text that cannot be used.
    """
    st.session_state.setdefault(_here(ASKED), set()).add(key)
    if key not in st.session_state:
        st.session_state[key] = first
        text = st.query_params.get(key)
        try:
            st.session_state[key] = first if text is None else read(text)
        except (ValueError, RecursionError):  # as of lists in lists in lists
            refuse(key)
    value: T = st.session_state[key]
    return value


def ask_again(address: Mapping[str, str]) -> None:
    """The browser went back or forward to ``address``: what it says otherwise is asked for anew."""
    for key in st.session_state.get(_here(ASKED), ()):
        if st.session_state.get(f"{key}.written") != address.get(key):
            st.session_state.pop(key, None)


def write(key: str, text: str | None) -> None:
    """Put ``text`` into the address, or take it out with None.

    Only what is new is written, or all on coming to the page: an address that the browser went back to stays.
    """
    mark = f"{key}.written"
    if st.query_params.get(key) != text and (st.session_state.get(mark) != text or just_entered()):
        if text is None:
            del st.query_params[key]
        else:
            st.query_params[key] = text
    st.session_state[mark] = text


def expect_one_of(key: str, labels: Collection[str]) -> None:
    """Before the bound widget ``key`` is drawn: refuse what the address says if it is none of its ``labels``."""
    if _here(OPENED) not in st.session_state and st.query_params.get(key, next(iter(labels))) not in labels:
        refuse(key)


def expect_truth(key: str) -> None:
    """Before the bound toggle ``key`` is drawn: refuse what the address says if it is neither true nor false."""
    if _here(OPENED) not in st.session_state and st.query_params.get(key, "true").lower() not in ("true", "false"):
        refuse(key)


def expect_number(key: str, low: float, high: float) -> None:
    """Before the bound widget ``key`` is drawn: refuse what the address says if it is no number from low to high.

    Where ``low`` is an int, the number must be whole.
    """
    if _here(OPENED) not in st.session_state and key in st.query_params:
        try:
            number = float(st.query_params[key])
            usable = low <= number <= high and (isinstance(low, float) or number.is_integer())
        except ValueError:
            usable = False
        if not usable:
            refuse(key)


def refuse(key: str) -> None:
    """Remember that what the address says of ``key`` cannot be used."""
    st.session_state.setdefault(_here(WRONG), []).append(f"{key}={st.query_params[key]}")


def tell_refused() -> None:
    """At the page's end: one sentence on all that was refused."""
    st.session_state[_here(OPENED)] = True
    if wrong := st.session_state.pop(_here(WRONG), None):
        st.toast(f"The address holds what cannot be used: {words.plain(' '.join(wrong))}", icon=":material/link_off:")


def _here(what: str) -> str:
    """The session's key of ``what`` is known of this page's address."""
    return f"{what}.{st.session_state.get(PAGE)}"
