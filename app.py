"""The dashboard: ``streamlit run app.py``.

Streamlit meets this file twice. The server imports it once, to find ``app``: routes and warm-up. Then it runs it as
a script for every visit, and the script only routes to a page.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    from cnnlab.ui.server import ROUTES, warm_up

    app = st.App(__file__, lifespan=warm_up, routes=ROUTES)
else:
    st.set_page_config(page_title="CNN Lab", page_icon="🔬", layout="wide", initial_sidebar_state="expanded")
    st.navigation(
        [
            st.Page("pages/train.py", title="Train", icon=":material/model_training:", default=True),
            st.Page("pages/evaluate.py", title="Evaluate", icon=":material/fact_check:"),
        ]
    ).run()
