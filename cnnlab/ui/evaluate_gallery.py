"""Chosen images, a page at a time as one composed picture: predicted (true), how sure, and the image's id."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.figures.gallery import GAP, gallery_figure
from cnnlab.figures.style import RIGHT, WRONG
from cnnlab.ui import words
from cnnlab.ui.evaluate_choice import Subject

CELL = 100  # pixels of an image on the screen
QUIET = {"displayModeBar": False, "staticPlot": True}


def gallery(subject: Subject, places: NDArray[np.int64], key: str, columns: int = 4, rows: int = 4) -> None:
    """The images at ``places`` (int64 [M]) of the split, in that order."""
    if subject.images is None:
        st.warning(subject.no_images, icon=":material/hide_image:")
        return
    size = columns * rows
    pages = -(-len(places) // size)
    page = st.pagination(pages, key=f"{key}.page.{subject.id}") if pages > 1 else 1
    shown = places[(page - 1) * size : page * size]
    images = subject.images.images[shown].numpy()
    right = subject.evaluation.right[shown].tolist()
    st.plotly_chart(
        gallery_figure(
            images,
            [caption(subject, int(place)) for place in shown],
            columns,
            CELL,
            [RIGHT if good else WRONG for good in right],
        ),
        key=f"{key}.gallery",
        width=columns * (CELL + GAP),
        config=QUIET,
        alt="; ".join(caption(subject, int(place)).replace("<br>", ", ") for place in shown),
    )


def caption(subject: Subject, place: int) -> str:
    """``✗ 9 (4)`` below it how sure, and the image's id."""
    e = subject.evaluation
    sign = "✓" if e.right[place] else "✗"
    predicted, true = (_short(subject.names[c]) for c in (e.predicted[place], e.labels[place]))
    return f"{sign} {predicted} ({true})<br>{words.sure(e.confidence[place])}<br>#{e.ids[place]}"


def _short(name: str) -> str:
    return name if len(name) <= 8 else name[:7] + "…"
