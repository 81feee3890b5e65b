"""Formulas as a table: in letters, and with the numbers put in."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.explain.formulas import Formula, letters_of
from cnnlab.ui import words


def formula_table(formulas: Sequence[Formula]) -> None:
    """Show ``formulas`` row by row, and below them what the letters mean."""
    rows = [
        f"| {f.name} | {words.plain(f.symbols)} | {words.plain(f.numbers)} = **{f.value:,}** {f.unit} |"
        for f in formulas
    ]
    st.markdown("\n".join(["| | Formula | With the numbers put in |", "|---|---|---|", *rows]))
    if letters := letters_of(formulas):
        st.caption(letters)
