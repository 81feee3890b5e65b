"""Each class in a table, and everything about the one that is chosen."""

import pandas as pd
import streamlit as st

from cnnlab.metrics import ClassScore, Interval
from cnnlab.ui import words
from cnnlab.ui.address import asked, write
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.gallery import gallery

CLASS = "evaluate.class"
HALF = 485  # pixels of width
SORTS = ("Mistaken for another", "Others taken for it", "Recognised")


def classes_view(subject: Subject) -> None:
    """The table of all classes on the left, the chosen class on the right."""
    scores = subject.evaluation.per_class
    worst = min(range(len(scores)), key=lambda c: 2.0 if (a := scores[c].accuracy) is None else a)
    if asked(CLASS, subject.names.index, worst) >= len(scores):  # it was chosen among others
        st.session_state[CLASS] = worst
    chosen = st.session_state[CLASS]
    write(CLASS, subject.names[chosen] if chosen != worst else None)
    with st.container(horizontal=True):  # where there is no room for both, the class goes below
        with st.container(width=HALF):
            _table(subject, scores)
        with st.container(width=HALF):
            _one_class(subject, scores)


def open_class(label: int) -> None:
    """Show all about the class ``label``."""
    st.session_state[CLASS] = label
    st.session_state["evaluate.view"] = "Classes"


def _table(subject: Subject, scores: list[ClassScore]) -> None:
    table = pd.DataFrame(
        {
            "Class": [s.name for s in scores],
            "Accuracy": [words.hundredfold(s.accuracy) for s in scores],
            "Right": [s.correct for s in scores],
            "Images": [s.total for s in scores],
            "Precision": [words.hundredfold(s.precision) for s in scores],
            "F1": [words.hundredfold(s.f1) for s in scores],
        }
    )
    st.caption("Choose a row to look into its class; a column's head sorts.")
    key = f"evaluate.classes.{subject.id}"
    percent = st.column_config.NumberColumn(format="%.2f %%")
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(scores) <= 20 else 700,
        key=key,
        on_select=lambda: _chosen(key),
        selection_mode="single-row",
        placeholder="–",
        column_config={
            "Accuracy": st.column_config.ProgressColumn(
                format="%.2f %%",
                min_value=0,
                max_value=100,
                help="Share of the class's images that are recognised (recall).",
            ),
            "Precision": percent,
            "F1": percent,
        },
    )


def _chosen(key: str) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        st.session_state[CLASS] = rows[0]


def _one_class(subject: Subject, scores: list[ClassScore]) -> None:
    label = st.selectbox(
        "Class",
        range(len(scores)),
        format_func=subject.names.__getitem__,
        key=CLASS,
        persist_state="session",
    )
    score = scores[label]
    name = words.plain(score.name)
    if not score.total:
        st.info(f"None of these images is of class {name}: its accuracy is unknown.", icon=":material/inbox:")
    if not score.claimed:
        st.info(f"{name} was never predicted: its precision is unknown.", icon=":material/block:")
    with st.container(horizontal=True):
        _figure("Accuracy", score.accuracy, score.accuracy_interval, f"{score.correct:,} of {score.total:,} recognised")
        _figure(
            "Precision",
            score.precision,
            score.precision_interval,
            f"right in {score.correct:,} of {score.claimed:,} answers",
        )
        _figure("F1", score.f1, score.f1_interval, "harmonic mean of both")
    counts = subject.evaluation.confusion
    here, there = st.columns(2)
    with here:
        _neighbours("It is taken for", counts[label].tolist(), label, subject)
    with there:
        _neighbours("Taken for it", counts[:, label].tolist(), label, subject)
    sort = st.segmented_control(
        "Images",
        SORTS,
        default=SORTS[0],
        required=True,
        key="evaluate.sort",
        label_visibility="collapsed",
        persist_state="session",
        bind="query-params",
    )
    e = subject.evaluation
    mine, claimed = e.labels == label, e.predicted == label
    places = e.surest({SORTS[0]: mine & ~claimed, SORTS[1]: claimed & ~mine, SORTS[2]: mine & claimed}[sort])
    if len(places):
        st.caption(f"{len(places):,} image{'s' if len(places) > 1 else ''}, the surest answer first.")
        gallery(
            subject,
            places,
            "evaluate.class.images",
            name=f"{subject.names[label]}, {sort.lower()}",
        )
    else:
        st.caption("No image.")


def _figure(label: str, value: float | None, interval: Interval, count: str) -> None:
    st.metric(
        label,
        words.percent(value),
        interval.percent if value is not None else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=f"{count[0].upper()}{count[1:]}; below, the 95 % interval (Wilson).",
    )


def _neighbours(title: str, counts: list[int], label: int, subject: Subject) -> None:
    st.markdown(f"**{title}**")
    others = sorted(((n, c) for c, n in enumerate(counts) if n and c != label), reverse=True)
    if not others:
        st.caption("No other class.")
        return
    table = pd.DataFrame({"Class": [subject.names[c] for _, c in others], "Images": [n for n, _ in others]})
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(others) <= 4 else 178,
        column_config={
            "Images": st.column_config.ProgressColumn(format="%d", min_value=0, max_value=max(n for n, _ in others))
        },
    )
