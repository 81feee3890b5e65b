"""Chosen images, a page at a time as one composed picture: the answer, how sure, and the image's id.

Each can be clicked, or picked with arrow keys and Enter: it opens large, with the others before and after it.
"""

from functools import lru_cache
from zlib import crc32

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.figures.gallery import GAP, answer_caption, gallery_figure
from cnnlab.figures.style import RIGHT, WRONG, short_names
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.opened import open_image
from cnnlab.ui.plot import plot

CELL = 100  # pixels of an image on the screen


def gallery(
    subject: Subject, places: NDArray[np.int64], key: str, columns: int = 4, rows: int = 4, name: str = "Images"
) -> None:
    """The images at ``places`` (int64 [M], at least one) of the split that pass the filters, in that order."""
    passing = places[subject.shown[places]]
    if len(passing) < len(places):
        st.caption(f":material/filter_alt: {len(passing):,} of these {len(places):,} pass the filters.")
    if subject.images is None:
        st.warning(subject.no_images, icon=":material/hide_image:")
        return
    if not len(passing):
        return
    size = columns * rows
    pages = -(-len(passing) // size)
    # other images have other pages: the key tells them from those that stood here before
    page = (
        st.pagination(pages, key=f"{key}.page.{subject.id}.{crc32(passing.tobytes())}", persist_state="session")
        if pages > 1
        else 1
    )
    shown = passing[(page - 1) * size : page * size]
    figure = gallery_figure(
        subject.images.images[shown].numpy(),
        [caption(subject, int(place)) for place in shown],
        min(columns, len(shown)),
        CELL,
        [RIGHT if good else WRONG for good in subject.evaluation.right[shown].tolist()],
        shown.tolist(),
    )
    plot(
        figure,
        subject.title(name),
        f"{key}.gallery",
        on_pick=lambda place: open_image(subject.id, passing, place),
        alt="; ".join(caption(subject, int(place)).replace("<br>", ", ") for place in shown),
        width=max(2, min(columns, len(shown))) * (CELL + GAP),
    )


_short_names = lru_cache(maxsize=16)(short_names)  # a page of images asks for the same ones


def caption(subject: Subject, place: int) -> str:
    """What stands below the image at ``place``: the answer, how sure, and its id."""
    e = subject.evaluation
    right = bool(e.right[place])
    names = _short_names(subject.names, 14 if right else 7)
    predicted, true = names[e.predicted[place]], names[e.labels[place]]
    return answer_caption(predicted, true, right, float(e.confidence[place]), int(e.ids[place]))
