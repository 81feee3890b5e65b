"""What the Evaluate page is about: a run, its checkpoint and a split, chosen in the sidebar, with its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageSet
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.registry import UnknownName
from cnnlab.runs import LIVE, Run
from cnnlab.ui import cache, words
from cnnlab.ui.answered import answered_images
from cnnlab.ui.evaluate.image_filter import filters
from cnnlab.ui.navigation import PAGES
from cnnlab.ui.select import CHECKPOINTS, ERRORS, select, select_run, trained_runs

SPLITS = {"test": "Test", "val": "Validation", "train": "Training"}


@dataclass(frozen=True)
class Subject:
    """A run's answers for a split, with the pictures where they can be had (else why not).

    ``files`` are, by id, the files of a person's images. ``shown`` bool [N] are the images that the sidebar's filters
    let through: galleries and the feature map keep to them, figures about the whole split do not.
    """

    run: Run
    config: TrainConfig
    evaluation: Evaluation
    shown: NDArray[np.bool_]
    images: ImageSet | None
    files: Sequence[str] = ()
    no_images: str = ""
    written: int = 0

    @property
    def id(self) -> str:
        """Tells these answers from any other: for the keys of widgets that depend on them."""
        e = self.evaluation
        return f"{self.run.id}.{e.checkpoint}.{e.split}" + (f".{e.version}" if e.version else "")

    @property
    def of(self) -> tuple[Path, str, int]:
        """Tells the network from any other, for what is kept of it: run, checkpoint, and when it was written."""
        return self.run.path, self.evaluation.checkpoint, self.written

    def title(self, what: str) -> str:
        """The title of a saved figure."""
        return f"{what}: {self.run.name}, {SPLIT_NAMES[self.evaluation.split]} images"

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names."""
        return self.evaluation.class_names


def choose() -> Subject | None:
    """The sidebar's choice, evaluated; a sentence on the page and None where that cannot be."""
    runs = trained_runs()
    if not runs:
        st.info(
            "There is nothing to evaluate yet: train a network first. A run can be evaluated after its first epoch.",
            icon=":material/model_training:",
        )
        st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/arrow_forward:")
        return None
    with st.sidebar:
        run = select_run(runs, "evaluate.run")
        checkpoint = select("Checkpoint", run.checkpoints(), "evaluate.checkpoint", CHECKPOINTS)
        split = select("Split", list(SPLITS), "evaluate.split", SPLITS)
        if split == "train":
            st.caption(":material/warning: It has learnt from these images: they flatter it.")
        if run.state() in LIVE:
            _watch(run, checkpoint, run.checkpoint_time(checkpoint))
    try:
        written = run.checkpoint_time(checkpoint)
        evaluation = cache.evaluation(run.path, split, checkpoint, written)
        config = run.config
    except ERRORS as error:
        st.error(
            f"{words.plain(run.name)} cannot be evaluated. {words.plain(str(error))}\n\n"
            "Another run, checkpoint or split can be chosen in the sidebar.",
            icon=":material/error:",
        )
        return None
    with st.sidebar:
        images_here = words.images(len(evaluation.labels), SPLIT_NAMES[split])
        st.caption(f"{words.task(config)}, {images_here}")
        shown = filters(evaluation)
    images, why = _pictures(run, config, evaluation)
    files = cache.file_names(config) if images else []
    return Subject(run, config, evaluation, shown, images, files, why, written)


@st.fragment(run_every=3)
def _watch(run: Run, checkpoint: str, seen: int) -> None:
    """Of a live run: say when there is something newer to see, and leave it to the person when to see it."""
    newer = run.checkpoint_time(checkpoint) != seen
    news = "**Newer weights were saved.**" if newer else "You see its weights as they were last saved."
    st.caption(f"This run is still training. {news}")
    if st.button(
        "Look again",
        icon=":material/refresh:",
        key="evaluate.refresh",
        width="stretch",
        type="primary" if newer else "secondary",
    ):
        st.rerun()


def _pictures(run: Run, config: TrainConfig, evaluation: Evaluation) -> tuple[ImageSet | None, str]:
    """The evaluated images, or None and why they cannot be shown."""
    try:
        return answered_images(run, config, evaluation), ""
    except (DatasetError, UnknownName) as error:
        return None, f"The answers are kept, but their pictures cannot be shown. {words.plain(str(error))}"
