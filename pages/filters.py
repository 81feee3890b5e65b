"""Filters: a picture and how a kernel moves over it in the sidebar; what that gives on the page."""

import streamlit as st

from cnnlab.ui.address import tell_refused
from cnnlab.ui.filters.chain_view import chain_view
from cnnlab.ui.filters.layer_view import banks_of_runs, layer_view
from cnnlab.ui.filters.one_filter import one_filter
from cnnlab.ui.filters.picture_choice import choose_picture
from cnnlab.ui.filters.settings_form import color_choice
from cnnlab.ui.filters.state import VIEWS, held, key, restore, write_address

restore()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Filters", anchor=False, width="content")
    view = st.segmented_control(
        "View", VIEWS, required=True, key=key("view"), label_visibility="collapsed", persist_state="session"
    )
with st.sidebar:
    chosen = choose_picture()
    st.caption(chosen.sentence)
    learnt = banks_of_runs() if view == "Layer" else {}
    color = view != "Chain" and color_choice(held("bank") in learnt)
if view == "Chain":
    chain_view(chosen)
elif view == "Layer":
    layer_view(chosen, color, learnt)
else:
    one_filter(chosen, color)
write_address()
tell_refused()
