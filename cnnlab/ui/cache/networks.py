"""Networks before they are trained: their layers, their size, and how long a step of them takes here."""

import streamlit as st

from cnnlab import datasets, models
from cnnlab.config import TrainConfig
from cnnlab.explain.anatomy import Part, anatomy
from cnnlab.machine import computing_threads, thread_count
from cnnlab.models import Shape
from cnnlab.timing import time_step

NETWORK = ("model", "dropout", "blocks", "hidden")  # the settings that a network is built from


def _only(config: TrainConfig, *names: str) -> str:
    """The settings ``names`` of ``config`` as JSON, all others as by default: what a cache is asked by."""
    return TrainConfig(**{name: getattr(config, name) for name in names}).model_dump_json()


def known_shape(config: TrainConfig) -> Shape | None:
    """The shape of the dataset's images and classes, if it is known without loading it."""
    return datasets.DATASETS.get(config.dataset).shape if config.dataset in datasets.DATASETS else None


@st.cache_data(max_entries=256, show_spinner=False)
def _threads(settings: str, shape: Shape) -> int:
    return thread_count(TrainConfig.model_validate_json(settings), *shape)


def training_threads(config: TrainConfig, shape: Shape) -> int:
    """How many threads a training by ``config`` computes with here: a small network is built to know its work."""
    return _threads(_only(config, *NETWORK, "batch_size"), shape)


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
    return _parts(_only(config, *NETWORK), shape, batch)


@st.cache_resource(max_entries=64, ttl=60, show_spinner=False)  # the machine may be less busy in a minute
def _timing(settings: str, shape: Shape) -> float:
    config = TrainConfig.model_validate_json(settings)
    with computing_threads(training_threads(config, shape)):
        return time_step(config, *shape)


def seconds_per_step(config: TrainConfig, shape: Shape) -> float:
    """What a training step of ``config`` takes here, measured once for each network, batch size and optimiser."""
    return _timing(_only(config, *NETWORK, "optimizer", "batch_size", "device", "precision"), shape)
