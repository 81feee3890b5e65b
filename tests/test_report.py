"""An evaluation as files: they hold what the answers hold, and need nothing else."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnlab.cli import main
from cnnlab.datasets import DatasetError
from cnnlab.evaluation import report
from cnnlab.evaluation.evaluate import Evaluation, evaluate, images_of
from cnnlab.evaluation.report import confusion_csv, predictions_csv, predictions_parquet, report_html
from cnnlab.new_runs import create_run
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


def known(matrix: list[list[int]]) -> Evaluation:
    """Answers, each certain, whose confusion matrix is ``matrix``."""
    counts = np.array(matrix)
    labels, predicted = np.repeat(np.argwhere(counts >= 0), counts.ravel(), axis=0).T
    answers = np.where(predicted[:, None] == np.arange(len(counts)), 0.0, -100.0).astype(np.float32)
    return Evaluation("best", "test", tuple("abcdef"[: len(counts)]), answers, labels, np.arange(len(labels)))


def test_a_report_tells_of_each_class_what_is_known_and_draws_the_hardest(
    trained_run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report, "FIRST", 1)
    page = report_html(trained_run, known([[9, 1, 0], [2, 8, 0], [3, 0, 7]]))  # 14, 9 and 7 are taken for a, b and c
    table = page.partition("<h2>Each class</h2>")[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:]]
    assert rows == [
        ["class", "accuracy", "95 % interval", "precision", "F1", "taken for"],
        ["a", "90.00 % (9/10)", "59.6–98.2 %", "64.29 %", "75.00 %", "b (1)"],
        ["b", "80.00 % (8/10)", "49.0–94.3 %", "88.89 %", "84.21 %", "a (2)"],
        ["c", "70.00 % (7/10)", "39.7–89.2 %", "100.00 %", "82.35 %", "a (3)"],
    ]
    curves = page.partition("<h2>Classes that are hard to tell</h2>")[2].partition("<h2>")[0]
    assert set(re.findall(r'"name":"(\w)"', curves)) == {"a"}  # of the lowest F1
    page = report_html(trained_run, known([[0, 0, 0], [0, 8, 2], [0, 1, 9]]))  # nothing is known of a
    curves = page.partition("<h2>Classes that are hard to tell</h2>")[2].partition("<h2>")[0]
    assert set(re.findall(r'"name":"(\w)"', curves)) == {"b"}


def test_a_report_shows_the_measures_and_the_corner_of_the_curves_as_the_page_does(trained_run: Run):
    page = report_html(trained_run, known([[999, 1, 0], [0, 1000, 0], [0, 0, 1000]]))
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td>", page.partition("</table>")[0])
    measured = ["Accuracy", "Loss", "Balanced accuracy", "Macro F1", "Calibration error"]
    assert [label for label, _ in rows] == measured  # the first three of three classes are all
    curves = page.partition("<h2>Classes that are hard to tell</h2>")[2].partition("<h2>")[0]
    assert set(re.findall(r'"name":"(\w)"', curves)) == {"a", "b"}  # c is told without a mistake
    assert '"range":[0.899,' in curves
    assert "hard to tell" not in report_html(trained_run, known([[9, 0], [0, 9]]))


def test_a_report_shows_the_pictures_of_the_top_losses(trained_run: Run, digits):
    found = evaluate(trained_run, "test")
    page = report_html(trained_run, found, images_of(found, digits.splits(trained_run.config)))
    pictures = page.partition("<h2>Top losses")[2]
    assert '"source":"data:image' in pictures
    assert re.findall(r"#(\d+)\b", pictures.partition("marker")[0]) == [str(found.ids[n]) for n in found.top_losses()]
    assert "Top losses" not in report_html(trained_run, found)
    with pytest.raises(DatasetError, match="has changed since"):
        images_of(replace(found, split="val"), digits.splits(trained_run.config))


def test_a_run_s_name_that_a_person_wrote_is_escaped(trained_run: Run, tmp_path: Path):
    run, held = create_run(tmp_path / "own", trained_run.facts())
    held.lock.release()
    (run.path / "name").write_text("<b>mine")
    page = report_html(run, MADE)
    assert "<b>mine" not in page and page.count("&lt;b&gt;mine") == 2  # in the title and in the heading


def test_the_command_line_writes_report_and_answers(
    trained_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    assert main(["evaluate", str(trained_run.path), "--report", str(page), "--csv", str(table)]) == 0
    found = evaluate(trained_run, "test")
    text = page.read_text("utf-8")
    assert f"{100 * found.accuracy:.2f} %" in text and ("Top losses" in text) == (not found.right.all())
    assert len(pd.read_csv(table)) == len(found.labels)


def test_a_report_of_images_that_are_gone_says_that_it_has_no_pictures(
    own_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    evaluate(own_run, "test")
    text = (own_run.path / "config.json").read_text()
    (own_run.path / "config.json").write_text(text.replace('"dataset": "digits"', '"dataset": "folder:/gone"'))
    assert main(["evaluate", str(own_run.path), "--report", str(tmp_path / "r.html")]) == 0
    assert "The report is without pictures. There is no folder '/gone'" in capsys.readouterr().err


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
