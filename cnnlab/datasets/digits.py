"""The built-in dataset: scikit-learn's 1,797 real handwritten digits, 8×8, enlarged to 28×28.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

import torch
from torch.nn.functional import interpolate

from cnnlab.datasets.base import TEST_SPLIT_SEED, ImageDataset, image_set, make_dataset, stratified_split

TEST_FRACTION = 0.2  # 359 of 1,797 images; the source has no test split of its own
SIZE = 28


def load() -> ImageDataset:
    """The digits with a fixed test split of 20 % of each class."""
    from sklearn.datasets import load_digits

    source = load_digits()
    grey = torch.from_numpy(source.images).float().unsqueeze(1) * (255 / 16)  # 16 is the source's white
    images = interpolate(grey, size=(SIZE, SIZE), mode="bicubic", align_corners=False).clamp(0, 255).round().byte()
    everything = image_set(images, torch.from_numpy(source.target))
    train, test = stratified_split(everything, TEST_FRACTION, TEST_SPLIT_SEED)
    return make_dataset("digits", tuple("0123456789"), train, test)
