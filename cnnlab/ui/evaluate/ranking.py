"""Precision–recall and ROC of chosen classes, each against the rest."""

import pandas as pd
import streamlit as st

from cnnlab.evaluation.ranking import FIRST, Ranking, hardest, in_corner, ranking
from cnnlab.figures.ranking import LINES, ranking_figure
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.plot import plot


def curves_view(subject: Subject) -> None:
    """The curves of the chosen classes and the areas below them."""
    by_f1 = hardest(subject.evaluation.per_class)
    if not by_f1:
        st.info(
            "All these images are of one class: there is nothing to tell it from. Take another split.",
            icon=":material/inbox:",
        )
        return
    chosen = st.multiselect(
        "Classes",
        sorted(by_f1),
        sorted(by_f1[:FIRST]),
        format_func=subject.names.__getitem__,
        max_selections=len(LINES),
        key=f"evaluate.ranked.{subject.id}",
        persist_state="session",
        help="At first those with the lowest F1.",
    )
    found = {c: r for c in chosen if (r := _ranking(subject, c))}
    if not found:
        st.info("Choose a class to see its curves.", icon=":material/show_chart:")
        return
    curves = {subject.names[c]: (r.precision_recall, r.roc) for c, r in found.items()}
    corner = st.toggle(
        "Enlarge the corner",
        in_corner(found.values()),
        key=f"evaluate.corner.{subject.id}",
        persist_state="session",
        help="Shows 90 to 100 % alone, where the curves of a good network differ.",
    )
    alt = f"Precision–recall and ROC curves of {', '.join(curves)}; the table below tells the areas."
    plot(ranking_figure(curves, corner), subject.title("Precision, recall and ROC"), "evaluate.ranking", alt=alt)
    _areas(subject, found)


def _ranking(subject: Subject, label: int) -> Ranking | None:
    e = subject.evaluation
    return ranking(e.probabilities[:, label], e.labels == label)


def _areas(subject: Subject, found: dict[int, Ranking]) -> None:
    table = pd.DataFrame(
        {
            "Class": [subject.names[c] for c in found],
            "Average precision": [r.average_precision for r in found.values()],
            "ROC AUC": [r.roc_area for r in found.values()],
            "Images": [r.positives for r in found.values()],
        }
    )
    number = st.column_config.NumberColumn(format="%.4f")
    columns = {"Average precision": number, "ROC AUC": number}
    st.dataframe(table, hide_index=True, column_config=columns, key="evaluate.areas")
