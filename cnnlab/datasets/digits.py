"""The built-in dataset: scikit-learn's 1,797 real handwritten digits, 8×8, enlarged to 28×28.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import interpolate

from cnnlab.datasets.base import (
    TEST_FRACTION,
    TEST_SPLIT_SEED,
    ImageDataset,
    image_set,
    make_dataset,
    stratified_split,
)
from cnnlab.datasets.error import DatasetError

SIZE = 28


def load() -> ImageDataset:
    """The digits with a fixed test split of 20 % of each class."""
    table = torch.from_numpy(np.loadtxt(_file(), delimiter=",", dtype=np.float32))  # 64 grey values and a label a row
    grey = table[:, :64].reshape(-1, 1, 8, 8) * (255 / 16)  # 16 is the source's white
    images = interpolate(grey, size=(SIZE, SIZE), mode="bicubic", align_corners=False).clamp(0, 255).round().byte()
    parts = stratified_split(image_set(images, table[:, 64]), TEST_FRACTION, TEST_SPLIT_SEED)
    train, test = (replace(part, images=part.images[:]) for part in parts)
    return make_dataset("digits", tuple("0123456789"), train, test)


def _file() -> Path:
    """The file behind sklearn.datasets.load_digits: read as it is, for to import scikit-learn takes a second."""
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise DatasetError(
            "The built-in digits come with scikit-learn, which is not installed: pip install scikit-learn."
        )
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
