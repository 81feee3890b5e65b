"""What a training would fail at as soon as it begins: asked before a run is made, and of a form.

>>> check(TrainConfig(dataset="digits", model="simple_cnn"))          # nothing is wrong with it
"""

import torch

from cnnlab import datasets, models
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.datasets.memory import memory_budget
from cnnlab.inference import pick_device
from cnnlab.models import ModelError
from cnnlab.parsing import ConfigError
from cnnlab.queue import most_at_a_time


def check(config: TrainConfig, dataset: ImageDataset | None = None) -> None:
    """Raise the error with which a training by ``config`` would fail at once; ``dataset``, if given, is not loaded."""
    most_at_a_time()
    memory_budget()
    datasets.check_name(config.dataset)
    pick_device(config.device)
    models.MODELS.get(config.model)
    if dataset is not None:
        shape = dataset.shape
    elif config.dataset in datasets.DATASETS:
        shape = datasets.DATASETS.get(config.dataset).shape
    else:
        shape = (3 if config.color else 1, config.image_size, 2)
    for name in ("augment_shift", "augment_erase"):
        if (value := getattr(config, name)) >= shape[1]:
            raise ConfigError(
                f"{name} = {value} is not allowed, for it leaves nothing of an image of {shape[1]}×{shape[1]} pixels: "
                f"give a whole number from 0 to {shape[1] - 1}, such as {shape[1] // 8}.",
                settings=(name,),
            )
    if dataset is None:
        datasets.file_names(config)
    splits = dataset.splits(config) if dataset is not None else None
    held_out = len(splits.val) if splits else datasets.holds_out(config)
    if config.early_stopping and not held_out:
        raise ConfigError(
            "early_stopping needs validation images: set validation_fraction above 0, such as 0.1.",
            settings=("early_stopping", "validation_fraction"),
        )
    network = models.outline(config, *shape)
    if config.batch_size == 1 or (len(splits.train) if splits else config.train_images) == 1:
        try:
            network(torch.empty(1, shape[0], shape[1], shape[1], device="meta"))
        except ValueError as error:  # of a batch norm that sees a single value of each channel
            raise ModelError(
                f"{config.model} cannot learn from one image of {shape[1]}×{shape[1]} pixels at a time, for its batch "
                "norm would see one value of a channel: set batch_size, and train_images if it is set, to at least 2."
            ) from error


CHECK_ERRORS = (DatasetError, ValueError)
"""What :func:`check` raises."""
