"""The script behind every visit: it only routes to a page.

It lies apart from ``app.py`` because Streamlit takes a ``pages`` folder beside a script for its own, older navigation:
whoever opened a page's address on a fresh server would see that page alone.
"""

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab.ui.styles import style

PAGES = Path(__file__).resolve().parents[2] / "pages"
PAGE, ENTERED = "navigation.page", "navigation.entered"
BOUND = ("Network", "Evaluate", "Predict")  # their widgets keep themselves in the address
# Streamlit shows the button that closes the sidebar to a mouse above it alone: keys and fingers never reach it. The
# chosen word of a switch or of tabs, and a slider's value, have the colour of what frames them, too faint for words
# on dark. A switch without room hides its end. And a button without a frame that breaks its lines stands in a list.
RULES = """
[data-testid=stSidebarCollapseButton] { visibility: visible; }
:is([data-testid=stButtonGroup] [aria-checked=true], [data-testid=stTab], [data-testid=stSliderThumbValue]) {
    color: inherit !important;
}
[data-testid=stButtonGroup] [role=radiogroup] { flex-wrap: wrap; }
[data-testid=stBaseButton-tertiary] { text-align: left; }
"""
LOGO = Path(__file__).with_name("logo.svg")  # Sobel's kernel; its colours show on light and dark


def navigate() -> None:
    """Show the menu, and run the page that was asked for."""
    st.set_page_config(page_title="CNN Lab", page_icon="🔬", layout="wide", initial_sidebar_state="auto")
    style(RULES)
    st.logo(LOGO, size="large")
    page = st.navigation(
        [
            st.Page(PAGES / "filters.py", title="Filters", icon=":material/filter_center_focus:"),
            st.Page(PAGES / "network.py", title="Network", icon=":material/schema:"),
            st.Page(PAGES / "train.py", title="Train", icon=":material/model_training:", default=True),
            st.Page(PAGES / "evaluate.py", title="Evaluate", icon=":material/fact_check:"),
            st.Page(PAGES / "predict.py", title="Predict", icon=":material/draw:"),
        ]
    )
    st.set_page_config(page_title=f"{page.title} · CNN Lab")
    st.session_state[ENTERED] = st.session_state.get(PAGE) != page.title
    st.session_state[PAGE] = page.title
    if page.title in BOUND:
        _keep_address(page.title)
    try:
        page.run()
    except (RuntimeError, MemoryError) as error:
        from cnnlab.machine import memory_sentence  # these bring torch, as what failed has
        from cnnlab.ui import words

        if not (sentence := memory_sentence(error)):
            raise
        st.error(words.plain(sentence), icon=":material/error:")


def _keep_address(page: str) -> None:
    """Bring the address of the last visit to ``page`` back at once: each widget by itself would make it a step of the
    browser's history. Where Back led here, Streamlit has reset the widgets by the address as it was: they read it anew.
    """
    kept = f"navigation.address.{page}"
    if not just_entered():
        st.session_state[kept] = st.query_params.to_dict()
    elif not st.query_params and (address := st.session_state.get(kept)):
        st.query_params.update(address)
        context = get_script_run_ctx()
        if context and context.is_history_navigation:
            st.rerun()


def just_entered() -> bool:
    """Whether this is the first run of a visit to the page: its address holds what led there, and no more."""
    return bool(st.session_state.get(ENTERED, True))


if __name__ == "__main__":
    navigate()
