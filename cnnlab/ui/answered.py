"""The images that a run's answers are about, so that a page never shows a picture beside another's answer.

>>> images = answered_images(run, run.config, cache.evaluation(run.path, "test", "best", written))    # doctest: +SKIP
"""

import streamlit as st

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageSet
from cnnlab.evaluation.evaluate import CHANGED, Evaluation, have_changed, images_of
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.runs import Run
from cnnlab.ui import cache


def answered_images(run: Run, config: TrainConfig, answers: Evaluation) -> ImageSet:
    """The images of ``answers``, in their order; nothing is downloaded.

    The page warns where they have changed since ``run`` was trained. Raises DatasetError or UnknownName where they
    cannot be had.
    """
    datasets.refuse_download(config.dataset)
    images = images_of(answers, cache.splits(config))
    if answers.split != "train" and have_changed(run, answers.version):
        st.warning(CHANGED.format(SPLIT_NAMES[answers.split]), icon=":material/sync_problem:")
    return images
