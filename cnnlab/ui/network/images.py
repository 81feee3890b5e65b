"""The lab's images for a network, if they are on this machine."""

import streamlit as st

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.ui import cache, words
from cnnlab.ui.navigation import PAGES


def lab_images(config: TrainConfig) -> ImageDataset | None:
    """The dataset of ``config``; a sentence on the page and None where it cannot be had without a download."""
    try:
        if datasets.is_here(config.dataset):
            return cache.dataset(config)
        st.info(words.plain(datasets.not_here(config.dataset)), icon=":material/download:")
        st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/arrow_forward:")
    except DatasetError as error:
        st.error(words.plain(str(error)), icon=":material/error:")
    return None
