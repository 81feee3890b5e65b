"""An image of the dataset's test split: a random one, the hardest, or ten at once beside their true labels."""

import numpy as np
import streamlit as st
from PIL import Image

from cnnlab.datasets import ImageSet
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.figures.gallery import GAP, gallery_figure
from cnnlab.figures.style import RIGHT, WRONG, shortened
from cnnlab.ui import cache, words
from cnnlab.ui.answered import answered_images
from cnnlab.ui.by_number import place_of
from cnnlab.ui.plot import plot
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.given import Given, keep, recall
from cnnlab.ui.select import ERRORS

CELL, TEN = 62, 10
SHOWN = "predict.sample"  # what is shown: "one" or "ten"
HARD = "predict.sample.hard"  # how many of the hardest were shown


def sample(subject: Subject) -> Given | None:
    """The buttons, and the chosen image or the ten."""
    found = _images(subject)
    if found is None:
        return None
    images, answers = found
    with st.container(horizontal=True):
        if st.button("Random", icon=":material/shuffle:", key="predict.random"):
            _one(subject, images, int(np.random.default_rng().integers(len(images))))
        if st.button("Hardest", icon=":material/trending_up:", key="predict.hardest",
                     help="The wrong answers that cost most, one after the other."):  # fmt: skip
            _one(subject, images, _next_hard(answers, subject.id))
        if st.button("First ten", icon=":material/grid_view:", key="predict.ten",
                     help="The first ten test images beside their true labels, as the tutorials end."):  # fmt: skip
            st.session_state[SHOWN] = "ten"
        st.text_input("Number", key="predict.number", placeholder="# number, then Enter", width=190,
                      label_visibility="collapsed", on_change=_numbered, args=(subject, images))  # fmt: skip
    if st.session_state.get(SHOWN) == "ten":
        _ten(answers, images)
    given = recall(f"Test images {subject.id}")
    if given is None:
        st.caption("A test image that the network has never learnt from, with its true class.")
    else:
        caption = words.plain(f"{given.name}: {given.truth}")
        st.image(given.picture.resize((280, 280), Image.Resampling.NEAREST), caption=caption)
    return given


def _one(subject: Subject, images: ImageSet, place: int) -> None:
    st.session_state[SHOWN] = "one"
    pixels = images.images[place].permute(1, 2, 0).numpy().squeeze()
    truth = subject.predictor.checkpoint.class_names[int(images.labels[place])]
    name = f"test image #{int(images.ids[place])}"
    keep(f"Test images {subject.id}", Given(Image.fromarray(np.ascontiguousarray(pixels)), name, truth))


def _numbered(subject: Subject, images: ImageSet) -> None:
    """Show the image that is called by the number that was typed, here and on Evaluate."""
    asked: str = st.session_state["predict.number"]
    if (place := place_of(images.ids.numpy(), asked)) is not None:
        _one(subject, images, place)
    elif asked.strip():
        some = ", ".join(map(str, images.ids[:3].tolist()))
        st.toast(
            f"'{words.plain(shortened(asked, 40))}' is none of the {len(images):,} test images: their numbers stand "
            f"below them, such as {some}.",
            icon=":material/search_off:",
        )


def _next_hard(answers: Evaluation, id: str) -> int:
    """The place of the next of the hardest images: wrong answers by loss, then right ones, the least sure first."""
    order = [*answers.top_losses().tolist(), *answers.surest(answers.right)[::-1].tolist()]
    key = f"{HARD}.{id}"
    number = st.session_state.get(key, 0)
    st.session_state[key] = number + 1
    return int(order[number % len(order)])


def _images(subject: Subject) -> tuple[ImageSet, Evaluation] | None:
    """The test images and the answers to all of them; a sentence and None where they cannot be had."""
    config, predictor = subject.predictor.checkpoint.config, subject.predictor
    try:
        changed = predictor.run.checkpoint_time(predictor.name)
        answers = cache.evaluation(predictor.run.path, "test", predictor.name, changed)
        return answered_images(predictor.run, config, answers), answers
    except ERRORS as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return None


def _ten(answers: Evaluation, images: ImageSet) -> None:
    """The tutorials' ending: what is predicted for the first ten test images, and what they are."""
    names = answers.class_names
    predicted, true = answers.predicted[:TEN].tolist(), answers.labels[:TEN].tolist()
    captions = [f"{'✓' if p == t else '✗'} {names[p]} ({names[t]})" for p, t in zip(predicted, true, strict=True)]
    colors = [RIGHT if p == t else WRONG for p, t in zip(predicted, true, strict=True)]
    with st.container(width=5 * (CELL + GAP)):
        figure = gallery_figure(images.images[:TEN].numpy(), captions, 5, CELL, colors)
        plot(figure, "", "predict.ten.gallery", alt=f"Predicted (true): {', '.join(captions)}.")
    right = sum(p == t for p, t in zip(predicted, true, strict=True))
    st.caption(f"Predicted (true): {right} of the first {len(true)} test images are right.")
