"""No network yet: one click trains the first, in seconds."""

import streamlit as st

from cnnlab import launch, recipes
from cnnlab.paths import runs_dir
from cnnlab.runs import LIVE, Run, RunError, list_runs
from cnnlab.ui import words
from cnnlab.ui.navigation import PAGES
from cnnlab.ui.train.status import end_message
from cnnlab.ui.train.views import open_run


def offer_training() -> None:
    """Offers to train the first recipe, and shows how far it is; the page opens by itself when there is a network."""
    runs = list_runs(runs_dir())
    live = next((run for run in runs if run.state() in LIVE), None)
    if live:
        _wait(live.path.name)
        return
    if runs:
        _tell(runs[0])
    st.info("There is no trained network yet, so there is nobody to ask.", icon=":material/model_training:")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Train one now", type="primary", icon=":material/play_arrow:", key="predict.train", width="content"
        )
        st.caption("A small network learns the built-in handwritten digits: about ten seconds, nothing to download.")
    st.page_link(PAGES / "train.py", label="Choose the training yourself", icon=":material/tune:")
    if pressed:
        with st.spinner("Starting the training …"):
            try:
                launch.start(recipes.get(recipes.FIRST_RECIPE).config, recipes.FIRST_RECIPE, runs_dir())
            except RunError as error:
                st.error(words.plain(str(error)), icon=":material/error:")
                return
        st.rerun()


def _tell(run: Run) -> None:
    """Why the last training left no network behind."""
    try:
        run.facts()
    except RunError as error:
        st.warning(words.plain(str(error)), icon=":material/folder_off:")
        return
    st.error(
        f"**{words.plain(run.name)}** has left no network. {words.plain(end_message(run))}", icon=":material/error:"
    )
    if st.button("Open the run", icon=":material/open_in_new:", key="predict.failed", type="tertiary"):
        open_run(run.id)
        st.switch_page(PAGES / "train.py")


@st.fragment(run_every=0.5)
def _wait(run_id: str) -> None:
    run = Run(runs_dir() / run_id)
    record = run.last_record("epoch")
    if run.state() not in LIVE or (record and run.recipe != recipes.FIRST_RECIPE):
        st.rerun()
    epochs = run.config.epochs
    done = record["epoch"] if record else 0
    said = f"{words.plain(run.name)}: epoch {done} of {epochs}"
    if record and record.get("val/accuracy") is not None:
        said += f", {100 * record['val/accuracy']:.1f} % of the validation images are recognised"
    st.progress(done / epochs, said)
    st.caption(
        f"The page opens {'when it is done' if run.recipe == recipes.FIRST_RECIPE else 'after its first epoch'}."
    )
