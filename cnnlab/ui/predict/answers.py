"""The table of many answers: what is filtered, what is taken away as a file, and which row is looked at closer."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from cnnlab import launch
from cnnlab.prediction.many import Row, as_csv, as_parquet, table
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.strip import src

SHARE = st.column_config.ProgressColumn(format="%.2f %%", min_value=0, max_value=100)
COLUMNS = {"Picture": st.column_config.ImageColumn(width="small"), "Confidence": SHARE, "Runner up confidence": SHARE}
REASON = 660  # pixels of the longest reason why there is no answer


def answers_table(subject: Subject, way: str, rows: list[Row]) -> Row | None:
    """How many of ``rows`` are answered, their table with its filters, and the files of it; gives the chosen row."""
    read = [row for row in rows if row.answer]
    unsure = sum(row.answer.confidence < subject.threshold for row in read if row.answer)
    strange = sum(bool(row.unlike) for row in read)
    st.markdown(
        f"**{len(read):,}** of {len(rows):,} pictures answered"
        + (f", {unsure:,} of them less than {100 * subject.threshold:.0f} % sure" if unsure else "")
        + (f"; {len(rows) - len(read):,} without an answer: the table says why." if len(read) < len(rows) else ".")
        + (f" :orange[:material/warning: **{strange:,}** unlike anything in training]." if strange else "")
    )
    if subject.others:
        st.caption("Other runs are compared for one picture at a time: choose a row.")
    shown = _filtered(subject, rows)
    chosen = _chosen(way, shown) if shown else None
    if not shown:
        st.info("None of the pictures is such: choose another filter.", icon=":material/filter_alt_off:")
    _takeaway(subject, rows)
    return chosen


def _chosen(way: str, shown: list[Row]) -> Row | None:
    """The table of ``shown``, at least one, and which of them was chosen in it."""
    event = st.dataframe(
        _frame(shown),
        hide_index=True,
        row_height=44,
        height=min(44 * len(shown) + 40, 430),
        key=f"predict.table.{way}.{hash(tuple(row.source.name for row in shown))}",  # a choice is kept by its number
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            **COLUMNS,
            "Problem": st.column_config.TextColumn(width=REASON if any(row.error for row in shown) else 200),
        },
    )
    chosen = event["selection"]["rows"]
    return shown[chosen[0]] if chosen and chosen[0] < len(shown) else None


def _frame(shown: list[Row]) -> pd.DataFrame:
    """What the table shows: shares in per cent, and problems where there are any."""
    columns = table(shown)
    frame = pd.DataFrame(
        {
            "Picture": [src(row.thumbnail) if row.thumbnail else "" for row in shown],
            "File": columns["file"],
            "Prediction": [value or "" for value in columns["prediction"]],
            "Confidence": 100 * pd.Series(columns["confidence"], dtype=float),
            "Runner up": [value or "" for value in columns["runner_up"]],
            "Runner up confidence": 100 * pd.Series(columns["runner_up_confidence"], dtype=float),
        }
    )
    said = [row.error or ("Unlike anything in training" if row.unlike else "") for row in shown]
    if any(said):
        frame.insert(4, "Problem", said)  # after what a person looks for, yet in view, which the end need not be
    return frame if any(row.answer for row in shown) else frame[["File", "Problem"]]


def _filtered(subject: Subject, rows: list[Row]) -> list[Row]:
    kinds = {"all": "All", "sure": "Sure", "unsure": "Not sure", "unlike": "Unlike training", "unread": "No answer"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Which", list(kinds), default="all", required=True, format_func=kinds.__getitem__, key="predict.kind",
            persist_state="session",
        )  # fmt: skip
        classes = st.multiselect(
            "Taken for", subject.predictor.checkpoint.class_names, key=f"predict.taken.{subject.id}",
            placeholder="any class", persist_state="session",
        )  # fmt: skip
    names = subject.predictor.checkpoint.class_names

    def wanted(row: Row) -> bool:
        if row.answer is None:
            return kind in ("all", "unread") and not classes
        unsure = row.answer.confidence < subject.threshold
        fitting = {"all": True, "sure": not unsure and not row.unlike, "unsure": unsure, "unlike": row.unlike}
        return bool(fitting.get(kind)) and (not classes or names[row.answer.label] in classes)

    return list(filter(wanted, rows))


def _takeaway(subject: Subject, rows: list[Row]) -> None:
    files: tuple[tuple[str, str, str, Callable[[list[Row]], bytes]], ...] = (
        ("CSV", "csv", "text/csv", as_csv),
        ("Parquet", "parquet", "application/vnd.apache.parquet", as_parquet),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, ending, mime, make in files:
            st.download_button(
                title,
                partial(make, rows),
                f"{subject.predictor.run.id}-answers.{ending}",
                mime,
                icon=":material/download:",
                key=f"predict.download.{ending}",
                on_click="ignore",
            )
        st.caption("All rows with all columns. Choose a row at its left edge (or with Shift+Space) for a closer look.")
    st.caption("The same from a shell:")
    predictor = subject.predictor
    chosen = [] if predictor.name == predictor.run.chosen_checkpoint() else ["--checkpoint", predictor.name]
    command = ["predict", predictor.run.id, "PATH", *chosen, "--csv", "answers.csv"]
    st.code(launch.shown_command(command), language="bash", wrap_lines=True)
