"""Network: a network in the sidebar; what it is made of and how it learns on the page."""

import streamlit as st

from cnnlab.ui.address import ask_again, expect_one_of, tell_refused
from cnnlab.ui.history import follow_history
from cnnlab.ui.network.anatomy import anatomy_view
from cnnlab.ui.network.build import forget_build
from cnnlab.ui.network.calculator import calculator_view
from cnnlab.ui.network.choice import choose
from cnnlab.ui.network.classics import classics_view
from cnnlab.ui.network.code import code_view
from cnnlab.ui.network.flow import flow_view
from cnnlab.ui.network.step import step_view

VIEWS = {
    "Anatomy": anatomy_view,
    "Flow": flow_view,
    "One training step": step_view,
    "Calculator & quiz": calculator_view,
    "Classics": classics_view,
    "Code": code_view,
}
APART = ("Calculator & quiz", "Classics")  # which have something to say without the sidebar's network, too


def _went(address: dict[str, str]) -> None:
    ask_again(address)
    forget_build()


expect_one_of("network.view", VIEWS)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Network", anchor=False, width="content")
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Anatomy",
        required=True,
        key="network.view",
        label_visibility="collapsed",
        persist_state="session",
        bind="query-params",
    )
subject = choose()
if subject or view in APART:
    VIEWS[view](subject)
tell_refused()
follow_history("network", _went)
