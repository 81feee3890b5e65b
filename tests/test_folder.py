"""A person's own folder of images: both layouts, every kind of file, decoded once, problems named."""

import io
import os
import shutil
import time
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from cnnlab import datasets
from cnnlab.checkpoints import Checkpoint
from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.console import ConsoleListener
from cnnlab.datasets import DatasetError, ImageDataset, ImageSet, folder
from cnnlab.datasets.base import channel_statistics, stratified_split
from cnnlab.datasets.class_folders import file_names
from cnnlab.datasets.folder import decode
from cnnlab.loader import Scaling
from cnnlab.parsing import parse
from cnnlab.paths import cache_dir
from cnnlab.pictures import KNOWN, enough, open_picture
from cnnlab.prediction.preprocess import prepare
from cnnlab.registry import UnknownName
from cnnlab.runs import Run

pytestmark = pytest.mark.usefixtures("fresh_folders")

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def paint(path: Path, color: object = RED, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)
    return path


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Two classes of ten pictures each, in class folders."""
    for number in range(10):
        paint(tmp_path / f"flowers/rose/{number}.png", (200 + number, 0, 0))
        paint(tmp_path / f"flowers/aster/{number}.png", (0, 0, 200 + number))
    return tmp_path / "flowers"


@pytest.fixture
def parted_flowers(tmp_path: Path) -> Path:
    """The same classes with folders for train, val and test."""
    for part, count in (("train", 6), ("val", 3), ("test", 2)):
        for number in range(count):
            paint(tmp_path / f"parted/{part}/rose/{number}.png", RED)
            paint(tmp_path / f"parted/{part}/aster/{number}.png", BLUE)
    return tmp_path / "parted"


def load(path: Path, **values: object) -> ImageDataset:
    return datasets.load(parse({"dataset": f"folder:{path}", "image_size": 8, **values}))


# ── layouts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_class_folders_become_classes_in_the_order_of_their_names(flowers):
    dataset = load(flowers)
    assert dataset.class_names == ("aster", "rose")
    assert dataset.train.images.shape == (16, 3, 8, 8) and len(dataset.test) == 4
    for part in (dataset.train, dataset.test):
        for image, label in zip(part.images, part.labels.tolist(), strict=True):
            assert image[0 if label else 2].min() >= 200  # roses are red, asters blue
    assert not set(dataset.train.ids.tolist()) & set(dataset.test.ids.tolist())


def test_without_a_test_folder_the_same_fifth_of_each_class_is_held_out_for_every_seed(flowers):
    first, again = (load(flowers).splits(TrainConfig(seed=seed)) for seed in (0, 1))
    assert first.test.labels.tolist() == [0, 0, 1, 1] and first.test.ids.equal(again.test.ids)


def test_parts_that_the_folder_brings_are_kept(parted_flowers):
    splits = load(parted_flowers).splits(TrainConfig(validation_fraction=0.5))
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [12, 6, 4]
    ids = [set(part.ids.tolist()) for part in (splits.train, splits.val, splits.test)]
    assert len(set.union(*ids)) == 22


def test_images_may_be_grey_and_of_any_size(flowers):
    assert load(flowers, color=False, image_size=11).train.images.shape[1:] == (1, 11, 11)


def test_folders_within_a_class_and_endings_in_capitals_count_while_what_is_hidden_does_not(flowers):
    paint(flowers / "rose/more/deep/a.PNG")
    paint(flowers / "rose/.hidden.png")
    paint(flowers / "rose/.ipynb_checkpoints/a-checkpoint.png")
    paint(flowers / "__MACOSX/rose/a.png")
    (flowers / "rose/notes.txt").write_text("roses")
    (flowers / ".git").mkdir()
    dataset = load(flowers)
    assert len(dataset.train) + len(dataset.test) == 21 and dataset.class_names == ("aster", "rose")


# ── every kind of file ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_photograph_is_turned_upright_by_its_exif_data(tmp_path):
    picture = Image.new("RGB", (40, 20), BLUE)
    picture.paste(RED, (0, 0, 20, 20))  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90° clockwise to see it upright
    picture.save(tmp_path / "photo.jpg", exif=exif, quality=95)
    pixels = decode(tmp_path / "photo.jpg", 8, color=True).astype(int)
    assert pixels[0, 0].min() > 200 and pixels[2, -1].min() > 200  # red on top, blue below


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_white(tmp_path, mode):
    paint(tmp_path / "a.png", (0,) * len(mode), mode=mode)
    assert (decode(tmp_path / "a.png", 8, color=True) == 255).all()
    paint(tmp_path / "b.png", (*(0,) * (len(mode) - 1), 255), mode=mode)
    assert (decode(tmp_path / "b.png", 8, color=True) == 0).all()


def test_sixteen_bits_become_eight_with_their_range_kept(tmp_path):
    ramp = np.tile(np.arange(0, 65536, 8192, dtype=np.uint16), (8, 1))
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert np.abs(decode(tmp_path / "deep.png", 8, color=False)[0].astype(int) - ramp / 257).max() <= 1


def test_a_dark_sixteen_bit_picture_stays_dark(tmp_path):
    Image.fromarray(np.full((8, 8), 200, dtype=np.uint16)).save(tmp_path / "dark.png")
    assert decode(tmp_path / "dark.png", 8, color=False).max() <= 1


def test_print_colours_become_screen_colours(tmp_path):
    paint(tmp_path / "a.jpg", (0, 255, 255, 0), mode="CMYK")  # no cyan, all magenta and yellow: red
    red, green, blue = decode(tmp_path / "a.jpg", 8, color=True).reshape(3, -1).mean(1)
    assert red > 200 and green < 60 and blue < 60


def test_a_gif_is_read_in_its_colours(tmp_path):
    frames = [Image.new("P", (9, 9)) for _ in range(2)]
    for frame, color in zip(frames, (GREEN, RED), strict=True):
        frame.putpalette([*color] * 256)
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (decode(tmp_path / "a.gif", 8, color=True).reshape(3, -1).T == GREEN).all()


def test_a_wide_picture_keeps_its_middle(tmp_path):
    picture = Image.new("RGB", (60, 20), BLUE)
    picture.paste(RED, (20, 0, 40, 20))
    picture.save(tmp_path / "wide.png")
    assert (decode(tmp_path / "wide.png", 20, color=True)[0, :, 2:-2] == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16", "I", "F"])
@pytest.mark.parametrize("color", [True, False])
def test_any_mode_becomes_bytes_of_the_asked_shape(tmp_path, mode, color):
    paint(tmp_path / "a.tif", 1 if len(mode) < 3 or ";" in mode else (1,) * len(mode), mode=mode)
    pixels = decode(tmp_path / "a.tif", 8, color=color)
    assert pixels.shape == (3 if color else 1, 8, 8) and pixels.dtype == np.uint8


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, kind)
    return file.getvalue()


def test_files_that_cannot_be_read_are_counted_and_named_with_the_reason(flowers):
    (flowers / "rose/broken.png").write_bytes(b"no picture")
    (flowers / "rose/cut.png").write_bytes(encoded("PNG")[:400])
    (flowers / "rose/folder.png").symlink_to(flowers / "nowhere")
    os.mkfifo(flowers / "rose/pipe.png")
    for attempt in ("decoded", "kept"):
        dataset = load(flowers)
        assert len(dataset.unreadable) == 4, attempt
        assert dataset.unreadable[0] == f"{flowers}/rose/broken.png: The file is not an image: choose a {KNOWN}."
        assert dataset.unreadable[1].startswith(f"{flowers}/rose/cut.png: ")
        assert len(dataset.train) + len(dataset.test) == 20


# ── kept for the next time ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def decoded(monkeypatch) -> list[Path]:
    """The files that were decoded, as they come."""
    seen: list[Path] = []

    def counting(path: Path, size: int, color: bool) -> np.ndarray:
        seen.append(path)
        return decode(path, size, color)

    monkeypatch.setattr(folder, "decode", counting)
    return seen


def test_images_are_decoded_once_with_progress_and_then_recalled(flowers, decoded):
    told: list[tuple[str, int, int]] = []
    config = parse({"dataset": f"folder:{flowers}"})
    first = datasets.load(config, lambda *news: told.append(news))
    assert len(decoded) == 20 and told[-1] == ("Reading images", 20, 20)
    again = datasets.load(config, lambda *news: told.append(news))
    assert len(decoded) == 20 and len(told) == 1
    assert again.train.images[:].equal(first.train.images[:]) and again.test.ids.equal(first.test.ids)


def test_a_stop_while_images_are_read_ends_the_run_which_can_be_resumed(flowers, fresh_folders, monkeypatch):
    command = ["train", "--dataset", f"folder:{flowers}", "--model", "mlp", "--epochs", "1", "--name", "one"]
    run, told = Run(fresh_folders / "one"), []

    def ask_to_stop(listener: ConsoleListener, what: str, done: int, total: int) -> None:
        told.append(done)
        run.request_stop()

    with monkeypatch.context() as patched:
        patched.setattr(folder, "TELL_EVERY", -1)  # after each picture
        patched.setattr("cnnlab.stopping.ASK_EVERY", -1)
        patched.setattr(ConsoleListener, "task", ask_to_stop)
        assert main(command) == 0
    assert told == [1] and run.state() == "stopped"
    assert run.last_record("end")["message"] == "Stopped while its images were fetched or read; it can be resumed."
    assert list(cache_dir().iterdir()) == []
    assert main(["resume", "one"]) == 0 and run.state() == "finished"


@pytest.mark.parametrize("change", ["new length", "new time", "new file", "gone", "other size", "grey"])
def test_what_changed_is_decoded_again(flowers, decoded, change):
    old = paint(flowers / "rose/old.bmp")  # as long whatever its colour
    written = old.stat().st_mtime_ns
    load(flowers)
    options = {"other size": {"image_size": 9}, "grey": {"color": False}}.get(change, {})
    if change == "new length":
        os.utime(paint(old, GREEN, (13, 13)), ns=(written, written))
    elif change == "new time":
        os.utime(paint(old, GREEN), ns=(written, written + 1))
    elif change == "new file":
        paint(flowers / "rose/new.png")
    elif change == "gone":
        old.unlink()
    before = Counter(decoded)
    load(flowers, **options)
    assert before == dict.fromkeys(before, 1) and len(before) == 21
    assert Counter(decoded) - before == dict.fromkeys(flowers.rglob("*.*"), 1)


@pytest.mark.parametrize("kind", [".npy", ".safetensors", ".json"])
def test_a_damaged_cache_is_made_anew(flowers, decoded, tmp_path, kind):
    first = load(flowers)
    (kept,) = (tmp_path / "cache").glob(f"*{kind}")
    kept.write_bytes(kept.read_bytes()[:20])
    again = load(flowers)
    assert again.train.images[:].equal(first.train.images[:]) and again.mean == first.mean
    assert len(decoded) == (20 if kind == ".json" else 40)


def test_images_that_have_changed_replace_what_was_decoded_of_them(flowers, tmp_path):
    colour, grey = load(flowers), load(flowers, color=False)
    (flowers / "rose/0.png").unlink()
    again = load(flowers)
    assert colour.version != again.version == datasets.version(parse({"dataset": f"folder:{flowers}", "image_size": 8}))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2  # of the grey ones too, which are in use
    assert load(flowers, color=False).version != grey.version


def test_the_same_files_are_the_same_images_wherever_they_lie_and_whenever_they_were_written(flowers, tmp_path):
    first = load(flowers)
    config = parse({"dataset": f"folder:{tmp_path / 'moved'}", "image_size": 8})
    flowers.rename(tmp_path / "moved")
    (tmp_path / "moved/rose/0.png").touch()
    assert datasets.version(config) is None  # it has to look into them
    assert load(tmp_path / "moved").version == first.version == datasets.version(config)
    paint(tmp_path / "moved/rose/0.png", GREEN)
    assert load(tmp_path / "moved").version != first.version


def test_mean_and_deviation_are_of_the_training_images_alone(flowers):
    paint(flowers / file_names(flowers)[int(load(flowers).test.ids[0])], (255, 255, 255))
    for dataset in (load(flowers), load(flowers)):  # decoded, then recalled
        assert dataset.test.images[0].min() == 255
        assert (dataset.mean, dataset.std) == channel_statistics(dataset.train.images)


def test_where_images_come_and_go_the_others_keep_their_splits(flowers):
    def drawn() -> dict[str, str]:
        names, dataset = file_names(flowers), load(flowers, validation_fraction=0.25)
        splits = dataset.splits(parse({"dataset": f"folder:{flowers}", "image_size": 8, "validation_fraction": 0.25}))
        return {names[id]: part for part in ("train", "val", "test") for id in splits.get(part).ids.tolist()}

    before = drawn()
    assert Counter(before.values()) == {"train": 12, "val": 4, "test": 4}
    paint(flowers / "aster/00.png")  # the first of all by name
    after = drawn()
    moved = [name for name, part in before.items() if after[name] != part]
    assert len(after) == 21 and len(moved) <= 1
    (flowers / "aster/00.png").unlink()
    assert drawn() == before


def test_the_pixels_are_those_that_prediction_takes(tmp_path):
    dice = np.random.default_rng(0)
    for name, number in product("ab", range(3)):
        (tmp_path / f"photos/{name}").mkdir(parents=True, exist_ok=True)
        noise = Image.fromarray(dice.integers(0, 256, (30, 40, 3), np.uint8)).resize((700 + 99 * number, 620))
        noise.save(tmp_path / f"photos/{name}/{number}.jpg")
    for color in (True, False):
        dataset, names = load(tmp_path / "photos", color=color), file_names(tmp_path / "photos")
        config = parse({"dataset": f"folder:{tmp_path}/photos", "image_size": 8, "color": color})
        channels = 3 if color else 1
        checkpoint = Checkpoint(config, ("a", "b"), channels, 8, Scaling((0.0,) * channels, (1.0,) * channels), {}, {})
        for image, id in zip(dataset.train.images, dataset.train.ids.tolist(), strict=True):
            picture = open_picture(tmp_path / "photos" / names[id], least=enough(8))
            assert prepare(picture, checkpoint).pixels.equal(image)


def test_a_cache_that_cannot_be_written_is_told_and_nothing_is_lost(flowers, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "file"))
    told: list[str] = []
    config = parse({"dataset": f"folder:{flowers}", "image_size": 8})
    assert len(datasets.load(config, lambda what, *_: told.append(what)).train) == 16
    assert f"Decoded images cannot be kept in {tmp_path}/file" in told[-1] and "set CNNLAB_CACHE" in told[-1]


def test_the_persons_folder_stays_as_it_was(flowers):
    before = sorted(flowers.rglob("*"))
    load(flowers)
    assert sorted(flowers.rglob("*")) == before


# ── what cannot be used ───────────────────────────────────────────────────────────────────────────────────────────


def spoil(root: Path, how: str) -> None:
    if how == "no train":
        (root / "train").rename(root / "pictures")
    elif how == "strange class":
        paint(root / "test/tulip/0.png")
    elif how == "twice":
        paint(root / "valid/rose/0.png")
    elif how == "other":
        paint(root / "more/rose/0.png")
    elif how == "one class":
        (root / "train/rose").rename(root.parent / "rose")
    elif how == "empty class":
        (root / "train/tulip").mkdir()
    elif how == "no images":
        for path in root.rglob("*.png"):
            path.unlink()


@pytest.mark.parametrize(("train", "val", "test"), [("Train", "valid", "TEST"), ("training", "Validation", "testing")])
def test_splits_may_be_called_otherwise(parted_flowers, train, val, test):
    expected = load(parted_flowers)
    for name, other in (("train", train), ("val", val), ("test", test)):
        (parted_flowers / name).rename(parted_flowers / other)
    dataset = load(parted_flowers)
    assert dataset.class_names == expected.class_names and dataset.val is not None
    assert [len(part) for part in (dataset.train, dataset.val, dataset.test)] == [
        len(part) for part in (expected.train, expected.val, expected.test)
    ]


def test_an_empty_folder_for_validation_images_holds_none_out(flowers, tmp_path):
    (tmp_path / "more").mkdir()
    (flowers).rename(tmp_path / "more/train")
    (tmp_path / "more/val/rose").mkdir(parents=True)
    config = parse({"dataset": f"folder:{tmp_path}/more", "image_size": 8, "validation_fraction": 0})
    assert not datasets.holds_out(config) and len(datasets.load(config).splits(config).val) == 0


@pytest.mark.parametrize("name", ["folder:~nosuchuser/x", "folder:" + "a" * 300, "~nosuchuser", "a" * 300])
def test_a_name_that_no_folder_can_have_is_refused_in_a_sentence(name):
    with pytest.raises((DatasetError, UnknownName)):
        datasets.check_name(name)


def test_a_class_whose_name_is_no_text_is_called_by_its_bytes(parted_flowers):
    for part in ("train", "val", "test"):
        (parted_flowers / part / "rose").rename(parted_flowers / part / os.fsdecode(b"ros\xe9"))
    assert load(parted_flowers).class_names == ("aster", "ros\\udce9")


def test_file_names_of_any_bytes_are_read(flowers):
    (flowers / "rose/0.png").rename(flowers / "rose" / os.fsdecode(b"\xff.png"))
    assert len(load(flowers).train) == 16


def test_a_log_that_cannot_be_written_ends_no_training(monkeypatch, tmp_path):
    said = io.StringIO()
    monkeypatch.setattr("cnnlab.console.err", Console(file=said))
    ConsoleListener(tmp_path / "no such folder/output.log").say("Epoch 1")  # as where its disk is full
    assert said.getvalue() == "Epoch 1\n"


def test_a_damaged_file_of_such_a_name_is_told(flowers, monkeypatch, tmp_path):
    (flowers / "rose" / os.fsdecode(b"\xff.png")).write_bytes(b"no picture")
    assert any("rose/\\udcff.png: " in reason for reason in load(flowers).unreadable)
    monkeypatch.setattr("cnnlab.console.err", Console(file=io.StringIO()))
    ConsoleListener(tmp_path / "output.log").say(os.fsdecode(b"\xff.png"))
    assert "ff.png" in (tmp_path / "output.log").read_text("utf-8")


def test_copies_are_told_and_stay_in_one_split(flowers, decoded):
    for name in ("copy.png", "more.png"):
        shutil.copy(flowers / "rose/3.png", flowers / "rose" / name)
    shutil.copy(flowers / "rose/3.png", flowers / "aster/lost.png")
    for dataset in (load(flowers), load(flowers)):  # decoded, then recalled
        assert dataset.copies == (
            "rose/3.png is the same picture as aster/lost.png, though of another class",
            "rose/copy.png is the same picture as aster/lost.png, though of another class",
            "rose/more.png is the same picture as aster/lost.png, though of another class",
        )
    assert len(decoded) == 23
    names = file_names(flowers)
    parts = [{names[i] for i in part.ids.tolist()} for part in (dataset.train, dataset.test)]
    assert any({"rose/3.png", "rose/copy.png", "rose/more.png"} <= part for part in parts)
    keys: dict[str, int] = {}
    for part in (dataset.train, dataset.test):
        keys |= {names[id]: key for id, key in zip(part.ids.tolist(), part.keys.tolist(), strict=True)}
    assert len({keys[name] for name in ("aster/lost.png", "rose/3.png", "rose/copy.png", "rose/more.png")}) == 1
    assert len(set(keys.values())) == 20


def test_some_images_are_of_every_class(flowers):
    train = load(flowers).train
    assert Counter(train.head(4).labels.tolist()) == {0: 2, 1: 2}
    assert train.head(4).ids.tolist() == train.head(4).ids.tolist() and train.head(0) is train.head(99) is train


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_split_s_folder_without_a_readable_image_is_no_split_by_chance(parted_flowers, split):
    for path in (parted_flowers / split).rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=f"No image in the {split} folder of {parted_flowers} can be read: mend"):
        load(parted_flowers)


def test_what_another_process_has_decoded_since_stays(flowers, tmp_path):
    load(flowers)
    (first,) = (tmp_path / "cache").glob("*.npy")
    part, newer = first.with_name(first.name + ".1.part"), first.with_name(first.stem[:-4] + "abcd.npy")
    part.touch()
    newer.touch()
    os.utime(newer, (time.time() + 60,) * 2)
    (flowers / "rose/0.png").unlink()
    load(flowers)
    assert part.exists() and newer.exists() and not first.exists()


def test_a_class_may_be_called_like_a_split(flowers):
    (flowers / "rose").rename(flowers / "train")
    assert load(flowers).class_names == ("aster", "train")


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("no train", "{root} has test and val, but no train folder: add train/class/…."),
        ("strange class", "{root}/test/tulip is a class that {root}/train does not have: rename or remove it."),
        (
            "other",
            "{root} has more beside train, which nothing is done with: call a split train, val or test, and move",
        ),
        ("one class", "{root}/train has 1 class folders, and a classifier needs at least 2: "),
        ("empty class", "No readable training image in class 'tulip' of {root}: add some, or remove the class."),
        ("no images", "{root} holds no image files (.avif, .bmp, .gif, "),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(parted_flowers, how, sentence):
    spoil(parted_flowers, how)
    with pytest.raises(DatasetError) as caught:
        load(parted_flowers)
    assert str(caught.value).startswith(sentence.format(root=parted_flowers))


def test_a_server_for_many_opens_the_folders_alone_that_its_setting_names(flowers, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLAB_FOLDERS", f"{tmp_path}/photos:{flowers.parent}/./flowers")
    assert load(flowers).class_names == ("aster", "rose")
    with pytest.raises(
        DatasetError, match=r"^/ is not among the folders that this server opens: give one in .*flowers"
    ):
        load(Path("/"))
    with pytest.raises(DatasetError, match="is not among the folders"):
        load(flowers / "..")


def test_an_empty_part_of_that_setting_opens_nothing_and_the_home_folder_may_be_in_it(flowers, tmp_path, monkeypatch):
    monkeypatch.chdir(flowers)
    monkeypatch.setenv("CNNLAB_FOLDERS", f"{tmp_path}/photos:")
    with pytest.raises(DatasetError, match=f"is not among the folders .*: give one in {tmp_path}/photos\\.$"):
        load(flowers)
    monkeypatch.setenv("HOME", str(flowers.parent))
    monkeypatch.setenv("CNNLAB_FOLDERS", "~/flowers")
    assert load(flowers).class_names == ("aster", "rose")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"There is no folder '{tmp_path}/none': give the path"):
        load(tmp_path / "none")


def test_too_few_images_for_a_test_split_are_said(tmp_path):
    paint(tmp_path / "few/a/0.png")
    paint(tmp_path / "few/b/0.png")
    with pytest.raises(DatasetError, match="too few images to hold out a test split: add images, at least 3 a class"):
        load(tmp_path / "few")


def test_images_of_one_key_are_never_parted():
    labels, keys = torch.zeros(12, dtype=torch.int64), torch.tensor([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    images = ImageSet(torch.zeros(12, 1, 1, 1, dtype=torch.uint8), labels, torch.arange(12), keys)
    for seed, share in product(range(20), (0.1, 0.35, 0.9)):
        rest, held = stratified_split(images, share, seed)
        assert len(held) == (9 if share == 0.9 else 3) and not set(rest.keys.tolist()) & set(held.keys.tolist())
    assert len(stratified_split(images, 0, 1)[1]) == 0
    alike = ImageSet(images.images, labels, images.ids, torch.ones(12, dtype=torch.int64))
    assert len(stratified_split(alike, 0.25, 1)[1]) == 3
