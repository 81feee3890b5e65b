"""The dashboard: ``streamlit run app.py``.

The server imports this file to find ``app``, with its routes and warm-up, and then runs the navigation for every visit.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab.ui import navigation

if get_script_run_ctx(suppress_warning=True) is None:
    from cnnlab.ui.server import ROUTES, warm_up

    app = st.App(navigation.__file__, lifespan=warm_up, routes=ROUTES)
else:  # a test runs this file as if it were the script
    navigation.navigate()
