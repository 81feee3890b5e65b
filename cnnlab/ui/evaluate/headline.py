"""How good a network is, in one look: a sentence with its interval, and the figures beside a blind baseline's."""

import streamlit as st

from cnnlab.evaluation.headline import measures
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.ui import words
from cnnlab.ui.evaluate.choice import Subject


def headline(subject: Subject) -> None:
    """The sentence and six figures, each with the baseline's below it where it has one."""
    found = subject.evaluation.scores
    low, high = found.interval
    images = words.images(found.count, SPLIT_NAMES[subject.evaluation.split])
    st.markdown(
        f"**{words.percent(found.accuracy)}** of {images} {'is' if found.count == 1 else 'are'} recognised "
        f"({found.correct:,}). 95 % confidence interval: **{words.percent(low)}** to **{words.percent(high)}** "
        "(Wilson)."
    )
    tiles = measures(subject.evaluation)
    with st.grid(len(tiles), min_column_width=150):
        for tile in tiles:
            st.metric(
                tile.label,
                tile.value,
                f"baseline {tile.baseline}" if tile.baseline else None,
                delta_color="off",
                delta_arrow="off",
                border=True,
                height="stretch",
                help=tile.help,
            )
