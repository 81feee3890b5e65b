"""Train: settings in the sidebar; set up, watch and find runs on the page."""

import streamlit as st

from cnnlab.paths import runs_dir
from cnnlab.runs import list_runs
from cnnlab.ui.history import follow_history
from cnnlab.ui.train.form import config_form
from cnnlab.ui.train.run_actions import open_question
from cnnlab.ui.train.run_view import run_view
from cnnlab.ui.train.runs_view import runs_view
from cnnlab.ui.train.settings_address import open_settings, restore_form, write_address
from cnnlab.ui.train.setup_view import setup_view
from cnnlab.ui.train.sweeps_view import sweeps_view
from cnnlab.ui.train.views import current_view, open_address, restore_view, view_address, view_switch


def _went(asked: dict[str, str]) -> None:
    if "recipe" in asked:
        open_settings(asked)
    open_address(asked)


restore_form()
restore_view()
config_form()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Train", anchor=False, width="content")
    view_switch()
runs = list_runs(runs_dir())
write_address(view_address(runs))

{"New run": setup_view, "Run": run_view, "All runs": runs_view, "Sweeps": sweeps_view}[current_view()](runs)
open_question()
follow_history("train", _went, default=True)
