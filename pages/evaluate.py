"""Evaluate: a run, a checkpoint and its images in the sidebar; how good it is and where it fails on the page."""

import streamlit as st

from cnnlab.ui.address import ask_again, tell_refused
from cnnlab.ui.evaluate.advice import next_steps
from cnnlab.ui.evaluate.calibration import calibration_view
from cnnlab.ui.evaluate.choice import choose
from cnnlab.ui.evaluate.classes import classes_view
from cnnlab.ui.evaluate.confusion import confusion_view
from cnnlab.ui.evaluate.feature_map import feature_map_view
from cnnlab.ui.evaluate.headline import headline
from cnnlab.ui.evaluate.images import images_view
from cnnlab.ui.evaluate.one_image import image_dialog
from cnnlab.ui.evaluate.ranking import curves_view
from cnnlab.ui.evaluate.takeaway import takeaway_view
from cnnlab.ui.history import follow_history

VIEWS = {
    "Confusion": confusion_view,
    "Classes": classes_view,
    "Images": images_view,
    "Feature map": feature_map_view,
    "Calibration": calibration_view,
    "Curves": curves_view,
    "Take away": takeaway_view,
}

with st.container(horizontal=True, vertical_alignment="center"):  # as high as on the other pages
    st.title("Evaluate", anchor=False, width="content")
if subject := choose():
    headline(subject)
    next_steps(subject)
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Confusion",
        required=True,
        key="evaluate.view",
        label_visibility="collapsed",
        persist_state="session",
        bind="query-params",
    )
    VIEWS[view](subject)
    image_dialog(subject)
tell_refused()
follow_history("evaluate", ask_again)
