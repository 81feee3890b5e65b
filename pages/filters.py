"""Filters: a picture and how a kernel moves over it in the sidebar; what that gives on the page."""

import streamlit as st

from cnnlab.ui.filters.chain_view import chain_view
from cnnlab.ui.filters.layer_view import layer_view, learnt
from cnnlab.ui.filters.one_filter import one_filter
from cnnlab.ui.filters.picture_choice import choose_picture
from cnnlab.ui.filters.settings_form import color_choice
from cnnlab.ui.filters.state import VIEWS, key, restore, write_address

restore()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Filters", anchor=False, width="content")
    view = st.segmented_control(
        "View", VIEWS, required=True, key=key("view"), label_visibility="collapsed", persist_state="session"
    )
with st.sidebar:
    chosen = choose_picture()
    st.caption(chosen.sentence)
    color = view != "Chain" and color_choice(view == "Layer" and learnt())
if view == "Chain":
    chain_view(chosen)
else:
    {"One filter": one_filter, "Layer": layer_view}[view](chosen, color)
write_address()
