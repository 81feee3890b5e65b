"""Curves: thinned to what a screen shows, followed while they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.curves import MOST_POINTS, CurveReader, Thinned, read_curves
from cnnlab.runs import Run


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50), st.integers(1, 200))
def test_a_thinned_curve_keeps_its_mean_and_at_most_so_many_points(values, times):
    curve, ys = Thinned(), values * times
    for x, y in enumerate(ys):
        curve.add(x, y)
    points, means = curve.points()
    assert len(points) == len(means) <= min(len(ys), MOST_POINTS) and points == sorted(points)
    counts = [count for _, _, count in curve.bins]
    assert sum(counts) == len(ys) and max(counts) < 2 * max(1, len(ys) / (MOST_POINTS / 2))
    total = sum(mean * count for mean, count in zip(means, counts, strict=True))
    assert total / len(ys) == pytest.approx(sum(ys) / len(ys), abs=1e-6)


def test_few_points_stay_as_they_are():
    curve = Thinned()
    for x in range(MOST_POINTS):
        curve.add(x, x**2)
    assert curve.points() == ([float(x) for x in range(MOST_POINTS)], [float(x**2) for x in range(MOST_POINTS)])
    assert curve.points(unit=10)[0][5] == 0.5


@pytest.fixture
def written(trained_run, tmp_path) -> tuple[Run, bytes]:
    """An empty run folder, and the log of a real run to be written into it."""
    return Run(tmp_path), trained_run.metrics_path.read_bytes()


def test_curves_hold_what_was_recorded(trained_run):
    curves = read_curves(trained_run)
    epochs = [record for record in trained_run.records() if record["event"] == "epoch"]
    for key in ("train/loss", "train/accuracy", "val/loss", "val/accuracy"):
        assert curves[key] == ([e["step"] for e in epochs], [e[key] for e in epochs])
    steps = [record for record in trained_run.records() if record["event"] == "step"]
    assert curves["step/train/loss"] == ([s["step"] for s in steps], [s["train/loss"] for s in steps])
    assert "test/loss" not in curves


def test_following_a_log_as_it_grows_gives_the_same_as_reading_it_whole(written, trained_run):
    run, content = written
    reader, versions = CurveReader(run), set()
    reader.read()
    for end in [*range(0, len(content), 997), len(content)]:
        run.metrics_path.write_bytes(b"") if end == 0 else None
        with run.metrics_path.open("ab") as file:
            file.write(content[file.tell() : end])
        reader.read()
        versions.add(reader.version)
    assert reader.points() == read_curves(trained_run) and len(versions) > 10
    last = [r for r in trained_run.records() if r["event"] == "epoch"][-1]
    assert reader.class_accuracy == last["val/class_accuracy"]


def test_a_log_that_was_replaced_is_read_anew(written):
    run, content = written
    run.metrics_path.write_bytes(content)
    reader = CurveReader(run)
    reader.read()
    run.forget_after(41)  # as a resumed run does
    reader.read()
    assert reader.points() == read_curves(run) and max(reader.points()["step/train/loss"][0]) == 41
    run.metrics_path.unlink()
    reader.read()
    assert reader.points() == {}


def test_a_later_runs_log_at_the_same_place_is_read_anew(tmp_path):
    def log(began: float, epochs: int) -> str:
        records = [{"event": "queued", "time": began}]
        records += [{"event": "epoch", "step": n, "epoch": n, "val/loss": began} for n in range(1, epochs + 1)]
        return "".join(json.dumps(record) + "\n" for record in records)

    reader, path = CurveReader(Run(tmp_path)), tmp_path / "metrics.jsonl"
    path.write_text(log(1.5, 1))
    reader.read()
    before = reader.version
    path.write_text(log(2.5, 2))  # in the same inode, as a file system gives a free one again
    reader.read()
    assert reader.points()["val/loss"] == ([1.0, 2.0], [2.5, 2.5]) and reader.version != before


def test_a_run_that_watches_the_test_set_shows_its_classes(tmp_path):
    record = {"event": "epoch", "step": 3, "epoch": 1, "test/loss": 0.5, "test/class_accuracy": [1.0, None]}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    reader = CurveReader(Run(tmp_path))
    reader.read()
    assert reader.class_accuracy == [1.0, None] and reader.points() == {"test/loss": ([3.0], [0.5])}


def test_what_is_kept_and_sent_of_a_long_log_is_bounded(tmp_path):
    step = '{"event": "step", "step": %d, "train/loss": 0.12345678901234567, "train/accuracy": 0.98765432109876543}\n'
    reader, path = CurveReader(Run(tmp_path)), tmp_path / "metrics.jsonl"
    for first in range(1, 40_000, 10_000):
        with path.open("a") as file:
            file.write("".join(step % n for n in range(first, first + 10_000)))
        reader.read()
    assert all(MOST_POINTS / 2 <= len(curve.bins) <= MOST_POINTS for curve in reader.curves.values())
    assert len(json.dumps(reader.drawn())) < 2 * MOST_POINTS * len("39999.5, 0.12346, ")
    assert reader.last["step"]["step"] == 40_000
    assert reader.drawn()["step/train/loss"][1][-1] == 0.12346


def test_a_log_that_was_cut_is_read_anew(tmp_path):
    lines = [json.dumps({"event": "epoch", "step": n, "epoch": n, "val/loss": 1.0}) + "\n" for n in (1, 2, 3)]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(lines))
    reader = CurveReader(Run(tmp_path))
    reader.read()
    with path.open("r+") as file:
        file.truncate(len(lines[0]))
    reader.read()
    assert reader.points()["val/loss"] == ([1.0], [1.0])


@pytest.mark.parametrize("line", ["[1]", '{"step": 2}', "3", "null", "{"])
def test_a_damaged_line_is_passed_over(written, line):
    run, content = written
    run.metrics_path.write_bytes(content)
    expected = read_curves(run)
    first, rest = content.split(b"\n", 1)
    run.metrics_path.write_bytes(first + b"\n" + line.encode() + b"\n" + rest)
    assert read_curves(run) == expected
