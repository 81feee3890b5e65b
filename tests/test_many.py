"""Files, folders and zips become rows, whatever is in them; what cannot be read says why in one sentence."""

import csv
import io
import os
import stat
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from cnnlab.cli import main
from cnnlab.loader import Scaling
from cnnlab.prediction import many, sources
from cnnlab.prediction.many import COLUMNS, as_csv, as_parquet, predict_many, table
from cnnlab.prediction.novelty import novelty_of
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.sources import SourcesError, from_bytes, from_paths, from_zip
from cnnlab.prediction.temperature import Calibration
from tests.test_pictures import png_that_claims


def png(picture: Image.Image | None = None, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or Image.linear_gradient("L").resize((30, 30))).save(buffer, kind, **options)
    return buffer.getvalue()


def zipped(files: dict[str, bytes], **options: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def predictor(trained_run) -> Predictor:
    return load_predictor(trained_run)


@pytest.fixture
def digit_files(digits, tmp_path) -> Path:
    """A folder with 30 test digits called number-label.png, ten of them in a folder below."""
    (tmp_path / "scans/more").mkdir(parents=True)
    for number in range(30):
        place = tmp_path / "scans" / ("more" if number % 3 == 0 else "")
        label = int(digits.test.labels[number])
        Image.fromarray(digits.test.images[number, 0].numpy()).save(place / f"{number:02d}-{label}.png")
    return tmp_path / "scans"


def test_images_of_another_type_or_shape_are_refused(predictor):
    with pytest.raises(ValueError, match=r"^Images of float32 .* are not allowed: give uint8 \[N, 1, 28, 28\]\.$"):
        predictor.answers(torch.rand(1, 1, 28, 28))
    with pytest.raises(ValueError, match=r"^Images of uint8 \[1, 28, 28\] are not allowed"):
        predictor.answers(torch.zeros(1, 28, 28, dtype=torch.uint8))


def test_a_folder_is_walked_and_its_pictures_are_answered_as_the_test_images(
    predictor, digits, digit_files, monkeypatch
):
    (digit_files / "notes.txt").write_text("not a picture, and not called one")
    monkeypatch.setattr(many, "BATCH", 8)
    sources = from_paths([digit_files])
    rows = predict_many(predictor, sources)
    assert len(rows) == 30 and [row.source for row in rows] == sources
    expected = {f"{n:02d}": a for n, a in enumerate(predictor.answers(digits.test.images[:30]))}
    for row in rows:
        assert row.answer and row.answer.label == expected[Path(row.source.name).name[:2]].label


def test_a_zip_and_uploads_say_the_same_as_the_folder(predictor, digit_files):
    files = {str(p.relative_to(digit_files)): p.read_bytes() for p in sorted(digit_files.rglob("*.png"))}
    uploads = predict_many(predictor, from_bytes(files.items()))
    from_zip_file = predict_many(predictor, from_bytes([("all.zip", zipped(files))]))
    assert [r.answer.label for r in uploads] == [r.answer.label for r in from_zip_file]
    assert [r.source.name for r in from_zip_file] == [f"all.zip/{name}" for name in files]


def test_one_bad_file_does_not_stop_the_rest_and_progress_is_told(predictor):
    told = []
    files = [("a.png", png()), ("text.png", b"just words"), ("b.png", png())]
    rows = predict_many(predictor, from_bytes(files), on_progress=lambda *n: told.append(n), thumbnails=True)
    assert [bool(row.answer) for row in rows] == [True, False, True] and told == [(3, 3)]
    assert rows[1].error == "The file is not an image: choose a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF."
    assert Image.open(io.BytesIO(rows[0].thumbnail)).size == (30, 30)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.png", b"this is no picture", "The file is not an image"),
        ("empty.png", b"", "The file is empty"),
        ("cut.jpg", png(Image.effect_noise((300, 300), 90), "JPEG")[:4000], "cut off or damaged"),
        ("bomb.png", png_that_claims(60_000, 60_000), "megapixels"),
    ],
)
def test_a_file_that_is_no_picture_gets_one_sentence(predictor, name, content, reason):
    (row,) = predict_many(predictor, from_bytes([(name, content)]))
    assert row.answer is None and reason in row.error
    assert row.error.count(". ") == 0 and "Traceback" not in row.error


def shaped(kind: str) -> bytes:
    """A white square on black in a less usual format."""
    page = np.zeros((40, 30), np.uint8)
    page[5:35, 12:18] = 255
    grey = Image.fromarray(page)
    if kind == "gif":
        other = Image.new("L", (30, 40), 255)
        return png(grey, "GIF", save_all=True, append_images=[other, other])
    if kind == "cmyk":
        return png(grey.convert("CMYK"), "TIFF")
    if kind == "16 bit":
        return png(Image.fromarray(page.astype(np.uint16) * 257))
    if kind == "alpha":
        ink = Image.new("RGBA", (30, 40), (0, 0, 0, 0))
        ink.paste((0, 0, 0, 255), (12, 5, 18, 35))
        return png(ink)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90°
    return png(grey.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=98)


@pytest.mark.parametrize("kind", ["gif", "cmyk", "16 bit", "alpha", "exif"])
def test_less_usual_pictures_simply_work(predictor, kind):
    plain = np.zeros((40, 30), np.uint8)
    plain[5:35, 12:18] = 255
    (row,) = predict_many(predictor, from_bytes([("a.bin", shaped(kind))]))
    (same,) = predict_many(predictor, from_bytes([("a.png", png(Image.fromarray(plain)))]))
    assert row.answer and same.answer
    assert np.abs(row.answer.probabilities.numpy() - same.answer.probabilities.numpy()).max() < 0.05


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_where_there_is_nothing_to_see_there_is_no_answer(predictor, tmp_path):
    Image.new("L", (90, 60), 255).save(tmp_path / "plain.png")
    (row,) = predict_many(predictor, from_paths([tmp_path]))
    assert row.answer is None and row.error == "There is nothing to see: all pixels that go in are alike."


def test_what_would_lead_out_of_a_zip_is_refused_by_name_and_the_rest_is_read(predictor, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.png", png())
        archive.writestr("../../evil.png", png())
        archive.writestr("/etc/absolute.png", png())
        archive.writestr("C:\\windows.png", png())
        archive.writestr("..\\..\\windows.png", png())
        archive.writestr("inner.zip", zipped({"a.png": png()}))
        archive.writestr(link("link.png"), "/etc/passwd")
        archive.writestr("__MACOSX/._good.png", b"what macOS adds")
        archive.writestr("pets/.thumbnails/good.png", png())
    rows = {r.source.name: r for r in predict_many(predictor, from_bytes([("x.zip", buffer.getvalue())]))}
    assert rows.pop("x.zip/good.png").answer
    assert {name.split("/", 1)[1]: row.error.split(",")[0] for name, row in rows.items()} == {
        "../../evil.png": "Its name leads out of the zip",
        "/etc/absolute.png": "Its name leads out of the zip",
        "C:\\windows.png": "Its name leads out of the zip",
        "..\\..\\windows.png": "Its name leads out of the zip",
        "inner.zip": "It is a zip in a zip",
        "link.png": "It is a link",
    }
    assert list(tmp_path.iterdir()) == []


def test_a_zip_that_unpacks_to_gigabytes_costs_no_memory(predictor):
    large = zipped({"a.png": b"\0" * (120 << 20), "b.png": png()}, compression=zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    rows = predict_many(predictor, from_bytes([("large.zip", large)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "would unpack to 120 MB" in rows[0].error and rows[1].answer
    assert peak < 20 << 20


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", zipped({"a.png": png()})[:60], zipped({"notes.txt": b"words"}), zipped({})],
    ids=["empty", "no zip", "cut short", "no picture", "no file"],
)
def test_a_bad_zip_gets_one_sentence(content):
    with pytest.raises(SourcesError) as caught:
        from_zip("bad.zip", content)
    assert str(caught.value).startswith("bad.zip ") and "Traceback" not in str(caught.value)


def test_a_damaged_member_and_a_password_are_reported_and_do_not_stop_the_rest(predictor):
    content = bytearray(zipped({"a.png": png(), "b.png": png()}))
    content[60] ^= 0xFF  # in the first picture's bytes
    rows = predict_many(predictor, from_bytes([("x.zip", bytes(content))]))
    assert "cannot be unpacked" in rows[0].error and rows[1].answer
    content = bytearray(zipped({"a.png": png(), "b.png": png()}, compression=zipfile.ZIP_LZMA))
    content[60:90] = bytes(30)
    rows = predict_many(predictor, from_bytes([("x.zip", bytes(content))]))
    assert "cannot be unpacked" in rows[0].error and rows[1].answer
    content = bytearray(zipped({"a.png": png(), "b.png": png()}))
    content[content.rfind(b"PK\1\2") + 8] |= 1
    rows = predict_many(predictor, from_bytes([("x.zip", bytes(content))]))
    assert rows[0].answer and "It is encrypted" in rows[1].error


def test_too_many_files_are_refused_before_any_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_FILES", 50)
    names = [f"{number}.png" for number in range(51)]
    (tmp_path / "many").mkdir()
    for name in names:
        (tmp_path / "many" / name).touch()
    with pytest.raises(SourcesError, match=r"more than 50 files, and that is the most at a time"):
        from_paths([tmp_path / "many"])
    with pytest.raises(SourcesError, match=r"x.zip holds more than 50 files"):
        from_zip("x.zip", zipped(dict.fromkeys(names, b"")))
    with pytest.raises(SourcesError, match="more than 50 files"):
        from_bytes((name, b"") for name in names)


def test_each_picture_tells_whether_it_is_unlike_training(predictor, digits, digit_files):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30), np.uint8))
    digit = next(digit_files.rglob("*-3.png")).read_bytes()
    files = [("noise.png", png(noise)), ("bad.png", b""), ("digit.png", digit)]
    strange, bad, known = predict_many(predictor, from_bytes(files), novelty_of(predictor))
    assert (strange.unlike, bad.unlike, known.unlike) == (True, None, False)
    assert predict_many(predictor, from_bytes(files[:1]), novelty_of(predictor))[0].unlike is True  # alone
    read = list(csv.DictReader(io.StringIO(as_csv([strange, bad, known]).decode())))
    assert [row["unlike_training"] for row in read] == ["True", "", "False"]


def test_a_name_of_other_bytes_than_letters_goes_out_as_csv_and_parquet(predictor, tmp_path):
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(png())
    rows = predict_many(predictor, from_paths([tmp_path]))
    assert rows[0].answer and rows[0].source.name == rf"{tmp_path}/\udcff.png"
    assert rb"\udcff.png" in as_csv(rows)
    assert pd.read_parquet(io.BytesIO(as_parquet(rows)))["file"][0].endswith(r"\udcff.png")


def test_a_zip_that_is_not_there_is_not_called_damaged(tmp_path):
    with pytest.raises(SourcesError, match=r"^There is no zip .*/gone.zip: check the path\.$"):
        from_paths([tmp_path / "gone.zip"])


def test_what_cannot_be_read_does_not_stop_what_stands_beside_it(predictor, digit_files, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    rows = predict_many(predictor, from_paths([digit_files, tmp_path / "none", tmp_path / "bad.zip"]))
    assert [bool(row.answer) for row in rows] == [True] * 30 + [False] * 2
    assert "holds no image files" in rows[-2].error and "it is damaged or no zip" in rows[-1].error


@pytest.mark.parametrize(
    "content", [b"words", zipped({"a.png": png()})[:60], zipped({"a.txt": b""})], ids=["no zip", "cut", "no picture"]
)
def test_a_bad_zip_among_uploads_does_not_stop_the_rest(predictor, content):
    good, bad = predict_many(predictor, from_bytes([("a.png", png()), ("bad.zip", content)]))
    assert good.answer and bad.answer is None and bad.error.startswith("bad.zip ")


def test_files_of_other_kinds_are_counted_in_folders_and_zips_but_not_what_is_hidden(tmp_path, trained_run, capsys):
    for name in ("a.png", "b.heic", ".DS_Store", "sub/c.heic", ".git/config"):
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(png())
    (tmp_path / "x.zip").write_bytes(zipped({"a.png": png(), "d.heic": b"", "._d.heic": b"", "e/": b""}))
    assert from_paths([tmp_path / "scans"]).note == "Left out 2 files whose name does not end as a picture's."
    assert from_bytes([("x.zip", (tmp_path / "x.zip").read_bytes())]).note.startswith("Left out 1 file whose")
    assert from_paths([tmp_path / "scans/b.heic"]).note == ""
    assert main(["predict", str(trained_run.path), str(tmp_path / "scans"), str(tmp_path / "x.zip")]) == 0
    said = capsys.readouterr()
    assert said.out.count("\n") == 2
    assert "cnnlab: Left out 3 files whose name does not end as a picture's.\n" in said.err


def test_a_pipe_is_not_waited_for(predictor, tmp_path):
    for name in ("pipe.png", "pipe.zip"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "a.png").write_bytes(png())
    rows = predict_many(predictor, from_paths([tmp_path / "pipe.png", tmp_path / "pipe.zip", tmp_path / "a.png"]))
    assert [bool(row.answer) for row in rows] == [False, False, True]
    assert all("a pipe or a device" in row.error for row in rows[:2])


def test_the_rows_go_out_as_csv_and_parquet(predictor):
    less_sure = replace(predictor, calibration=Calibration(3.0, 9))
    rows = predict_many(less_sure, from_bytes([("é, ü.png", png()), ("bad.png", b"")]))
    read = list(csv.DictReader(io.StringIO(as_csv(rows).decode())))
    assert tuple(read[0]) == COLUMNS and read[0]["file"] == "é, ü.png" and read[1]["error"].startswith("The file is")
    answer = rows[0].answer
    second, first = answer.probabilities.argsort()[-2:].tolist()
    assert (read[0]["prediction"], read[0]["runner_up"]) == (answer.class_names[first], answer.class_names[second])
    shares = {name: float(read[0][name]) for name in ("confidence", "probability", "runner_up_confidence")}
    assert shares == {
        "confidence": pytest.approx(float(answer.confidences[first])),
        "probability": pytest.approx(float(answer.probabilities[first])),
        "runner_up_confidence": pytest.approx(float(answer.confidences[second])),
    }
    assert shares["confidence"] == pytest.approx(answer.confidence) and shares["confidence"] < shares["probability"]
    frame = pd.read_parquet(io.BytesIO(as_parquet(rows)))
    assert tuple(frame) == COLUMNS and frame["prediction"].isna().tolist() == [False, True]


def test_no_rows_are_an_empty_table():
    assert table([]) == {name: [] for name in COLUMNS} and as_csv([]).decode() == ",".join(COLUMNS) + "\n"
    assert tuple(pd.read_parquet(io.BytesIO(as_parquet([])))) == COLUMNS


def test_images_may_be_scaled_otherwise_than_in_training(predictor, digits):
    dark, saved = digits.test.images[:8] // 2, predictor.checkpoint.scaling
    as_bright = Scaling(tuple(m / 2 for m in saved.mean), tuple(s / 2 for s in saved.std))
    found = predictor.answers(dark, as_bright)
    for one, other in zip(found, predictor.answers(dark * 2), strict=True):
        assert one.probabilities.numpy() == pytest.approx(other.probabilities.numpy(), abs=1e-4)
    assert not np.allclose(found[0].probabilities, predictor.answers(dark)[0].probabilities, atol=1e-4)


def test_the_command_line_walks_folders_and_writes_a_table(trained_run, digit_files, tmp_path, capsys):
    (digit_files / "words.png").write_text("no picture")
    (tmp_path / "z.zip").write_bytes(zipped({"../evil.png": png(), "fine.png": png()}))
    file = tmp_path / "answers.csv"
    assert main(["predict", str(trained_run.path), str(digit_files), str(tmp_path / "z.zip"), "--csv", str(file)]) == 1
    assert capsys.readouterr().out == f"33 pictures in {file}, 2 of them without an answer\n"
    read = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    digits = [r for r in read if r["file"].endswith(tuple(f"-{d}.png" for d in range(10)))]
    assert len(read) == 33 and len(digits) == 30
    assert sum(r["file"][-5] == r["prediction"] for r in digits) >= 27


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{empty}"], 1, "{empty} holds no image files"),
        (["a.png", "--csv", "a.txt"], 2, "'a.txt' is not allowed: let the file end in .csv."),
        (["{empty}/no.zip"], 1, "There is no zip {empty}/no.zip"),
    ],
)
def test_the_command_line_refuses_in_one_sentence(trained_run, tmp_path, capsys, arguments, status, sentence):
    filled = [a.format(empty=tmp_path) for a in arguments]
    assert main(["predict", str(trained_run.path), *filled]) == status
    said = capsys.readouterr().err
    assert said.startswith("cnnlab: " + sentence.format(empty=tmp_path)) and said.count("\n") == 1
