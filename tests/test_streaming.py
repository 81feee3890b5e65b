"""Datasets larger than the memory budget: read from a file by the batch, with the very results of those in memory."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from cnnlab import datasets, inference, loader
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset, memory, view
from cnnlab.datasets.base import channel_statistics
from cnnlab.datasets.mapped import MappedImages, on_disk
from cnnlab.datasets.memory import memory_budget
from cnnlab.datasets.view import ImageView, fetched
from cnnlab.engine import fit, new_state
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.loader import epoch_batches, scaling_of
from cnnlab.parsing import parse
from cnnlab.runs import Run
from tests.pages import script

pytestmark = pytest.mark.usefixtures("fresh_folders")

SMALL = "0.0001"  # GB, 107 kB: less than any dataset here
MOST = 64  # images that may be asked for at a time


@pytest.fixture
def small_budget(monkeypatch):
    monkeypatch.setenv("CNNLAB_MEMORY_GB", SMALL)


@pytest.fixture
def streamed(small_budget) -> ImageDataset:
    """The digits, read from a file."""
    return datasets.load(TrainConfig(dataset="digits"))


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many images of a file were asked for at a time; chunks are made small, so that a whole split stands out."""
    seen: list[int] = []
    plain = MappedImages.__getitem__

    def counting(images: MappedImages, places: torch.Tensor) -> torch.Tensor:
        seen.append(places.numel())
        return plain(images, places)

    monkeypatch.setattr(MappedImages, "__getitem__", counting)
    monkeypatch.setattr(view, "CHUNK", MOST * 28 * 28)
    monkeypatch.setattr(inference, "EVAL_BATCH", MOST)
    return seen


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """60 pictures of two classes in a folder, one of them damaged."""
    dice = np.random.default_rng(0)
    for number in range(60):
        path = tmp_path / "photographs" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(dice.integers(0, 256, (50, 50, 3), dtype=np.uint8)).save(path)
    (tmp_path / "photographs/a/30.png").write_bytes(b"no picture")
    return tmp_path / "photographs"


def test_streamed_digits_are_the_digits(streamed, digits):
    assert streamed.in_file and not digits.in_file
    assert (streamed.mean, streamed.std) == (digits.mean, digits.std)
    for part, resident in ((streamed.train, digits.train), (streamed.test, digits.test)):
        assert part.images[:].equal(resident.images) and part.ids.equal(resident.ids)


@pytest.mark.parametrize("first", [0, 5])
def test_streamed_batches_are_the_resident_ones_in_their_order(streamed, digits, first):
    config = TrainConfig(dataset="digits", batch_size=100, augment_shift=2, seed=3)
    scaling = scaling_of(config, digits)
    ours, theirs = (epoch_batches(d.splits(config).train, config, 2, scaling, first) for d in (streamed, digits))
    for a, b in zip(ours, theirs, strict=True):
        assert a.inputs.equal(b.inputs) and a.labels.equal(b.labels)


def test_streamed_training_gives_the_very_losses_and_weights_and_asks_for_no_split_at_a_time(
    streamed, digits, asked, monkeypatch
):
    monkeypatch.setattr(loader, "AT_ONCE", MOST * 28 * 28)
    linear = TrainConfig(dataset="digits", model="custom", blocks=(), hidden=(), batch_size=MOST // 4, eval_every=40)
    config = linear.model_copy(update={"epochs": 2, "watch_test": True})
    timed = {"seconds", "elapsed", "images_per_second"}
    results = []
    for dataset in (streamed, digits):
        state = new_state(config, dataset)
        told = [(r.event, {k: v for k, v in r.values.items() if k not in timed}) for r in fit(state, dataset, config)]
        results.append((told, [w.detach() for w in state.model.parameters()]))
    (told, weights), (resident_told, resident_weights) = results
    assert told == resident_told
    assert all(w.equal(v) for w, v in zip(weights, resident_weights, strict=True))
    assert 0 < max(asked) <= MOST


def test_a_streamed_split_is_evaluated_by_the_batch(small_budget, asked, trained_run, tmp_path):
    copy = Run(Path(shutil.copytree(trained_run.path, tmp_path / "copy")))
    kept = evaluate(trained_run, "val")
    for path in copy.path.glob("predictions-*"):
        path.unlink()
    found = evaluate(copy, "val")
    assert (found.predicted == kept.predicted).all() and (found.ids == kept.ids).all()
    assert 0 < max(asked) <= MOST


def test_statistics_are_counted_by_the_chunk_and_exact(colour_squares, monkeypatch):
    images = colour_squares.train.images
    whole = channel_statistics(images)
    monkeypatch.setattr(view, "CHUNK", 7 * 3 * 32 * 32)
    assert channel_statistics(images) == whole
    pixels = images.double() / 255
    assert whole[0] == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert whole[1] == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist(), abs=1e-6)


def test_the_train_page_says_so_and_looks_at_a_few_images_alone(small_budget, asked):
    st.cache_resource.clear()  # it may hold the digits of another test
    app = script("app.py").run()
    assert not app.exception and any("batches are read from disk" in c.value for c in app.caption)
    assert 0 < max(asked) <= MOST
    st.cache_resource.clear()


# ── a person's folder ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_larger_than_the_budget_is_the_same_in_its_file(photographs, monkeypatch):
    config = parse({"dataset": f"folder:{photographs}", "image_size": 32})
    monkeypatch.setenv("CNNLAB_MEMORY_GB", SMALL)
    decoded, recalled = datasets.load(config), datasets.load(config)
    monkeypatch.setenv("CNNLAB_MEMORY_GB", "1")
    resident = datasets.load(config)
    assert decoded.in_file and recalled.in_file and not resident.in_file
    for streamed in (decoded, recalled):
        assert (streamed.mean, streamed.std, streamed.unreadable) == (resident.mean, resident.std, resident.unreadable)
        for name in ("train", "val", "test"):
            ours, theirs = (d.splits(config).get(name) for d in (streamed, resident))
            assert ours.images[:].equal(theirs.images[:]) and ours.labels.equal(theirs.labels)
    assert [reason.split(":")[0] for reason in resident.unreadable] == [f"{photographs}/a/30.png"]


@pytest.mark.parametrize("name", ["digits", "folder"])
def test_what_fits_neither_memory_nor_disk_says_what_to_set(name, photographs, small_budget, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "file"))
    dataset = f"folder:{photographs}" if name == "folder" else name
    with pytest.raises(DatasetError, match=r"CNNLAB_CACHE to another folder.*|CNNLAB_MEMORY_GB.*") as caught:
        datasets.load(parse({"dataset": dataset}))
    assert "CNNLAB_CACHE" in str(caught.value) and "CNNLAB_MEMORY_GB" in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


# ── views and files ───────────────────────────────────────────────────────────────────────────────────────────────


def test_splits_share_the_pixels_of_their_source(digits):
    splits = digits.splits(TrainConfig(dataset="digits", train_images=200))
    for part in (splits.train, splits.val, splits.train.head(10), splits.val.select(torch.arange(3))):
        assert isinstance(part.images, ImageView) and part.images.store is digits.train.images
        assert part.images.shape == (len(part), 1, 28, 28) and part.images[:].equal(
            digits.train.images[part.images.places]
        )


@pytest.mark.parametrize("memory", [None, 1 << 40, 100_000, 0], ids=["not read ahead", "all of it", "a part", "no row"])
def test_a_file_gives_its_images_however_much_of_it_is_read_ahead(digits, memory, monkeypatch):
    store = on_disk(digits.train.images)
    asked = []
    monkeypatch.setattr(store, "_ask_for", lambda rows, ask=store._ask_for: (asked.extend(rows.tolist()), ask(rows)))
    if memory is not None:
        monkeypatch.setattr("cnnlab.datasets.mapped.machine_memory", lambda: memory)
        store.read_ahead()
    images = ImageView(store, torch.arange(len(digits.train)).flip(0))
    expected = digits.train.images.flip(0)
    parts = [slice(0, 7), torch.tensor([5, 3, 5]), slice(1000, 5000), slice(3, 3)]
    for part, found in zip(parts * 10, fetched(images, parts * 10), strict=True):
        assert found.equal(expected[part])
    assert images[4].equal(expected[4]) and images[np.array([2, 1])].equal(expected[[2, 1]])
    in_advance = len(store) if memory is None else memory // 2 // store.shape[1:].numel()
    assert set(asked) == {row for part in parts for row in images.places[part].tolist() if row >= in_advance}


def test_who_stops_in_the_middle_of_an_epoch_leaves_no_reader_behind(streamed):
    batches = fetched(streamed.train.images, torch.arange(1000).split(10))
    next(batches)
    assert any(thread.name.startswith("reader") for thread in threading.enumerate())
    batches.close()
    assert not any(thread.name.startswith("reader") for thread in threading.enumerate())


def test_an_error_of_a_reader_reaches_the_one_who_waits(streamed):
    images = replace(streamed.train, images=ImageView(streamed.train.images.store, torch.tensor([0, 10**9]))).images
    with pytest.raises(IndexError):
        list(fetched(images, [slice(0, 2)]))


# ── the setting ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_budget_is_what_the_setting_says_else_a_share_of_the_machine(monkeypatch):
    monkeypatch.setenv("CNNLAB_MEMORY_GB", "1.5")
    assert memory_budget() == 3 * 2**29
    monkeypatch.delenv("CNNLAB_MEMORY_GB")
    assert 2**26 < memory_budget() < 2**44


def test_a_container_has_the_memory_that_it_may_take(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMIT", limit)
    whole = memory.machine_memory()
    found = {}
    for text in ("1000000\n", "max\n"):
        limit.write_text(text)
        found[text.strip()] = memory.machine_memory()
    assert found == {"1000000": 1_000_000, "max": whole}


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf"])
def test_a_budget_that_is_none_is_refused_with_a_sentence(monkeypatch, text):
    monkeypatch.setenv("CNNLAB_MEMORY_GB", text)
    with pytest.raises(DatasetError, match=f"CNNLAB_MEMORY_GB = {text} is not allowed: give a number of gigabytes"):
        datasets.load(TrainConfig(dataset="digits"))


def test_it_is_said_that_images_are_read_from_disk(streamed):
    sentence = "The images take 0.00131 GB, more than the 0.0001 GB of CNNLAB_MEMORY_GB: batches are read from disk."
    assert datasets.streaming_note(streamed) == sentence
