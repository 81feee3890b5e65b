"""The confusion matrix, clicked or picked by keyboard, beside exactly the images of the chosen cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab.evaluation.confusions import Pair, confused_pairs, similarity_order
from cnnlab.figures.confusion import confusion_figure
from cnnlab.metrics import share_matrix
from cnnlab.ui import words
from cnnlab.ui.address import asked, write
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.classes import open_class
from cnnlab.ui.evaluate.gallery import gallery
from cnnlab.ui.plot import plot

SHOWN = {"count": "Counts", "row": "% of true class", "column": "% of answers"}
WIDE = 30  # classes from which on the matrix takes the page's whole width
MATRIX, IMAGES = 540, 450  # pixels of width elsewhere
MOST_PAIRS = 100  # rows of the list
CELL, OF = "evaluate.cell", "evaluate.of"  # true and predicted class; whose
TRUE, PREDICTED = "evaluate.true", "evaluate.predicted"


def confusion_view(subject: Subject) -> None:
    """The matrix and its images, then the pairs that are confused most."""
    pairs = confused_pairs(subject.evaluation.confusion)
    cell = _chosen(subject, pairs)
    wide = len(subject.names) > WIDE
    with st.container(horizontal=not wide):  # where there is no room for both, the images go below
        with st.container(width="stretch" if wide else MATRIX):
            _matrix(subject, cell, 860 if wide else MATRIX + 40)
        with st.container(width="stretch" if wide else IMAGES):
            _cell(subject, cell, columns=7 if wide else 4)
    st.subheader("Most confused pairs", anchor=False)
    if pairs:
        _pairs(subject, pairs[:MOST_PAIRS])
    else:
        st.success("Not one of these images is taken for another class.", icon=":material/check_circle:")


def choose_cell(true: int, predicted: int) -> None:
    """Open the images of class ``true`` that were taken for ``predicted``."""
    st.session_state[CELL] = true, predicted


def _chosen(subject: Subject, pairs: list[Pair]) -> tuple[int, int]:
    """True and predicted class: by default the most confused pair, or else the fullest cell."""
    largest = int(subject.evaluation.confusion.diagonal().argmax())
    first = (pairs[0].true, pairs[0].predicted) if pairs else (largest, largest)
    cell = asked(CELL, lambda text: _cell_of(text, len(subject.names)), first)
    if st.session_state.setdefault(OF, subject.id) != subject.id:  # it was chosen among others
        cell = first
    st.session_state[OF], st.session_state[CELL] = subject.id, cell
    st.session_state[TRUE], st.session_state[PREDICTED] = cell
    write(CELL, "{},{}".format(*cell) if cell != first else None)
    return cell


def _cell_of(text: str, classes: int) -> tuple[int, int]:
    true, predicted = map(int, text.split(","))
    if not (0 <= true < classes and 0 <= predicted < classes):
        raise ValueError(text)
    return true, predicted


def _matrix(subject: Subject, cell: tuple[int, int], height: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = st.segmented_control(
            "Show",
            list(SHOWN),
            default="count",
            required=True,
            format_func=SHOWN.__getitem__,
            key="evaluate.shown",
            label_visibility="collapsed",
            persist_state="session",
            bind="query-params",
        )
        hide = st.toggle(
            "Errors only",
            key="evaluate.hide",
            persist_state="session",
            bind="query-params",
            help="Leaves the diagonal out.",
        )
        similar = st.toggle(
            "By similarity",
            key="evaluate.similar",
            persist_state="session",
            bind="query-params",
            help="Puts classes side by side that are confused with each other (hierarchical clustering).",
        )
        log = st.toggle(
            "Log colour",
            key="evaluate.log",
            persist_state="session",
            bind="query-params",
            disabled=shown != "count",
            help="Makes small counts visible beside large ones.",
        )
    counts = subject.evaluation.confusion
    figure = confusion_figure(
        counts,
        counts.astype(np.float64) if shown == "count" else share_matrix(counts, shown),
        subject.names,
        similarity_order(counts).tolist() if similar else None,
        "" if shown == "count" else shown,
        hide,
        log,
        cell,
        height,
    )
    plot(
        figure,
        subject.title("Confusion matrix"),
        f"evaluate.matrix.{subject.id}",
        on_pick=lambda cell: choose_cell(*cell),
        on_label=open_class,
        alt="Confusion matrix. The two fields beside it pick a cell, too.",
    )
    st.caption("Click a cell to see its images, the name of a class to see all about it.")


def _cell(subject: Subject, cell: tuple[int, int], columns: int) -> None:
    names, counts = subject.names, subject.evaluation.confusion
    with st.container(horizontal=True):
        _class("True class", names, TRUE)
        _class("Taken for", names, PREDICTED)
    true, predicted = cell
    count, of = int(counts[true, predicted]), int(counts[true].sum())
    here, there = words.plain(names[true]), words.plain(names[predicted])
    if not of:
        st.info(f"None of these images is of class {here}.", icon=":material/inbox:")
    elif not count:
        st.info(f"No {here} was taken for {there}.", icon=":material/inbox:")
    else:
        what = "recognised" if true == predicted else f"taken for {there}"
        st.markdown(
            f"**{count:,}** of {of:,} images of **{here}** {'is' if count == 1 else 'are'} {what} "
            f"({words.percent(count / of)}), the surest answer first."
        )
        gallery(
            subject,
            subject.evaluation.cell(true, predicted),
            "evaluate.cell",
            columns,
            name=f"{names[true]} taken for {names[predicted]}",
        )


def _class(label: str, names: Sequence[str], key: str) -> None:
    st.selectbox(
        label,
        range(len(names)),
        format_func=names.__getitem__,
        key=key,
        on_change=lambda: choose_cell(st.session_state[TRUE], st.session_state[PREDICTED]),
        persist_state="session",
    )


def _pairs(subject: Subject, pairs: list[Pair]) -> None:
    table = pd.DataFrame(
        {
            "True class": [subject.names[p.true] for p in pairs],
            "Taken for": [subject.names[p.predicted] for p in pairs],
            "Images": [p.count for p in pairs],
            "Share of the true class": [100 * p.share for p in pairs],
        }
    )
    st.caption("Choose a row to see its images above.")
    key = f"evaluate.pairs.{subject.id}"
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(pairs) <= 8 else 300,
        key=key,
        on_select=lambda: _pair_chosen(pairs, key),
        selection_mode="single-row",
        column_config={
            "Share of the true class": st.column_config.ProgressColumn(
                format="%.2f %%", min_value=0, max_value=100 * max(p.share for p in pairs)
            )
        },
    )


def _pair_chosen(pairs: list[Pair], key: str) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        choose_cell(pairs[rows[0]].true, pairs[rows[0]].predicted)
