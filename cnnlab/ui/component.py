"""The pages' own browser code: what ``name.py`` shows is written in name.html, name.css and name.js beside it.

>>> _component = component(__file__)                                      # doctest: +SKIP
>>> _component(data={...}, key="plot", height="content")                  # doctest: +SKIP
"""

from pathlib import Path
from typing import Any

import streamlit as st


def component(module: str, shared: str = "") -> Any:
    """The component whose Python side is the file ``module``; it takes the page's colours as ``var(--st-…)``.

    ``shared`` names a file beside it whose JavaScript comes before its own.
    """
    html, css, js = (Path(module).with_suffix(kind).read_text("utf-8") for kind in (".html", ".css", ".js"))
    js = Path(module).with_name(shared).read_text("utf-8") + js if shared else js
    name = f"cnnlab_{Path(module).stem}"
    return st.components.v2.component(name, html=html, css=css, js=js, isolate_styles=False)
