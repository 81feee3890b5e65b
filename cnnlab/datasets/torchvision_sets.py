"""The datasets that torchvision knows: MNIST and its kin, CIFAR-10 and CIFAR-100.

torchvision says where they lie on the network, what their checksums are and how their files are read; here they are
fetched with progress, and become tensors.
"""

import gzip
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torchvision import datasets as tv

from cnnlab.datasets.base import ImageDataset, image_set, make_dataset
from cnnlab.datasets.download import Progress, fetch, silent
from cnnlab.datasets.error import DatasetError
from cnnlab.paths import data_dir, written_whole

MNIST_KIN: dict[str, type[tv.MNIST]] = {
    "mnist": tv.MNIST,
    "fashion_mnist": tv.FashionMNIST,
    "kmnist": tv.KMNIST,
}
CIFAR_KIN: dict[str, type[tv.CIFAR10]] = {"cifar10": tv.CIFAR10, "cifar100": tv.CIFAR100}


def folder_of(name: str) -> Path:
    """Where the files of the dataset ``name`` lie, or would."""
    if name in MNIST_KIN:
        return data_dir() / MNIST_KIN[name].__name__ / "raw"
    return data_dir() / str(CIFAR_KIN[name].base_folder)


def files_of(name: str) -> list[Path]:
    """The files from which the dataset ``name`` is read."""
    if name in MNIST_KIN:
        return [folder_of(name) / Path(file).stem for file, _ in MNIST_KIN[name].resources]
    source = CIFAR_KIN[name]
    return [folder_of(name) / file for file, _ in [*source.train_list, *source.test_list]]


def is_here(name: str) -> bool:
    """Whether the files of the dataset ``name`` are on this machine; their content is checked when they are read."""
    return all(file.is_file() for file in files_of(name))


def load(name: str, on_progress: Progress = silent) -> ImageDataset:
    """The dataset ``name`` in memory, downloaded first where it is missing.

    Raises DatasetError: without a network, with a damaged file, where nothing may be written.
    """
    if not is_here(name):
        _obtain(name, on_progress)
    try:
        train, test = _read(name, train=True), _read(name, train=False)
    except (RuntimeError, ValueError, OSError, EOFError, LookupError, AssertionError) as error:
        reason = str(error) or "damaged"
        raise DatasetError(
            f"The files of {name} in {folder_of(name)} cannot be read ({reason}). Delete that folder and try again."
        ) from error
    pixels, labels = _tensors(train)
    test_pixels, test_labels = _tensors(test)
    names = tuple(str(c).split(" - ")[-1].strip() for c in train.classes)
    names = tuple("0123456789") if name == "mnist" else names
    return make_dataset(name, names, image_set(pixels, labels), image_set(test_pixels, test_labels, len(labels)))


def _read(name: str, train: bool) -> Any:
    build: Callable[..., Any] = MNIST_KIN.get(name) or CIFAR_KIN[name]
    return build(root=str(data_dir()), train=train, download=False)


def _tensors(source: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(source.data, np.ndarray):  # CIFAR: uint8 [N, H, W, C]
        return torch.from_numpy(source.data).permute(0, 3, 1, 2), torch.tensor(source.targets)
    return source.data.unsqueeze(1), source.targets  # MNIST: uint8 [N, H, W]


def _obtain(name: str, on_progress: Progress) -> None:
    folder = folder_of(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(data_dir() / f"{name}.lock"):  # another process, or a page, may be fetching it
            if is_here(name):
                return
            if name in MNIST_KIN:
                for file, md5 in MNIST_KIN[name].resources:
                    if not (folder / Path(file).stem).is_file():
                        _fetch_gzip(MNIST_KIN[name].mirrors, file, md5, folder, on_progress)
            else:
                _fetch_tar(CIFAR_KIN[name], folder, on_progress)
    except OSError as error:
        raise DatasetError(f"{name} is not on this machine and {folder} cannot be written ({error}).") from error
    except DatasetError as error:
        raise DatasetError(
            f"{name} is not on this machine, and the download failed. {error} {_how_to_bring(name)}"
        ) from error


def _how_to_bring(name: str) -> str:
    """One sentence: which files to put where, for a machine without a network."""
    if name in MNIST_KIN:
        source = MNIST_KIN[name]
        files = ", ".join(file for file, _ in source.resources)
        place = f"{source.mirrors[0]} elsewhere, unpack them and put them into {folder_of(name)}"
        return f"Without a network, fetch {files} from {place}."
    url = CIFAR_KIN[name].url
    return f"Without a network, fetch {url} elsewhere and unpack it in {data_dir()}, so that {folder_of(name)} exists."


def _fetch_gzip(mirrors: list[str], file: str, md5: str, folder: Path, on_progress: Progress) -> None:
    packed = folder / file
    for mirror in mirrors:
        try:
            fetch(mirror + file, packed, md5, on_progress)
            break
        except DatasetError:
            if mirror == mirrors[-1]:
                raise
    target = folder / packed.stem
    with gzip.open(packed) as source, written_whole(target) as part, part.open("wb") as out:
        shutil.copyfileobj(source, out)
    packed.unlink()


def _fetch_tar(source: type[tv.CIFAR10], folder: Path, on_progress: Progress) -> None:
    archive = data_dir() / source.filename
    fetch(source.url, archive, source.tgz_md5, on_progress)
    on_progress(f"Unpacking {archive.name}", 0, 0)
    with tempfile.TemporaryDirectory(dir=data_dir()) as unpacked:  # each file appears whole
        shutil.unpack_archive(archive, unpacked, filter="data")
        for file in (Path(unpacked) / source.base_folder).iterdir():
            file.replace(folder / file.name)
    archive.unlink()
