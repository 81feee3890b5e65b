"""Rules of style for what Streamlit draws, beyond its theme.

>>> style("[data-testid=stBidiComponentIsolated] { clip-path: inset(0); }")      # doctest: +SKIP
"""

import streamlit as st

# Streamlit puts an element of style alone where toasts are, and each toast takes its place: so it has a mark beside it,
# which takes none.
MARK = "<span class='lab-style'></span>"
NO_PLACE = "[data-testid=stElementContainer]:has(.lab-style) { position: absolute; }"


def style(rules: str) -> None:
    """Apply CSS ``rules`` to the page for as long as this is drawn."""
    st.html(f"<style>{NO_PLACE} {rules}</style>{MARK}")
