"""How good a network is, in one look: a sentence with its interval, and the figures beside a blind baseline's."""

import streamlit as st

from cnnlab.evaluation.scores import TOP, Scores, baseline
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.ui import words
from cnnlab.ui.evaluate.choice import Subject


def headline(subject: Subject) -> None:
    """The sentence and six figures, each with the baseline's below it where it has one."""
    found = subject.evaluation.scores
    blind = baseline(subject.evaluation.labels, len(subject.names))
    low, high = found.interval
    images = words.images(found.count, SPLIT_NAMES[subject.evaluation.split])
    st.markdown(
        f"**{words.percent(found.accuracy)}** of {images} {'is' if found.count == 1 else 'are'} recognised "
        f"({found.correct:,}). By chance of the draw, that share may lie between **{words.percent(low)}** "
        f"and **{words.percent(high)}** (Wilson, 95 %)."
    )
    tiles = _figures(found, blind, len(subject.names))
    with st.grid(len(tiles), min_column_width=150):
        for label, value, other, help in tiles:
            beside = f"baseline {other}" if other else None
            st.metric(
                label, value, beside, delta_color="off", delta_arrow="off", border=True, height="stretch", help=help
            )


def _figures(found: Scores, blind: Scores, classes: int) -> list[tuple[str, str, str | None, str]]:
    percent = words.percent
    figures = [
        (
            "Accuracy",
            percent(found.accuracy),
            percent(blind.accuracy),
            f"{found.correct:,} right of {found.count:,}. The baseline never looks: its probabilities are always the "
            "classes' shares of these images, so it answers the most frequent class.",
        ),
        ("Loss", words.loss(found.loss), words.loss(blind.loss), "Mean cross-entropy; lower is better."),
        (
            "Balanced accuracy",
            percent(found.balanced_accuracy),
            percent(blind.balanced_accuracy),
            "Mean accuracy of the classes: each counts alike, however many images it has.",
        ),
        ("Macro F1", percent(found.macro_f1), percent(blind.macro_f1), "Mean F1 of the classes."),
        (
            f"Top-{TOP} accuracy",
            percent(found.top3),
            percent(blind.top3),
            f"How often the true class is among the {TOP} most probable.",
        ),
        (
            "Calibration error",
            percent(found.calibration_error),
            None,  # the baseline's is 0: it takes its confidence from the answers
            "How far its confidence lies from its accuracy, on average over 15 bins (ECE). 0 is honest.",
        ),
    ]
    return figures if classes > TOP else [figure for figure in figures if not figure[0].startswith("Top-")]
