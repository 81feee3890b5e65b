"""What the pages keep in memory between reruns and share between visitors.

>>> cache.dataset(TrainConfig(dataset="digits")).num_classes              # doctest: +SKIP
10

Cached objects are never changed. What a run says of itself is asked of its folder, but for the summary of one that has
ended.
"""

from cnnlab.ui.cache.answers import (
    attribution,
    calibration,
    evaluation,
    features,
    findings,
    first_layer,
    novelty,
    predictor,
    projection,
)
from cnnlab.ui.cache.images import dataset, file_names, problem_with, splits
from cnnlab.ui.cache.networks import known_shape, parameter_count, parts, seconds_per_step, training_threads
from cnnlab.ui.cache.summaries import summary

__all__ = [
    "attribution",
    "calibration",
    "dataset",
    "evaluation",
    "features",
    "file_names",
    "findings",
    "first_layer",
    "known_shape",
    "novelty",
    "parameter_count",
    "parts",
    "predictor",
    "problem_with",
    "projection",
    "seconds_per_step",
    "splits",
    "summary",
    "training_threads",
]
