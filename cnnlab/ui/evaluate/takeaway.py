"""The evaluation as files: answers, matrix, and one page with all figures."""

from collections.abc import Callable

import streamlit as st

from cnnlab import launch
from cnnlab.evaluation.report import confusion_csv, predictions_csv, predictions_parquet, report_html
from cnnlab.ui.evaluate.choice import Subject


def takeaway_view(subject: Subject) -> None:
    """A button for each file, made when it is pressed, and the command that writes the same."""
    e, run = subject.evaluation, subject.run
    files_of = subject.files
    stem = f"{run.id}-{e.checkpoint}-{e.split}"
    files: list[tuple[str, str, str, str, Callable[[], str | bytes]]] = [
        ("Report", "html", "text/html", "One page with all figures and tables; it needs no network.",
         lambda: report_html(run, e)),
        ("Answers", "csv", "text/csv", "Each image's id, true and predicted class, and all probabilities.",
         lambda: predictions_csv(e, files_of)),
        ("Answers", "parquet", "application/vnd.apache.parquet", "The same, smaller and typed.",
         lambda: predictions_parquet(e, files_of)),
        ("Confusion matrix", "csv", "text/csv", "Counts: a row for each true class, a column for each answer.",
         lambda: confusion_csv(e)),
    ]  # fmt: skip
    for title, ending, mime, help, make in files:
        name = f"{stem}-{title.split()[0].lower()}.{ending}"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                f"{title} ({ending.upper() if ending != 'parquet' else 'Parquet'})",
                make,
                name,
                mime,
                key=f"evaluate.download.{title}.{ending}",
                icon=":material/download:",
                on_click="ignore",
                width=260,
            )
            st.caption(help)
    st.caption("The same from a shell:")
    arguments = ["evaluate", run.id, "--split", e.split, "--checkpoint", e.checkpoint]
    st.code(
        launch.shown_command([*arguments, "--report", "report.html", "--csv", "answers.csv"]),
        language="bash",
        wrap_lines=True,
    )
