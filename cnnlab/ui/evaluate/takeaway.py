"""What is taken away: the evaluation as files (answers, matrix, one page to read), and the network itself."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from cnnlab import launch
from cnnlab.config import TrainConfig
from cnnlab.evaluation.report import confusion_csv, predictions_csv, predictions_parquet, report_html
from cnnlab.prediction.export import FACTS, ExportError, usage
from cnnlab.runs import Run
from cnnlab.ui.evaluate.choice import Subject


def takeaway_view(subject: Subject) -> None:
    """A button for each file, made when it is pressed, and the commands that write the same."""
    e, run = subject.evaluation, subject.run
    files_of = subject.files
    stem = f"{run.id}-{e.checkpoint}"
    files: list[tuple[str, str, str, str, Callable[[], str | bytes]]] = [
        ("Report", "html", "text/html",
         "One page with the tables, the top losses and all figures but the feature map; it needs no internet.",
         lambda: report_html(run, e, subject.images)),
        ("Answers", "csv", "text/csv",
         "Each image's id, its file where it has one, true and predicted class, and all probabilities.",
         lambda: predictions_csv(e, files_of)),
        ("Answers", "parquet", "application/vnd.apache.parquet", "The same, smaller and typed.",
         lambda: predictions_parquet(e, files_of)),
        ("Confusion matrix", "csv", "text/csv", "Counts: a row for each true class, a column for each answer.",
         lambda: confusion_csv(e)),
    ]  # fmt: skip
    for title, ending, mime, help, make in files:
        label = f"{title} ({ending.upper() if ending != 'parquet' else 'Parquet'})"
        name = f"{stem}-{e.split}-{title.split()[0].lower()}.{ending}"
        _download(label, make, name, mime, f"evaluate.download.{title}.{ending}", help)
    _download(
        "Trained network (PT2)",
        partial(network_file, run, e.checkpoint),
        f"{stem}.pt2",
        "application/octet-stream",
        "evaluate.download.network",
        "Runs with PyTorch alone, from pixels to calibrated probabilities. It takes some seconds to make.",
    )
    with st.expander("How to use the network"):
        _how_to_use(f"{stem}.pt2", subject.config)
    st.caption("The same from a shell:")
    evaluated = ["evaluate", run.id, "--split", e.split, "--checkpoint", e.checkpoint]
    exported = ["export", run.id, f"{stem}.pt2", "--checkpoint", e.checkpoint]
    commands = [[*evaluated, "--report", "report.html", "--csv", "answers.csv"], exported]
    st.code("\n".join(map(launch.shown_command, commands)), language="bash", wrap_lines=True)


def _download(label: str, make: Callable[[], str | bytes], name: str, mime: str, key: str, help: str) -> None:
    button, what = st.columns([1, 2], vertical_alignment="center")
    button.download_button(
        label, make, name, mime, key=key, icon=":material/download:", on_click="ignore", width="stretch"
    )
    what.caption(help)


def network_file(run: Run, checkpoint: str) -> bytes:
    """The network as a file, made by a process of its own: in ours other threads call networks meanwhile.

    Raises ExportError.
    """
    with TemporaryDirectory() as folder:
        file, log = Path(folder) / "network.pt2", Path(folder) / "log"
        arguments = ["export", str(run.path), str(file), "--checkpoint", checkpoint]
        if launch.spawn(arguments, log).wait() != 0:
            raise ExportError(log.read_text("utf-8", "replace").strip().removeprefix("cnnlab: "))
        return file.read_bytes()


def _how_to_use(file: str, config: TrainConfig) -> None:
    st.code(usage(file, config), language="python", wrap_lines=True)
    st.markdown(
        f"`pixels` are images of the size and kind that the run learnt from, as many at a time as you like. `{FACTS}` "
        "holds the names of the classes in the order of the probabilities, the images' shape, the run, its checkpoint "
        "and the temperature by which the probabilities are calibrated (1 where there are no validation images). "
        "What the Predict page does to a drawing or a photograph before it asks the network is not in the file."
    )
