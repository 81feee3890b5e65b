"""What was asked during this visit, the newest first."""

import io
import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnnlab.prediction.many import thumbnail
from cnnlab.ui import words
from cnnlab.ui.predict.answer import Asked
from cnnlab.ui.predict.answers import COLUMNS
from cnnlab.ui.predict.strip import src

HISTORY = "predict.history"
LAST = "predict.history.last"  # the picture that was taken in last: it is not again, though all be forgotten
MOST = 100  # pictures that are remembered


@dataclass(frozen=True)
class Entry:
    """A picture's small copy, what was said to it, by whom, and when; ``id`` tells the picture and the network."""

    id: str
    src: str
    name: str
    answer: str
    confidence: float
    run: str
    time: str


def remember(asked: Asked) -> None:
    """Add the picture that was ``asked`` about with its answer, instead of what the network said to it before."""
    if st.session_state.get(LAST) == asked.id:
        return
    st.session_state[LAST] = asked.id
    given, answer = asked.given, asked.answer
    entry = Entry(
        f"{given.id}.{asked.subject.id}",
        src(thumbnail(given.picture)),
        given.name,
        answer.class_names[answer.label],
        answer.confidence,
        asked.subject.predictor.run.name,
        time.strftime("%H:%M:%S"),
    )
    others = [other for other in st.session_state.get(HISTORY, []) if other.id != entry.id]
    st.session_state[HISTORY] = [entry, *others][:MOST]


def history_view() -> None:
    """The table, and a button that empties it."""
    history: list[Entry] = st.session_state.get(HISTORY, [])
    table = pd.DataFrame(
        {
            "Picture": [e.src for e in history],
            "Prediction": [e.answer for e in history],
            "Confidence": [words.hundredfold(e.confidence) for e in history],
            "What": [e.name for e in history],
            "Run": [e.run for e in history],
            "Time": [e.time for e in history],
        }
    )
    st.dataframe(table, hide_index=True, row_height=44, key="predict.history.table", column_config=COLUMNS)
    with st.container(horizontal=True, vertical_alignment="center"):
        buffer = io.StringIO()
        table.drop(columns="Picture").to_csv(buffer, index=False)
        st.download_button(
            "CSV", buffer.getvalue(), "history.csv", "text/csv", icon=":material/download:", key="predict.history.csv",
            on_click="ignore",
        )  # fmt: skip
        st.button("Forget all", icon=":material/delete:", key="predict.history.clear", on_click=_forget)


def _forget() -> None:
    st.session_state[HISTORY] = []
