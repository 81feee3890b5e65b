"""Datasets and their splits; of a person's own images as they are now in their folder."""

from pathlib import Path

import streamlit as st

from cnnlab import datasets
from cnnlab.checks import CHECK_ERRORS, check
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, Splits
from cnnlab.datasets.class_folders import CALLED
from cnnlab.datasets.download import Progress
from cnnlab.datasets.folder import last_decoded
from cnnlab.models import Shape
from cnnlab.ui.progress import progress


def dataset(config: TrainConfig, show: Progress | None = None) -> ImageDataset:
    """The dataset of ``config``; a progress bar, or ``show``, tells how far it is fetched or decoded.

    Raises DatasetError.
    """
    if show is None:
        with progress() as bar:
            return dataset(config, bar)
    if not config.dataset.startswith(datasets.FOLDER_PREFIX):
        return _dataset(config.dataset, 32, True, 0.0, show)
    datasets.check_name(config.dataset)
    key = (config.dataset, config.image_size, config.color)
    before = changed(config)
    found = _dataset(*key, before, show)
    if (now := changed(config)) != before:  # they have just been decoded: not to be held twice
        _dataset.clear(*key, before, show)
        found = _dataset(*key, now, show)
    return found


@st.cache_resource(max_entries=4, show_spinner=False)
def _dataset(name: str, image_size: int, color: bool, changed: float, _show: Progress) -> ImageDataset:
    return datasets.load(TrainConfig(dataset=name, image_size=image_size, color=color), _show)


def changed(config: TrainConfig) -> float:
    """When an image folder, or a folder for a split or a class in it, last changed, or its images were last decoded.

    0 for any other dataset, and for a folder that cannot be: whoever loads it is told. Files that come and go are seen
    by it at once, and without a look at each; one that is written over is seen when a training decodes it.
    """
    if not config.dataset.startswith(datasets.FOLDER_PREFIX):
        return 0.0
    root = datasets.folder_path(config.dataset)
    try:
        inside = _folders(root)
        below = [p for folder in inside if folder.name.lower() in CALLED for p in _folders(folder)]  # else a class
        times = [p.stat().st_mtime for p in (root, *inside, *below) if p.is_dir()]
        return max([*times, last_decoded(root, config.image_size, config.color)])
    except OSError:  # a name of 1,000 letters
        return 0.0


def _folders(path: Path) -> list[Path]:
    return list(path.glob("*/"))


def file_names(config: TrainConfig) -> list[str]:
    """The files of a person's images by id, empty for any other dataset. Raises DatasetError."""
    return _file_names(config.dataset, changed(config))


@st.cache_resource(max_entries=4, show_spinner=False)
def _file_names(name: str, changed: float) -> list[str]:
    return datasets.file_names(TrainConfig(dataset=name))


def splits(config: TrainConfig, show: Progress | None = None) -> Splits:
    """The splits that ``config`` trains and is judged on, told of as by ``dataset``. Raises DatasetError."""
    images = dataset(config, show)
    facts = (config.validation_fraction, config.seed, config.train_images)
    return _splits(images, config.dataset, images.shape, changed(config), *facts)


@st.cache_resource(max_entries=4, show_spinner=False)
def _splits(
    _images: ImageDataset, name: str, shape: Shape, changed: float, fraction: float, seed: int, limit: int
) -> Splits:
    return _images.splits(TrainConfig(dataset=name, validation_fraction=fraction, seed=seed, train_images=limit))


def problem_with(config: TrainConfig) -> str | None:
    """Why ``config`` cannot be trained, in a sentence; None if it can."""
    return _problem_with(config, changed(config))


@st.cache_data(max_entries=256, show_spinner=False)
def _problem_with(config: TrainConfig, changed: float) -> str | None:
    try:
        check(config)
    except CHECK_ERRORS as error:
        return str(error)
    return None
