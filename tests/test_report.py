"""An evaluation as files: they hold what the answers hold, and need nothing else."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnlab.cli import main
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.evaluation.report import confusion_csv, predictions_csv, predictions_parquet, report_html
from cnnlab.runs import Run

MADE = Evaluation(
    "best",
    "test",
    ("a, b", "<c>", "never"),
    np.log(np.array([[0.75, 0.25, 1e-50], [0.5, 0.25, 0.25]])).astype(np.float32),
    np.array([0, 1]),
    np.array([7, 9]),
)


def test_csv_holds_each_answer():
    rows = list(csv.DictReader(io.StringIO(predictions_csv(MADE).decode())))
    assert rows[1] == {
        "id": "9", "true": "<c>", "predicted": "a, b", "p(a, b)": "0.5", "p(<c>)": "0.25", "p(never)": "0.25",
    }  # fmt: skip


def test_parquet_holds_the_same_as_csv():
    table = pd.read_parquet(io.BytesIO(predictions_parquet(MADE)))
    pd.testing.assert_frame_equal(table, pd.read_csv(io.BytesIO(predictions_csv(MADE))), check_dtype=False)


def test_a_file_s_name_of_other_bytes_than_letters_goes_out():
    files = [*map(str, range(8)), "", "\udcff.png"]
    assert rb",\udcff.png," in predictions_csv(MADE, files)
    assert pd.read_parquet(io.BytesIO(predictions_parquet(MADE, files)))["file"][1] == r"\udcff.png"


def test_confusion_csv_has_a_row_for_each_true_class():
    rows = list(csv.reader(io.StringIO(confusion_csv(MADE).decode())))
    assert rows[0][1:] == ["a, b", "<c>", "never"]
    assert rows[2] == ["<c>", "1", "0", "0"] and rows[3] == ["never", "0", "0", "0"]


def test_a_report_asks_no_server_and_escapes_names(trained_run: Run):
    page = report_html(trained_run, MADE)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert "<c>" not in page and "&lt;c&gt;" in page
    assert page.count("plotly-graph-div") >= 3


def test_the_command_line_writes_report_and_answers(
    trained_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    report, table = tmp_path / "r.html", tmp_path / "r.csv"
    assert main(["evaluate", str(trained_run.path), "--report", str(report), "--csv", str(table)]) == 0
    found = evaluate(trained_run, "test")
    assert f"{100 * found.accuracy:.2f} %" in report.read_text("utf-8")
    assert len(pd.read_csv(table)) == len(found.labels)


@pytest.mark.parametrize(
    ("flag", "name", "status", "sentence"),
    [
        ("--report", "r.pdf", 2, "'r.pdf' is not allowed: let the file end in .html."),
        ("--csv", "r.txt", 2, "'r.txt' is not allowed: let the file end in .csv."),
        ("--csv", "none/r.csv", 2, "r.csv' cannot be written: there is no folder '"),
    ],
)
def test_files_that_cannot_be_written_get_a_sentence(
    trained_run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    name: str,
    status: int,
    sentence: str,
):
    assert main(["evaluate", str(trained_run.path), flag, str(tmp_path / name)]) == status
    assert sentence in capsys.readouterr().err
