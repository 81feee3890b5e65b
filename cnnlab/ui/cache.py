"""What the pages keep in memory between reruns and share between visitors: datasets, networks' outlines, timings.

Cached objects are never changed. What a run says of itself is not cached: it is asked of its folder.
"""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnlab import datasets, models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, Splits
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.explain.anatomy import Part, anatomy
from cnnlab.explain.attributions import METHODS, Maps
from cnnlab.explain.embeddings import Projection, last_features, principal
from cnnlab.machine import computing_threads, thread_count
from cnnlab.prediction.novelty import Novelty, novelty_of
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.temperature import Calibration, calibrate
from cnnlab.runs import Run
from cnnlab.timing import time_step
from cnnlab.train import CHECK_ERRORS, check

Shape = tuple[int, int, int]
"""(in_channels, image_size, num_classes)."""


@st.cache_resource(max_entries=4, show_spinner=False)
def _dataset(name: str, image_size: int, color: bool, changed: float) -> ImageDataset:
    return datasets.load(TrainConfig(dataset=name, image_size=image_size, color=color), _show_progress())


def dataset(config: TrainConfig) -> ImageDataset:
    """The dataset of ``config``; a progress bar shows while it is fetched or decoded. Raises DatasetError."""
    if not config.dataset.startswith(datasets.FOLDER_PREFIX):
        return _dataset(config.dataset, 32, True, 0.0)
    datasets.check_name(config.dataset)
    return _dataset(config.dataset, config.image_size, config.color, _changed(config))


def _changed(config: TrainConfig) -> float:
    """When an image folder, or a folder for a split or a class in it, was last changed; 0 for any other dataset.

    Files that come and go are seen by it at once, and without a look at each; one that is written over is not.
    """
    if not config.dataset.startswith(datasets.FOLDER_PREFIX):
        return 0.0
    root = datasets.folder_path(config.dataset)
    return max((p.stat().st_mtime for p in (root, *root.glob("*/"), *root.glob("*/*/")) if p.is_dir()), default=0.0)


def file_names(config: TrainConfig) -> list[str]:
    """The files of a person's images by id, empty for any other dataset. Raises DatasetError."""
    return _file_names(config.dataset, _changed(config))


@st.cache_resource(max_entries=4, show_spinner=False)
def _file_names(name: str, changed: float) -> list[str]:
    return datasets.file_names(TrainConfig(dataset=name))


@st.cache_resource(max_entries=4, show_spinner=False)
def _splits(
    _images: ImageDataset, name: str, shape: Shape, changed: float, fraction: float, seed: int, limit: int
) -> Splits:
    return _images.splits(TrainConfig(dataset=name, validation_fraction=fraction, seed=seed, train_images=limit))


def splits(config: TrainConfig) -> Splits:
    """The splits that ``config`` trains and is judged on. Raises DatasetError."""
    images = dataset(config)
    shape = (images.in_channels, images.image_size, images.num_classes)
    facts = (config.validation_fraction, config.seed, config.train_images)
    return _splits(images, config.dataset, shape, _changed(config), *facts)


def _show_progress() -> Any:
    bar = st.progress(0.0, "Reading the images …")

    def show(what: str, done: int, total: int) -> None:
        if total and done >= total:
            bar.empty()
        else:
            bar.progress(done / total if total else 0.0, f"{what} …" + (f" {100 * done // total} %" if total else ""))

    bar.empty()
    return show


def known_shape(config: TrainConfig) -> Shape | None:
    """The shape of the dataset's images and classes, if it is known without loading it."""
    if config.dataset in datasets.DATASETS:
        info = datasets.DATASETS.get(config.dataset)
        return info.in_channels, info.image_size, info.num_classes
    return None


def problem_with(config: TrainConfig) -> str | None:
    """Why ``config`` cannot be trained, in a sentence; None if it can."""
    return _problem_with(config, _changed(config))


@st.cache_data(max_entries=256, show_spinner=False)
def _problem_with(config: TrainConfig, changed: float) -> str | None:
    try:
        check(config)
    except CHECK_ERRORS as error:
        return str(error)
    return None


@st.cache_data(max_entries=256, show_spinner=False)
def training_threads(config: TrainConfig, shape: Shape) -> int:
    """How many threads a training by ``config`` computes with here: a small network is built to know its work."""
    return thread_count(config, *shape)


@st.cache_data(max_entries=256, show_spinner=False)
def parameter_count(config: TrainConfig, shape: Shape) -> int:
    """How many numbers the network of ``config`` learns."""
    return models.count_parameters(models.outline(config, *shape))


@st.cache_resource(max_entries=32, show_spinner=False)
def _parts(network: str, shape: Shape, batch: int) -> list[Part]:
    outline = models.outline(TrainConfig.model_validate_json(network), *shape)
    return anatomy(outline, (shape[0], shape[1], shape[1]), batch)


def parts(config: TrainConfig, shape: Shape, batch: int = 1) -> list[Part]:
    """The layers of the network of ``config`` for ``batch`` images, without its weights. Raises ModelError."""
    counts = {name: getattr(config, name) for name in ("model", "dropout", "blocks", "hidden")}
    return _parts(TrainConfig(**counts).model_dump_json(), shape, batch)


@st.cache_resource(max_entries=64, ttl=60, show_spinner=False)  # the machine may be less busy in a minute
def _timing(settings: str, shape: Shape) -> float:
    config = TrainConfig.model_validate_json(settings)
    with computing_threads(training_threads(config, shape)):
        return time_step(config, *shape)


def seconds_per_step(config: TrainConfig, shape: Shape) -> float:
    """What a training step of ``config`` takes here, measured once for each network, batch size and optimiser."""
    counts = ("model", "dropout", "blocks", "hidden", "optimizer", "batch_size", "device", "precision")
    relevant = {name: getattr(config, name) for name in counts}
    return _timing(TrainConfig(**relevant).model_dump_json(), shape)


def evaluation(run: Path, split: str, checkpoint: str, changed: int) -> Evaluation:
    """The answers of a run's checkpoint for a split; a progress bar shows while they are made.

    ``changed`` is when the checkpoint was written. Raises RunError, CheckpointError or DatasetError.
    """
    return _evaluation(run, split, checkpoint, changed, _changed(Run(run).config))


@st.cache_resource(max_entries=8, show_spinner=False)
def _evaluation(run: Path, split: str, checkpoint: str, changed: int, images_changed: float) -> Evaluation:
    show = _show_progress()
    return evaluate(Run(run), split, checkpoint, lambda done, total: show("Asking the network", done, total), dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def predictor(run: Path, checkpoint: str, changed: int) -> Predictor:
    """The network of a run's checkpoint, ready to answer. Raises RunError, CheckpointError or ModelError."""
    return load_predictor(Run(run), checkpoint)


@st.cache_resource(max_entries=32, show_spinner="Once for this run: asking it about its validation images …")
def calibration(run: Path, checkpoint: str, changed: int) -> Calibration:
    """How sure a run's checkpoint may say it is. Raises RunError, CheckpointError or ModelError."""
    return calibrate(Run(run), checkpoint, _dataset_if_here)


@st.cache_resource(max_entries=8, show_spinner="Once for this run: looking at what it was trained on …")
def novelty(run: Path, checkpoint: str, changed: int) -> Novelty | None:
    """What a run's checkpoint knows, to tell what is unlike it; None where its images are not on this machine."""
    try:
        return novelty_of(predictor(run, checkpoint, changed), _dataset_if_here)
    except datasets.DatasetError:
        return None


def _dataset_if_here(config: TrainConfig) -> ImageDataset:
    datasets.refuse_download(config.dataset)
    return dataset(config)


@st.cache_resource(max_entries=4, show_spinner=False)
def features(
    run: Path, checkpoint: str, changed: int, split: str, most: int, version: str
) -> tuple[NDArray[np.int64], Tensor]:
    """Places of at most ``most`` images of a split, int64 [M], drawn by chance where there are more; their features.

    ``version`` is that of the images. A progress bar shows while they are made. Raises RunError, CheckpointError or
    DatasetError.
    """
    asked = predictor(run, checkpoint, changed)
    saved = asked.checkpoint
    part = splits(saved.config).get(split)
    places = np.sort(np.random.default_rng(0).permutation(len(part))[:most])
    show = _show_progress()
    found = last_features(
        asked.network,
        part.select(torch.from_numpy(places)).images,
        saved.config,
        saved.scaling,
        lambda done, total: show("Asking the network for its features", done, total),
    )
    return places, found


@st.cache_data(max_entries=512, show_spinner=False)
def attribution(of: tuple[Path, str, int], method: str, label: int, image: NDArray[np.uint8]) -> Maps:
    """What ``method`` says of ``image`` (uint8 [C, H, W]) and class ``label``: float32 [H, W]."""
    asked = predictor(*of)
    maps = METHODS[method].explain(asked.network, torch.from_numpy(image)[None], asked.checkpoint.scaling, label)
    found: Maps = maps[0]
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def projection(run: Path, checkpoint: str, changed: int, split: str, most: int, version: str) -> Projection:
    """The PCA of what ``features`` gives for the same."""
    return principal(features(run, checkpoint, changed, split, most, version)[1])
