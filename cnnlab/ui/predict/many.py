"""Many pictures at once: dropped, pasted or in a folder of the server; their answers, and a closer look at one."""

from pathlib import Path

import streamlit as st

from cnnlab.paths import expanded, refused
from cnnlab.pictures import UnreadableImage
from cnnlab.prediction.many import Row, opened, predict_many
from cnnlab.prediction.sources import Source, Sources, SourcesError, from_bytes, from_paths
from cnnlab.ui import words
from cnnlab.ui.predict.answers import answers_table
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.drop import dropped
from cnnlab.ui.predict.given import Given
from cnnlab.ui.predict.one import one_view

ANSWERED = "predict.many"  # (what was asked, its rows)


def many_view(subject: Subject, way: str) -> None:
    """The pictures, their table, and the chosen one as if it were given alone."""
    try:
        asked, sources = _uploaded() if way == "Upload" else _folder()
    except SourcesError as error:
        st.error(words.plain(str(error)), icon=":material/folder_off:")
        return
    if not sources:
        _forget()
        return
    if sources.note:
        st.caption(sources.note)
    rows = _answered(subject, asked, sources)
    row = rows[0] if len(rows) == 1 else answers_table(subject, way, rows)
    if row:
        _closer(subject, way, row)


def _uploaded() -> tuple[str, Sources]:
    inbox = dropped()
    return f"upload {inbox.number}", from_bytes(inbox.files)


def _folder() -> tuple[str, Sources]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "A folder, a zip or a picture on the machine that this page comes from",
            key="predict.folder",
            persist_state="session",
            placeholder="/home/me/pictures",
        )
        st.button("Look again", icon=":material/refresh:", key="predict.folder.again", on_click=_forget)
    if not text.strip():
        return "", Sources()
    path = expanded(Path(text.strip()))
    if why := refused(path):
        raise SourcesError(why)
    try:
        if not path.exists():
            raise SourcesError(f"There is no folder or file {path}: check the path.")
        return f"folder {path}", from_paths([path])
    except OSError as error:
        raise SourcesError(f"{path} cannot be read ({error.strerror}): choose another.") from error


def _forget() -> None:
    st.session_state.pop(ANSWERED, None)


def _answered(subject: Subject, asked: str, sources: list[Source]) -> list[Row]:
    """The rows for ``sources``, kept until something else is asked."""
    predictor = subject.predictor
    mark = f"{asked} {subject.id} {predictor.run.checkpoint_time(predictor.name)} {len(sources)}"
    if st.session_state.get(ANSWERED, ("",))[0] == mark:
        kept: list[Row] = st.session_state[ANSWERED][1]
        return kept
    bar = st.progress(0.0, "Reading the pictures …")

    def told(done: int, total: int) -> None:
        bar.progress(done / total, f"Reading the pictures … {done:,} of {total:,}")

    rows = predict_many(predictor, sources, subject.novelty, told, thumbnails=True)
    bar.empty()
    st.session_state[ANSWERED] = (mark, rows)
    return rows


def _closer(subject: Subject, way: str, row: Row) -> None:
    """One of the pictures, as if it had been given alone."""
    try:
        picture = opened(row.source, subject.predictor)
    except UnreadableImage as error:
        st.error(f"**{words.plain(row.source.name)}** {words.plain(str(error))}", icon=":material/broken_image:")
        return
    one_view(subject, way, Given(picture, row.source.name))
