"""Predict: runs in the sidebar; a picture drawn, dropped or chosen, and what the network says to it and why."""

import streamlit as st

from cnnlab.ui.predict.choice import choose
from cnnlab.ui.predict.many import many_view
from cnnlab.ui.predict.one import one_view
from cnnlab.ui.predict.strip import switches_belong_to
from cnnlab.ui.predict.ways import MANY, way_in

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Predict", anchor=False, width="content")
    ways = st.container(horizontal=True, width="content")
if subject := choose():
    with ways:
        way = way_in()
    switches_belong_to(f"{subject.id} {way}")
    if way in MANY:
        many_view(subject, way)
    else:
        one_view(subject, way)
