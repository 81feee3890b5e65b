"""Datasets by name: what each is, and how it comes into memory.

>>> load(TrainConfig(dataset="digits")).train.images.shape
torch.Size([1438, 1, 28, 28])
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType

import torch

from cnnlab.config import TrainConfig
from cnnlab.datasets import class_folders, digits, folder, kept
from cnnlab.datasets.base import ImageDataset, ImageSet, Splits
from cnnlab.datasets.download import Progress, silent
from cnnlab.datasets.error import DatasetError
from cnnlab.datasets.mapped import on_disk
from cnnlab.datasets.memory import memory_budget
from cnnlab.datasets.view import ImageView
from cnnlab.paths import FOLDER_PREFIX, cache_dir, folder_path, refused
from cnnlab.registry import Registry


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before it is loaded; ``shape`` is (in_channels, image_size, num_classes)."""

    title: str
    summary: str
    shape: tuple[int, int, int]
    train_count: int
    test_count: int
    download_mb: int
    load: Callable[[Progress], ImageDataset]
    is_here: Callable[[], bool]


DATASETS: Registry[DatasetInfo] = Registry("dataset")

DATASETS.add(
    "digits",
    DatasetInfo(
        "Digits",
        "1,797 real handwritten digits from scikit-learn, enlarged to 28×28; comes with the install.",
        (1, 28, 10),
        1438,
        359,
        0,
        lambda on_progress: digits.load(),
        lambda: True,
    ),
)


def _torchvision_sets() -> ModuleType:
    from cnnlab.datasets import torchvision_sets  # takes two seconds: for the first reading alone

    return torchvision_sets


def _load(name: str, on_progress: Progress) -> ImageDataset:
    if (dataset := kept.recall(name)) is None:
        dataset = _torchvision_sets().load(name, on_progress)
        kept.keep(dataset, _torchvision_sets().files_of(name))
    return dataset


def _torchvision(name: str, title: str, summary: str, shape: tuple[int, int, int], train: int, mb: int) -> None:
    info = DatasetInfo(
        title,
        summary,
        shape,
        train,
        10_000,
        mb,
        lambda on_progress: _load(name, on_progress),
        lambda: _torchvision_sets().is_here(name),
    )
    DATASETS.add(name, info)


_torchvision("mnist", "MNIST", "Handwritten digits, the classic first dataset.", (1, 28, 10), 60_000, 11)
_torchvision("fashion_mnist", "Fashion-MNIST", "Ten kinds of clothing, harder than digits.", (1, 28, 10), 60_000, 30)
_torchvision("kmnist", "Kuzushiji-MNIST", "Ten cursive Japanese characters.", (1, 28, 10), 60_000, 21)
_torchvision("cifar10", "CIFAR-10", "Small colour photographs of ten kinds of things.", (3, 32, 10), 50_000, 170)
_torchvision(
    "cifar100", "CIFAR-100", "Small colour photographs of a hundred kinds of things.", (3, 32, 100), 50_000, 169
)


def check_name(name: str) -> None:
    """Raise DatasetError or UnknownName if no dataset can be called ``name``; reads no image."""
    if not name.startswith(FOLDER_PREFIX):
        if name not in DATASETS and class_folders.is_folder(folder_path(name)):
            raise DatasetError(f"'{name}' is a folder: to train on its images, give folder:{name}.")
        DATASETS.get(name)
    elif not name.removeprefix(FOLDER_PREFIX).strip():
        raise DatasetError("Which folder? Give folder:PATH with the path of your images.")
    elif why := refused(folder_path(name)):
        raise DatasetError(why)
    else:
        class_folders.expect_folder(folder_path(name))


def holds_out(config: TrainConfig) -> bool:
    """Whether ``config`` has validation images: a fraction, or those that a person's folder brings.

    Raises DatasetError where there is no such folder. No image is read: what the folder brings may be unreadable.
    """
    return config.validation_fraction > 0 or brings_validation(config.dataset)


def brings_validation(name: str) -> bool:
    """Whether the dataset ``name`` is a folder with validation images; raises DatasetError where it is not there."""
    return name.startswith(FOLDER_PREFIX) and "val" in class_folders.split_folders(folder_path(name))


def is_here(name: str) -> bool:
    """Whether the dataset ``name`` can be loaded without a download."""
    return name.startswith(FOLDER_PREFIX) or DATASETS.get(name).is_here()


def not_here(name: str) -> str:
    """What to say of the dataset ``name`` where it would have to be downloaded first, or is a folder that is gone."""
    if name.startswith(FOLDER_PREFIX):
        return f"{folder_path(name)} is not among the folders that your runs have learnt from: train on it first."
    title = DATASETS.get(name).title if name in DATASETS else name
    return f"{title} is not on this machine: download it on the Train page."


def refuse_download(name: str) -> None:
    """Raise DatasetError where the dataset ``name`` would have to be downloaded first."""
    if not is_here(name):
        raise DatasetError(not_here(name))


def version(config: TrainConfig) -> str | None:
    """The ``version`` of the dataset that ``config`` names, without loading it; None where it was never loaded.

    Raises DatasetError or UnknownName where it cannot be had.
    """
    check_name(config.dataset)
    if not config.dataset.startswith(FOLDER_PREFIX):
        return ""
    return folder.version_of(folder_path(config.dataset), config.image_size, config.color)


def file_names(config: TrainConfig) -> list[str]:
    """The files of a person's images, by their ids, as paths below their folder; empty for any other dataset.

    Raises DatasetError where they cannot be had.
    """
    if not config.dataset.startswith(FOLDER_PREFIX):
        return []
    check_name(config.dataset)
    return class_folders.file_names(folder_path(config.dataset))


def load(config: TrainConfig, on_progress: Progress = silent) -> ImageDataset:
    """The dataset that ``config`` names, downloaded or decoded first where need be.

    Its images are in memory; or in a file, where they take more than :func:`memory.memory_budget`.
    Raises UnknownName for a name that is no dataset, DatasetError where it cannot be had.
    """
    check_name(config.dataset)
    if config.dataset.startswith(FOLDER_PREFIX):
        return folder.load(folder_path(config.dataset), config.image_size, config.color, on_progress)
    return _within(memory_budget(), DATASETS.get(config.dataset).load(on_progress))


def load_if_here(config: TrainConfig) -> ImageDataset:
    """The dataset of ``config``, but nothing is downloaded for it: raises DatasetError where it would have to be."""
    refuse_download(config.dataset)
    return load(config)


def streaming_note(dataset: ImageDataset) -> str:
    """One sentence for people about a dataset whose images are ``in_file``."""
    images, budget = (f"{size / 2**30:.3g} GB" for size in (dataset.image_bytes, memory_budget()))
    return f"The images take {images}, more than the {budget} of CNNLAB_MEMORY_GB: batches are read from disk."


def _within(budget: int, dataset: ImageDataset) -> ImageDataset:
    """``dataset``, or the same with its images in a file where they take more than ``budget`` bytes."""
    if dataset.image_bytes <= budget:
        return dataset
    try:
        return replace(dataset, train=_moved(dataset.train), test=_moved(dataset.test))
    except OSError as error:
        raise DatasetError(
            f"{dataset.name} is larger than the memory budget and cannot be written to {cache_dir()} ({error}): raise "
            "CNNLAB_MEMORY_GB, or set CNNLAB_CACHE to another folder."
        ) from error


def _moved(part: ImageSet) -> ImageSet:
    return replace(part, images=ImageView(on_disk(part.images[:]), torch.arange(len(part))))


__all__ = [
    "DATASETS",
    "FOLDER_PREFIX",
    "DatasetError",
    "DatasetInfo",
    "ImageDataset",
    "ImageSet",
    "Splits",
    "brings_validation",
    "check_name",
    "file_names",
    "folder_path",
    "holds_out",
    "is_here",
    "load",
    "load_if_here",
    "not_here",
    "refuse_download",
    "streaming_note",
    "version",
]
