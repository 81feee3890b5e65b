"""Many pictures at once: uploaded, pasted or in a folder of the server; their answers, and a closer look at one."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from cnnlab import launch
from cnnlab.pictures import UnreadableImage, open_picture
from cnnlab.prediction.many import Row, as_csv, as_parquet, predict_many, table
from cnnlab.prediction.preprocess import least_size
from cnnlab.prediction.sources import Source, SourcesError, from_bytes, from_paths
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.given import Given
from cnnlab.ui.predict.history import src
from cnnlab.ui.predict.paste import pasted
from cnnlab.ui.predict.strip import switched

ENDINGS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "ppm", "pgm", "zip"]
LAST = "predict.last"  # (the files, the pasted picture's number, whether that came last), as they were seen
ANSWERED = "predict.many"  # (what was asked, its rows)


def many_view(subject: Subject, way: str) -> None:
    """The pictures, their table, and the chosen one as if it were given alone."""
    try:
        asked, sources = _uploaded() if way == "Upload" else _folder()
    except SourcesError as error:
        st.error(str(error), icon=":material/folder_off:")
        return
    if not sources:
        return
    rows = _answered(subject, asked, sources)
    row = rows[0] if len(rows) == 1 else _table(subject, way, rows)
    if row:
        _closer(subject, row)


def _uploaded() -> tuple[str, list[Source]]:
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        files = st.file_uploader(
            "Pictures, or a zip of them", ENDINGS, accept_multiple_files=True, key="predict.upload",
            label_visibility="collapsed",
        )  # fmt: skip
    with right:
        paste = pasted()
    if not files and not paste:
        st.caption(
            "One picture, many, or a zip (by far the fastest for hundreds); or paste one with Ctrl+V. "
            "What cannot be read is listed with its reason."
        )
    marks = " ".join(file.file_id for file in files)
    if paste and _came_last(marks, paste[0]):
        return f"paste {paste[0]}", from_bytes([("Pasted picture", paste[1])])
    return f"upload {marks}", from_bytes([(file.name, file.getvalue()) for file in files])


def _came_last(files: str, paste: int) -> bool:
    """Whether the picture with the number ``paste`` came after the ``files`` (their marks): the last is answered."""
    seen_files, seen_paste, pasted_last = st.session_state.get(LAST, ("", 0, True))
    if paste != seen_paste:
        pasted_last = True
    elif files != seen_files:
        pasted_last = not files
    st.session_state[LAST] = (files, paste, pasted_last)
    return bool(pasted_last)


def _folder() -> tuple[str, list[Source]]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "A folder, a zip or a picture on the machine that this page comes from",
            key="predict.folder",
            persist_state="session",
            placeholder="/home/me/pictures",
        )
        st.button("Look again", icon=":material/refresh:", key="predict.folder.again", on_click=_forget)
    if not text.strip():
        return "", []
    path = Path(text.strip()).expanduser()
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
    mark = f"{asked} {subject.id} {sorted(switched().items())} {len(sources)}"
    if st.session_state.get(ANSWERED, ("",))[0] == mark:
        kept: list[Row] = st.session_state[ANSWERED][1]
        return kept
    bar = st.progress(0.0, "Reading the pictures …")

    def told(done: int, total: int) -> None:
        bar.progress(done / total, f"Reading the pictures … {done:,} of {total:,}")

    rows = predict_many(subject.predictor, sources, switched(), told, thumbnails=True)
    bar.empty()
    st.session_state[ANSWERED] = (mark, rows)
    return rows


def _table(subject: Subject, way: str, rows: list[Row]) -> Row | None:
    """The table of ``rows`` with its filters; gives the chosen row."""
    read = [row for row in rows if row.answer]
    unsure = sum(row.answer.confidence < subject.threshold for row in read if row.answer)
    st.markdown(
        f"**{len(read):,}** of {len(rows):,} pictures answered"
        + (f", {unsure:,} of them less than {100 * subject.threshold:.0f} % sure" if unsure else "")
        + (f"; {len(rows) - len(read):,} could not be read." if len(read) < len(rows) else ".")
    )
    shown = _filtered(subject, rows)
    frame = pd.DataFrame(
        {
            "Picture": [src(row.thumbnail) if row.thumbnail else None for row in shown],
            **{name.replace("_", " ").capitalize(): values for name, values in table(shown).items()},
            "Error": [row.error for row in shown],
        }
        if shown
        else {"Picture": []}
    )
    share = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
    event = st.dataframe(
        frame.drop(columns=[c for c in ("Probability",) if c in frame]).rename(columns={"Error": "Problem"}),
        hide_index=True,
        row_height=44,
        height=min(44 * len(shown) + 40, 430),
        key=f"predict.table.{way}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Confidence": share,
            "Runner up confidence": share,
            "Problem": st.column_config.TextColumn(width="large"),
        },
    )
    _takeaway(subject, rows)
    chosen = event["selection"]["rows"]
    return shown[chosen[0]] if chosen and chosen[0] < len(shown) else None


def _filtered(subject: Subject, rows: list[Row]) -> list[Row]:
    kinds = {"all": "All", "sure": "Sure", "unsure": "Not sure", "unread": "Unreadable"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Which", list(kinds), default="all", required=True, format_func=kinds.__getitem__, key="predict.kind"
        )
        classes = st.multiselect(
            "Taken for", subject.predictor.checkpoint.class_names, key=f"predict.taken.{subject.id}",
            placeholder="any class",
        )  # fmt: skip
    names = subject.predictor.checkpoint.class_names

    def wanted(row: Row) -> bool:
        if row.answer is None:
            return kind in ("all", "unread") and not classes
        sure = row.answer.confidence >= subject.threshold
        return kind in ("all", "sure" if sure else "unsure") and (not classes or names[row.answer.label] in classes)

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
        st.caption("All rows with all columns. Choose a row at its left edge for a closer look.")
    st.caption("The same from a shell:")
    command = ["predict", subject.predictor.run.id, "PATH", "--csv", "answers.csv"]
    st.code(launch.shown_command(command), language="bash", wrap_lines=True)


def _closer(subject: Subject, row: Row) -> None:
    """One of the pictures, as if it had been given alone."""
    from cnnlab.ui.predict.one import closer_view

    checkpoint = subject.predictor.checkpoint
    try:
        picture = open_picture(row.source.fetch(), least=least_size(checkpoint))
    except UnreadableImage as error:
        st.error(f"**{row.source.name}** {error}", icon=":material/broken_image:")
        return
    closer_view(subject, Given(picture, row.source.name))
