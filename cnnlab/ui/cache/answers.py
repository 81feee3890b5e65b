"""What trained networks answer, and what is made of it, by run, checkpoint, and when that was written.

What needs the run's images goes also by whether they are here and when they were last changed.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.datasets.download import Progress
from cnnlab.evaluation import findings as rules
from cnnlab.evaluation.advice import Advice
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.explain import bank
from cnnlab.explain.attributions import METHODS, Map
from cnnlab.explain.embeddings import Projection, last_features, principal
from cnnlab.prediction.novelty import Novelty, novelty_of
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.temperature import Calibration, calibrate
from cnnlab.runs import Run, RunError, list_runs
from cnnlab.ui.cache.images import changed as images_changed
from cnnlab.ui.cache.images import dataset, splits
from cnnlab.ui.cache.summaries import summary
from cnnlab.ui.progress import progress

Images = tuple[bool, float]
"""Whether a run's images are on this machine, and when they were last changed, if they are a person's own."""


def _images_of(run: Path) -> Images:
    config = Run(run).config
    known = config.dataset.startswith(datasets.FOLDER_PREFIX) or config.dataset in datasets.DATASETS
    return known and datasets.is_here(config.dataset), images_changed(config)


def _if_here(config: TrainConfig, show: Progress) -> ImageDataset:
    datasets.refuse_download(config.dataset)
    return dataset(config, show)


# ── a split ───────────────────────────────────────────────────────────────────────────────────────────────────────


def evaluation(run: Path, split: str, checkpoint: str, changed: int) -> Evaluation:
    """The answers of a run's checkpoint for a split; a progress bar shows while they are made.

    ``changed`` is when the checkpoint was written. Raises RunError, CheckpointError or DatasetError.
    """
    with progress() as show:
        return _evaluation(run, split, checkpoint, changed, images_changed(Run(run).config), show)


@st.cache_resource(max_entries=8, show_spinner=False)
def _evaluation(run: Path, split: str, checkpoint: str, changed: int, images: float, _show: Progress) -> Evaluation:
    def asked(done: int, total: int) -> None:
        _show("Asking the network", done, total)

    return evaluate(Run(run), split, checkpoint, asked, lambda config: dataset(config, _show))


def findings(run: Run, evaluation: Evaluation, changed: int) -> list[Advice]:
    """All that the rules of ``advice`` have to say about a run's answers, ``changed`` as for these. Raises RunError."""
    e = evaluation
    own = _written([run.path], ("metrics.jsonl",))
    others = _written(sorted(run.path.parent.iterdir()), ("config.json", "name", run.predictions_path(e.split).name))
    best = _best(run.path.parent) if e.split == "val" else ()
    return _findings(run.path, e.split, e.checkpoint, changed, e.version, own + others, best, e)


@st.cache_resource(max_entries=8, show_spinner=False)
def _findings(
    run: Path,
    split: str,
    checkpoint: str,
    changed: int,
    version: str,
    written: tuple[int, ...],
    best: tuple[float | None, ...],
    _answers: Evaluation,
) -> list[Advice]:
    return rules.findings(Run(run), _answers)


def _best(runs: Path) -> tuple[float | None, ...]:
    """The best validation accuracies so far of all runs; a step of one that is training changes none."""
    found = []
    for run in list_runs(runs):
        with suppress(RunError):
            found.append(summary(run).best_accuracy)
    return tuple(found)


def _written(folders: Sequence[Path], names: tuple[str, ...]) -> tuple[int, ...]:
    """When these files of runs were written, in nanoseconds; 0 for one that is not there."""
    files = (folder / name for folder in folders for name in names)
    return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)


# ── a network ─────────────────────────────────────────────────────────────────────────────────────────────────────


@st.cache_resource(max_entries=8, show_spinner=False)
def predictor(run: Path, checkpoint: str, changed: int) -> Predictor:
    """The network of a run's checkpoint, ready to answer. Raises RunError, CheckpointError or ModelError."""
    return load_predictor(Run(run), checkpoint)


def first_layer(run: Path) -> bank.Bank:
    """The first convolution that a run has learnt. Raises RunError, CheckpointError or ModelError."""
    checkpoint = Run(run).chosen_checkpoint()
    return _first_layer(run, checkpoint, Run(run).checkpoint_time(checkpoint) if checkpoint else 0)


@st.cache_resource(max_entries=32, show_spinner=False)
def _first_layer(run: Path, checkpoint: str | None, changed: int) -> bank.Bank:
    return bank.first_layer(Run(run))


def calibration(run: Path, checkpoint: str, changed: int) -> Calibration:
    """How sure a run's checkpoint may say it is. Raises RunError, CheckpointError or ModelError."""
    with progress() as show:
        return _calibration(run, checkpoint, changed, _images_of(run), show)


@st.cache_resource(max_entries=32, show_spinner="Once for this run: asking it about its validation images …")
def _calibration(run: Path, checkpoint: str, changed: int, images: Images, _show: Progress) -> Calibration:
    return calibrate(Run(run), checkpoint, lambda config: _if_here(config, _show))


def novelty(run: Path, checkpoint: str, changed: int) -> Novelty | None:
    """What a run's checkpoint knows, to tell what is unlike it; None where its images are not on this machine."""
    with progress() as show:
        return _novelty(run, checkpoint, changed, _images_of(run), show)


@st.cache_resource(max_entries=8, show_spinner="Once for this run: looking at what it was trained on …")
def _novelty(run: Path, checkpoint: str, changed: int, images: Images, _show: Progress) -> Novelty | None:
    try:
        return novelty_of(predictor(run, checkpoint, changed), lambda config: _if_here(config, _show))
    except datasets.DatasetError:
        return None


# ── what it makes of images ───────────────────────────────────────────────────────────────────────────────────────


def features(
    run: Path, checkpoint: str, changed: int, split: str, most: int, version: str
) -> tuple[NDArray[np.int64], Tensor]:
    """Places of at most ``most`` images of a split, int64 [M], drawn by chance where there are more; their features.

    ``version`` is that of the images. A progress bar shows while they are made. Raises RunError, CheckpointError or
    DatasetError.
    """
    with progress() as show:
        return _features(run, checkpoint, changed, split, most, version, show)


@st.cache_resource(max_entries=4, show_spinner=False)
def _features(
    run: Path, checkpoint: str, changed: int, split: str, most: int, version: str, _show: Progress
) -> tuple[NDArray[np.int64], Tensor]:
    asked = predictor(run, checkpoint, changed)
    saved = asked.checkpoint
    part = splits(saved.config, _show).get(split)
    places = np.sort(np.random.default_rng(0).permutation(len(part))[:most])
    found = last_features(
        asked.network,
        part.select(torch.from_numpy(places)).images,
        saved.config,
        saved.scaling,
        lambda done, total: _show("Asking the network for its features", done, total),
    )
    return places, found


def projection(run: Path, checkpoint: str, changed: int, split: str, most: int, version: str) -> Projection:
    """The PCA of what ``features`` gives for the same."""
    asked = (run, checkpoint, changed, split, most, version)
    return _projection(asked, features(*asked)[1])


@st.cache_resource(max_entries=8, show_spinner=False)
def _projection(asked: tuple[Path, str, int, str, int, str], _features: Tensor) -> Projection:
    return principal(_features)


@st.cache_data(max_entries=512, show_spinner=False)
def attribution(of: tuple[Path, str, int], method: str, label: int, image: NDArray[np.uint8]) -> Map:
    """What ``method`` says of ``image`` (uint8 [C, H, W]) and class ``label``: float32 [H, W]."""
    asked = predictor(*of)
    return METHODS[method].explain(asked.network, torch.from_numpy(image), asked.checkpoint.scaling, label)
