"""Evaluate: a run, a checkpoint and its images in the sidebar; how good it is and where it fails on the page."""

import streamlit as st

from cnnlab.ui.evaluate_advice import next_steps
from cnnlab.ui.evaluate_calibration import calibration_view
from cnnlab.ui.evaluate_choice import choose
from cnnlab.ui.evaluate_classes import classes_view
from cnnlab.ui.evaluate_confusion import confusion_view
from cnnlab.ui.evaluate_curves import curves_view
from cnnlab.ui.evaluate_headline import headline
from cnnlab.ui.evaluate_images import images_view
from cnnlab.ui.evaluate_takeaway import takeaway_view

VIEWS = {
    "Confusion": confusion_view,
    "Classes": classes_view,
    "Images": images_view,
    "Calibration": calibration_view,
    "Curves": curves_view,
    "Take away": takeaway_view,
}

st.title("Evaluate", anchor=False)
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
    )
    VIEWS[view](subject)
