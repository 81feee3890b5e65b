"""The datasets: splits that never overlap, digits out of the box, torchvision's files, downloads all or nothing."""

import functools
import gzip
import hashlib
import http.server
import os
import pickle
import socket
import struct
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS, DatasetError, kept, torchvision_sets
from cnnlab.datasets.base import channel_statistics, image_set, stratified_split
from cnnlab.datasets.download import fetch
from cnnlab.datasets.torchvision_sets import CIFAR_KIN, MNIST_KIN
from cnnlab.paths import cache_dir
from cnnlab.registry import UnknownName

pytestmark = pytest.mark.usefixtures("fresh_folders")


# ── splits ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", [0, 1, 12345])
@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_no_image_is_in_two_splits_and_none_is_lost(digits, seed, fraction):
    splits = digits.splits(TrainConfig(validation_fraction=fraction, seed=seed))
    ids = [set(part.ids.tolist()) for part in (splits.train, splits.val, splits.test)]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 1797


def test_no_digit_is_in_two_splits_by_its_pixels(digits):
    splits = digits.splits(TrainConfig(validation_fraction=0.2))
    contents = [{image.numpy().tobytes() for image in part.images} for part in (splits.train, splits.val, splits.test)]
    assert len(set.union(*contents)) == sum(map(len, contents)) == 1797


def test_an_id_names_the_same_image_whatever_the_split(digits):
    known: dict[int, bytes] = {}
    for seed in (0, 1):
        splits = digits.splits(TrainConfig(seed=seed))
        for part in (splits.train, splits.val, splits.test):
            for number, image in zip(part.ids.tolist(), part.images, strict=True):
                assert known.setdefault(number, image.numpy().tobytes()) == image.numpy().tobytes()


def test_the_seed_draws_the_validation_images_and_never_the_test_images(digits):
    first, again, other = (digits.splits(TrainConfig(seed=seed)) for seed in (1, 1, 2))
    assert first.val.ids.equal(again.val.ids) and not first.val.ids.equal(other.val.ids)
    assert first.test.ids.equal(other.test.ids)
    assert datasets.load(TrainConfig()).test.ids.equal(digits.test.ids)


def test_each_class_gives_its_share_to_validation_and_test(digits):
    splits = digits.splits(TrainConfig(validation_fraction=0.25))
    counts = torch.stack([torch.bincount(part.labels, minlength=10) for part in (splits.train, splits.val)])
    assert ((counts[1] / counts.sum(0) - 0.25).abs() < 0.005).all()
    tested = torch.bincount(splits.test.labels, minlength=10)
    assert ((tested / (tested + counts.sum(0)) - 0.2).abs() < 0.005).all()


def test_without_a_validation_fraction_all_is_trained_on(digits):
    splits = digits.splits(TrainConfig(validation_fraction=0))
    assert len(splits.val) == 0 and splits.train.ids.equal(digits.train.ids)


def test_a_part_of_the_training_images_is_drawn_by_the_seed_after_validation_is_held_out(digits):
    full = digits.splits(TrainConfig(seed=3))
    part, again = (digits.splits(TrainConfig(seed=3, train_images=100)) for _ in range(2))
    assert len(part.train) == 100 and part.train.ids.equal(again.train.ids)
    assert set(part.train.ids.tolist()) < set(full.train.ids.tolist())
    assert part.val.ids.equal(full.val.ids)


def test_a_class_of_one_image_keeps_it_for_training():
    rest, held = stratified_split(
        image_set(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 0, 1])), 0.5, 0
    )
    assert rest.labels.tolist() == [0, 1] and held.labels.tolist() == [0]


def test_an_unknown_split_is_refused(digits):
    with pytest.raises(DatasetError, match=r"Unknown split 'dev'. Available: train, val, test."):
        digits.splits(TrainConfig()).get("dev")


# ── digits, and what all have in common ───────────────────────────────────────────────────────────────────────────


def test_digits_are_scikit_learns_enlarged(digits):
    from sklearn.datasets import load_digits

    source = load_digits()
    assert digits.train.images.shape == (1438, 1, 28, 28) and digits.train.images.dtype == torch.uint8
    assert digits.class_names == tuple("0123456789") and (digits.in_channels, digits.image_size) == (1, 28)
    for part in (digits.train, digits.test):
        assert part.labels.numpy().tolist() == source.target[part.ids.numpy()].tolist()
        small = torch.nn.functional.adaptive_avg_pool2d(part.images.float(), 8)[:, 0].numpy() * 16 / 255
        for ours, theirs in zip(small[:50], source.images[part.ids.numpy()][:50], strict=True):
            assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.95


def test_the_list_says_of_digits_what_loading_gives(digits):
    info = DATASETS.get("digits")
    assert info.shape == digits.shape == (1, 28, 10)
    assert (info.train_count, info.test_count) == (len(digits.train), len(digits.test))
    assert info.is_here() and info.download_mb == 0


def test_statistics_are_those_of_the_training_images(digits):
    pixels = digits.train.images.double() / 255
    assert digits.mean == pytest.approx([pixels.mean().item()], abs=1e-6)
    assert digits.std == pytest.approx([pixels.std(correction=0).item()], abs=1e-6)


def test_a_constant_channel_can_be_divided_by_its_deviation():
    mean, std = channel_statistics(torch.full((2, 1, 4, 4), 51, dtype=torch.uint8))
    assert mean == (0.2,) and std == (1.0,)


def test_an_unknown_dataset_is_answered_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"Unknown dataset 'imagenet'. Available: digits, mnist, fashion_mnist"):
        datasets.load(TrainConfig(dataset="imagenet"))


# ── tiny files of the real formats ────────────────────────────────────────────────────────────────────────────────


def idx(array: np.ndarray) -> bytes:
    """The IDX format of MNIST: magic number with type and dimensions, sizes, then bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def tiny_mnist() -> dict[str, np.ndarray]:
    dice = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": dice.integers(0, 256, (30, 28, 28)),
        "train-labels-idx1-ubyte": np.arange(30) % 10,
        "t10k-images-idx3-ubyte": dice.integers(0, 256, (20, 28, 28)),
        "t10k-labels-idx1-ubyte": np.arange(20) % 10,
    }


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def cifar_batch(name: str, count: int, seed: int) -> bytes:
    classes = 100 if name == "cifar100" else 10
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072)).astype(np.uint8)
    return pickle.dumps(
        {"data": pixels, "fine_labels" if classes == 100 else "labels": [n % classes for n in range(count)]}
    )


@pytest.fixture
def tiny_cifar(request, monkeypatch) -> dict[str, bytes]:
    """Files of the real format, with torchvision's lists of checksums made to fit them."""
    source = CIFAR_KIN[request.param]
    names = [file for file, _ in [*source.train_list, *source.test_list]]
    files = {file: cifar_batch(request.param, 20, seed) for seed, file in enumerate(names)}
    classes = [f"class {n}" for n in range(100 if request.param == "cifar100" else 10)]
    files[source.meta["filename"]] = pickle.dumps({source.meta["key"]: classes})
    for which in ("train_list", "test_list"):
        monkeypatch.setattr(source, which, [[file, md5(files[file])] for file, _ in getattr(source, which)])
    monkeypatch.setattr(source, "meta", source.meta | {"md5": md5(files[source.meta["filename"]])})
    return files


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


both_cifars = pytest.mark.parametrize(
    ("name", "tiny_cifar"), [("cifar10", "cifar10"), ("cifar100", "cifar100")], indirect=["tiny_cifar"], ids=str
)


@pytest.mark.parametrize("name", MNIST_KIN)
def test_mnists_kin_are_read_from_their_idx_files(name):
    write(torchvision_sets.folder_of(name), {file: idx(array) for file, array in tiny_mnist().items()})
    dataset = datasets.load(TrainConfig(dataset=name))
    assert (dataset.train.images[:, 0].numpy() == tiny_mnist()["train-images-idx3-ubyte"]).all()
    assert dataset.test.labels.tolist() == tiny_mnist()["t10k-labels-idx1-ubyte"].tolist()
    assert not set(dataset.train.ids.tolist()) & set(dataset.test.ids.tolist())
    assert len(dataset.class_names) == 10 and dataset.in_channels == 1
    if name == "mnist":
        assert dataset.class_names == tuple("0123456789")


@both_cifars
def test_cifars_are_read_from_their_batches(name, tiny_cifar):
    write(torchvision_sets.folder_of(name), tiny_cifar)
    dataset = datasets.load(TrainConfig(dataset=name))
    first = CIFAR_KIN[name].train_list[0][0]
    expected = pickle.loads(tiny_cifar[first])["data"].reshape(20, 3, 32, 32)
    assert (dataset.train.images[:20].numpy() == expected).all()
    assert len(dataset.train) == 20 * len(CIFAR_KIN[name].train_list) and len(dataset.test) == 20
    assert dataset.class_names[:2] == ("class 0", "class 1") and dataset.num_classes == len(dataset.class_names)


def test_a_second_reading_takes_what_the_first_kept_until_a_file_changes(monkeypatch):
    folder = torchvision_sets.folder_of("mnist")
    files = {file: idx(array) for file, array in tiny_mnist().items()}
    write(folder, files)
    first = datasets.load(TrainConfig(dataset="mnist"))
    with monkeypatch.context() as blocked:
        blocked.setattr(torchvision_sets, "load", lambda *_: pytest.fail("read anew"))
        second = datasets.load(TrainConfig(dataset="mnist"))
    for one, other in ((first.train, second.train), (first.test, second.test)):
        assert all(torch.equal(getattr(one, n)[:], getattr(other, n)[:]) for n in ("images", "labels", "ids"))
        assert other.images.is_contiguous(memory_format=torch.channels_last)
    facts = ("name", "class_names", "mean", "std", "val", "unreadable")
    assert [getattr(first, n) for n in facts] == [getattr(second, n) for n in facts]
    labels = tiny_mnist()["train-labels-idx1-ubyte"][::-1]
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    os.utime(folder / "train-labels-idx1-ubyte", (0, 0))  # clocks may be too coarse for a test
    assert datasets.load(TrainConfig(dataset="mnist")).train.labels.tolist() == labels.tolist()


def test_what_was_kept_and_is_damaged_is_read_anew(monkeypatch):
    write(torchvision_sets.folder_of("mnist"), {file: idx(array) for file, array in tiny_mnist().items()})
    datasets.load(TrainConfig(dataset="mnist"))
    (copy,) = cache_dir().glob("mnist-*.safetensors")
    copy.write_bytes(copy.read_bytes()[:200])
    assert len(datasets.load(TrainConfig(dataset="mnist")).train) == len(tiny_mnist()["train-labels-idx1-ubyte"])


def test_what_was_kept_of_another_folder_of_datasets_is_none_of_this_one(fresh_folders, monkeypatch, grey_squares):
    kept.keep(grey_squares, [])
    assert kept.recall("squares").train.images[:].equal(grey_squares.train.images[:])
    monkeypatch.setenv("CNNLAB_DATA", str(fresh_folders / "other"))
    assert kept.recall("squares") is None


def test_a_dataset_that_cannot_be_kept_is_read_all_the_same(monkeypatch, tmp_path):
    write(torchvision_sets.folder_of("mnist"), {file: idx(array) for file, array in tiny_mnist().items()})
    (tmp_path / "a file").touch()
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "a file" / "cache"))
    assert len(datasets.load(TrainConfig(dataset="mnist")).test) == len(tiny_mnist()["t10k-labels-idx1-ubyte"])


@pytest.mark.parametrize("cut", [0, 3, 10, 500])
def test_a_cut_idx_file_is_named_in_a_sentence(cut):
    folder = torchvision_sets.folder_of("mnist")
    write(folder, {file: idx(array) for file, array in tiny_mnist().items()})
    (folder / "train-images-idx3-ubyte").write_bytes(idx(tiny_mnist()["train-images-idx3-ubyte"])[:cut])
    with pytest.raises(DatasetError, match=f"files of mnist in {folder} cannot be read .* Delete that folder and try"):
        datasets.load(TrainConfig(dataset="mnist"))


class Trap:
    """Unpickling it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@both_cifars
def test_a_cifar_batch_with_another_checksum_is_never_unpickled(name, tiny_cifar, tmp_path):
    sprung = tmp_path / "sprung"
    files = tiny_cifar | {CIFAR_KIN[name].test_list[0][0]: pickle.dumps(Trap(sprung))}
    write(torchvision_sets.folder_of(name), files)
    with pytest.raises(DatasetError, match=f"The files of {name} in .* cannot be read"):
        datasets.load(TrainConfig(dataset=name))
    assert not sprung.exists()


# ── downloads ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; files that begin with ``cut`` promise more than they hold; ``broken`` speaks no HTTP."""

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/broken"):
            self.wfile.write(b"what?\r\n\r\n")
        elif self.path.startswith("/cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 500)
        elif self.path.startswith("/chunked"):
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"1000\r\nxyz")
            self.close_connection = True
        else:
            super().do_GET()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address where it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


@pytest.fixture
def served_mnist(served, monkeypatch) -> tuple[Path, str]:
    """The tiny MNIST, packed and served, with torchvision's addresses and checksums made to fit."""
    folder, address = served
    packed = {f"{file}.gz": gzip.compress(idx(array)) for file, array in tiny_mnist().items()}
    for file, content in packed.items():
        (folder / file).write_bytes(content)
    monkeypatch.setattr(MNIST_KIN["mnist"], "mirrors", [address])
    monkeypatch.setattr(MNIST_KIN["mnist"], "resources", [(file, md5(content)) for file, content in packed.items()])
    return folder, address


def test_mnist_is_downloaded_once_with_progress(served_mnist):
    folder, _ = served_mnist
    told: list[tuple[str, int, int]] = []
    assert not datasets.is_here("mnist")
    first = datasets.load(TrainConfig(dataset="mnist"), lambda *news: told.append(news))
    size = (folder / "train-images-idx3-ubyte.gz").stat().st_size
    assert ("Downloading train-images-idx3-ubyte.gz", size, size) in told
    assert {p.name for p in torchvision_sets.folder_of("mnist").iterdir()} == set(tiny_mnist())
    for file in folder.iterdir():
        file.unlink()
    assert datasets.is_here("mnist")
    assert datasets.load(TrainConfig(dataset="mnist")).train.images.equal(first.train.images)


def test_a_mirror_that_is_down_gives_way_to_the_next(served_mnist, nowhere, monkeypatch):
    monkeypatch.setattr(MNIST_KIN["mnist"], "mirrors", [nowhere, served_mnist[1]])
    assert len(datasets.load(TrainConfig(dataset="mnist")).train) == 30


def test_a_changed_file_is_refused_by_its_checksum_and_leaves_nothing(served_mnist):
    folder, address = served_mnist
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DatasetError) as caught:
        datasets.load(TrainConfig(dataset="mnist"))
    assert f"{address}t10k-images-idx3-ubyte.gz has the checksum" in str(caught.value)
    assert not datasets.is_here("mnist")
    assert not [p for p in torchvision_sets.folder_of("mnist").iterdir() if "t10k-images" in p.name]


def test_without_a_network_one_sentence_says_what_is_missing_and_where_to_put_it(nowhere, monkeypatch):
    monkeypatch.setattr(MNIST_KIN["mnist"], "mirrors", [nowhere])
    with pytest.raises(DatasetError) as caught:
        datasets.load(TrainConfig(dataset="mnist"))
    sentence = str(caught.value)
    assert sentence.startswith("mnist is not on this machine, and the download failed. ")
    assert "Connection refused" in sentence and str(torchvision_sets.folder_of("mnist")) in sentence
    assert all(file in sentence for file, _ in MNIST_KIN["mnist"].resources)
    assert not list(torchvision_sets.folder_of("mnist").iterdir())


@pytest.mark.parametrize("name", CIFAR_KIN)
def test_without_a_network_cifars_archive_is_named(name, nowhere, monkeypatch):
    monkeypatch.setattr(CIFAR_KIN[name], "url", f"{nowhere}{CIFAR_KIN[name].filename}")
    with pytest.raises(DatasetError) as caught:
        datasets.load(TrainConfig(dataset=name))
    assert f"fetch {nowhere}{CIFAR_KIN[name].filename} elsewhere and unpack it in " in str(caught.value)
    assert str(torchvision_sets.folder_of(name)) in str(caught.value)


@both_cifars
def test_cifar_is_downloaded_and_unpacked(name, tiny_cifar, served, monkeypatch, tmp_path):
    folder, address = served
    source = CIFAR_KIN[name]
    write(tmp_path / "packed" / source.base_folder, tiny_cifar)
    with tarfile.open(folder / source.filename, "w:gz") as archive:
        archive.add(tmp_path / "packed" / source.base_folder, source.base_folder)
    monkeypatch.setattr(source, "url", address + source.filename)
    monkeypatch.setattr(source, "tgz_md5", md5((folder / source.filename).read_bytes()))
    assert len(datasets.load(TrainConfig(dataset=name)).test) == 20
    assert datasets.is_here(name) and not list(tmp_path.glob("data/*.tar.gz*"))


def test_where_nothing_can_be_written_the_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "file"))
    with pytest.raises(
        DatasetError, match=f"mnist is not on this machine and {tmp_path}/file/MNIST/raw cannot be writ"
    ):
        datasets.load(TrainConfig(dataset="mnist"))


@pytest.mark.parametrize("file", ["missing", "cut", "chunked", "broken"])
def test_a_download_that_fails_leaves_nothing_and_says_why(served, tmp_path, file):
    _, address = served
    with pytest.raises(DatasetError, match=f"^{address}{file} could not be downloaded \\([^\n]+\\)\\.$"):
        fetch(address + file, tmp_path / "here" / "file", md5(b"x" * 1000))
    assert not list((tmp_path / "here").iterdir())


def test_a_failed_download_spoils_no_file_that_is_there(served, tmp_path):
    folder, address = served
    (tmp_path / "file").write_bytes(b"old")
    (folder / "new").write_bytes(b"new")
    with pytest.raises(DatasetError, match="has the checksum"):
        fetch(address + "new", tmp_path / "file", md5(b"other"))
    assert (tmp_path / "file").read_bytes() == b"old"
    fetch(address + "new", tmp_path / "file", md5(b"new"))
    assert (tmp_path / "file").read_bytes() == b"new"


# ── the real MNIST ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_real_mnist_is_what_the_list_says(real_mnist):
    info = DATASETS.get("mnist")
    assert (len(real_mnist.train), len(real_mnist.test)) == (info.train_count, info.test_count) == (60_000, 10_000)
    assert real_mnist.mean == pytest.approx([0.1307], abs=1e-4) and real_mnist.std == pytest.approx([0.3081], abs=1e-4)
    assert real_mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    splits = real_mnist.splits(TrainConfig(dataset="mnist", validation_fraction=0.05))
    assert abs(len(splits.val) - 3000) < 5 and not set(splits.val.ids.tolist()) & set(splits.train.ids.tolist())
