"""A look at the images that a run would learn from."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, Splits
from cnnlab.figures.classes import class_counts_figure
from cnnlab.figures.gallery import gallery_figure
from cnnlab.figures.style import short_names
from cnnlab.ui import words
from cnnlab.ui.plot import plot

PREVIEW = 18  # images in the look at the data
PREVIEW_COLUMNS = 6
FEW = 10  # training images of a class
PRESSED = "preview.pressed"  # how often another batch was asked for


def look_at_the_data(images: ImageDataset, parts: Splits, config: TrainConfig) -> None:
    """Some training images, another batch at a press, and how many there are of each class."""
    counts = np.bincount(parts.train.labels.numpy(), minlength=images.num_classes)
    if missing := [words.plain(name) for name, count in zip(images.class_names, counts, strict=True) if count == 0]:
        st.warning(f"No training image is left of {_some(missing)}: the network cannot learn these classes.")
    elif few := [words.plain(name) for name, count in zip(images.class_names, counts, strict=True) if count < FEW]:
        st.caption(
            f":material/warning: Fewer than {FEW} training images of {_some(few)}: hardly enough to learn "
            "from, and what is held out of them tells little."
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("A look at the data", anchor=False)
            st.button("Another batch", icon=":material/shuffle:", key="preview.shuffle", on_click=_shuffle)
        shuffle = torch.Generator().manual_seed(config.seed + st.session_state.get(PRESSED, 0))
        chosen = torch.randperm(len(parts.train), generator=shuffle)[:PREVIEW]
        names = short_names(images.class_names, 10)
        captions = [names[label] for label in parts.train.labels[chosen].tolist()]
        figure = gallery_figure(parts.train.images[chosen].numpy(), captions, PREVIEW_COLUMNS)
        plot(figure, "", "preview", alt=f"Training images of {', '.join(captions)}.")
    with right:
        st.subheader("Training images per class", anchor=False)
        figure = class_counts_figure(images.class_names, counts.tolist())
        told = ", ".join(f"{count:,} of {name}" for name, count in zip(images.class_names, counts, strict=True))
        plot(figure, "", "counts", alt=f"Training images: {told}.")
    if images.in_file:
        st.caption(f":material/hard_drive: {datasets.streaming_note(images)}")
    st.caption(
        f"{len(parts.train):,} training, {len(parts.val):,} validation and {len(parts.test):,} test images, "
        f"{images.image_size}×{images.image_size} pixels, {'colour' if images.in_channels == 3 else 'grey'}."
    )


def _some(names: Sequence[str]) -> str:
    """The first ten of ``names``, and how many more there are."""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if names[10:] else "")


def _shuffle() -> None:
    st.session_state[PRESSED] = st.session_state.get(PRESSED, 0) + 1
