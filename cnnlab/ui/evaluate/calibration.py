"""How honest the confidence is, and what it costs to answer only when sure."""

import pandas as pd
import streamlit as st

from cnnlab.evaluation.calibration import Coverage, coverage, coverage_curve, reliability, unanswered_by_class
from cnnlab.figures.calibration import coverage_figure, reliability_figure
from cnnlab.ui import words
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.plot import plot

HALF = 485  # pixels of width


def calibration_view(subject: Subject) -> None:
    """The reliability diagram on the left, the threshold on the right."""
    with st.container(horizontal=True):  # where there is no room for both, the threshold goes below
        with st.container(width=HALF):
            st.subheader("Is its confidence honest?", anchor=False)
            _reliability(subject)
        with st.container(width=HALF):
            st.subheader("Answer only when sure", anchor=False)
            chosen = _coverage(subject)
    _who_suffers(subject, chosen)


def _reliability(subject: Subject) -> None:
    e = subject.evaluation
    gap = e.scores.accuracy - float(e.confidence.mean())
    kind = "overconfident" if gap < 0 else "underconfident"
    st.caption(
        f"On average it is {words.percent(float(e.confidence.mean()))} sure and {words.percent(e.scores.accuracy)} "
        f"right: {kind}. Points below the dashed line are overconfident; bars are 95 % intervals."
    )
    bins = reliability(e.confidence, e.right)
    told = (
        f"of {b.answers:,} images {b.low:.0%} to {b.high:.0%} sure {words.percent(b.accuracy)} right"
        for b in bins
        if b.answers
    )
    figure = reliability_figure(bins)
    plot(figure, subject.title("Reliability"), "evaluate.reliability", alt=f"Reliability: {'; '.join(told)}.")


def _coverage(subject: Subject) -> Coverage:
    e = subject.evaluation
    st.caption("By the network's own probability. Predict's threshold is about the calibrated one, which may differ.")
    threshold = st.slider(
        "Minimum confidence to answer",
        0,
        100,
        90,
        format="%d %%",
        key="evaluate.threshold",
        persist_state="session",
    )
    chosen = coverage(e.confidence, e.right, threshold / 100)
    if chosen.accuracy is None:
        st.markdown(f"It is never {threshold} % sure: **no image** would get an answer.")
    else:
        st.markdown(
            f"It answers **{words.percent(chosen.share)}** of the images ({chosen.answered:,} of {chosen.total:,}) and "
            f"is right in **{words.percent(chosen.accuracy)}** of those."
        )
    shares, accuracies = coverage_curve(e.confidence, e.right)
    here = (chosen.share, chosen.accuracy) if chosen.accuracy is not None else None
    figure = coverage_figure(shares, accuracies, here)
    alt = "Accuracy by the share of images that are answered; the sentence above tells what the threshold gives."
    plot(figure, subject.title("Answering only when sure"), "evaluate.coverage", alt=alt)
    return chosen


def _who_suffers(subject: Subject, chosen: Coverage) -> None:
    e = subject.evaluation
    silent = unanswered_by_class(e.confidence, e.labels, chosen.threshold, len(subject.names))
    rows = [
        (name, 100 * missing / total, missing, total)
        for name, (missing, total) in zip(subject.names, silent, strict=True)
        if missing
    ]
    if not rows:
        return
    st.subheader("Which classes stay unanswered", anchor=False)
    table = pd.DataFrame(
        sorted(rows, key=lambda row: -row[1]), columns=["Class", "Share unanswered", "Unanswered", "Images"]
    )
    bar = st.column_config.ProgressColumn(format="%.2f %%", min_value=0, max_value=100)
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(rows) <= 20 else 500,
        column_config={"Share unanswered": bar},
        key="evaluate.unanswered",
    )
