"""One image, large: its pixels, how probable each class is, why, and what the network finds most like it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from cnnlab.datasets.view import Images
from cnnlab.explain.attributions import METHODS, methods_for
from cnnlab.explain.embeddings import last_features, nearest
from cnnlab.figures.attribution import attribution_figure
from cnnlab.figures.gallery import GAP, gallery_figure
from cnnlab.figures.picture import picture_figure
from cnnlab.figures.probabilities import probabilities_figure
from cnnlab.figures.style import RIGHT, WRONG, shortened
from cnnlab.ui import cache, words
from cnnlab.ui.address import write
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.opened import IMAGE, close_image, open_asked, opened_image, turn
from cnnlab.ui.plot import plot
from cnnlab.ui.select import ERRORS

NEIGHBOURS = 5
NUMBERS = 100_000_000  # features that are kept to look for neighbours among: 200 MB
TOLD = 3  # classes of the bars that a screen reader hears
LARGE = 300  # pixels of a picture's height


def image_dialog(subject: Subject) -> None:
    """The dialog with the image that was opened, if one was."""
    if subject.images is None:
        return
    open_asked(subject.id, subject.evaluation.ids)
    if opened_image(subject.id) is None:
        write(IMAGE, None)
    else:
        _dialog(subject, subject.images.images)


@st.dialog("One image", width="large", on_dismiss=close_image)
def _dialog(subject: Subject, images: Images) -> None:
    opened = opened_image(subject.id)
    if opened is None:
        return
    e, place = subject.evaluation, opened.place
    write(IMAGE, str(e.ids[place]))
    image = images[place].numpy()
    _head(subject, place, opened.at, len(opened.places))
    method, opacity = _method(subject)
    picture, first, second = st.columns(3)
    with picture:
        title = "The image (point at it for values)"
        name = f"Image {e.ids[place]}"
        plot(picture_figure(image, LARGE, title), subject.title(name), "evaluate.one.picture", alt=f"{name}.")
    for column, (label, what) in zip((first, second), _asked(subject, place), strict=True):
        with column:
            _why(subject, image, method, opacity, label, what)
    bars, alike = st.columns([2, 3])
    with bars:
        st.markdown("**How probable it finds each class**")
        figure = probabilities_figure(subject.names, e.probabilities[place], int(e.labels[place]))
        name = f"Probabilities of image {e.ids[place]}"
        alt = f"{name}: {_likeliest(subject.names, e.probabilities[place])}."
        plot(figure, subject.title(name), "evaluate.one.bars", alt=alt)
    with alike:
        st.markdown(f"**The {NEIGHBOURS} training images that it finds most alike**")
        _neighbours(subject, images[place], place)


def _likeliest(names: Sequence[str], probabilities: NDArray[np.float32]) -> str:
    """The most probable classes, for those who do not see the bars."""
    order = np.argsort(-probabilities, kind="stable")[:TOLD].tolist()
    return ", ".join(f"{names[c]} {words.sure(float(probabilities[c]))}" for c in order)


def _head(subject: Subject, place: int, at: int, total: int) -> None:
    e, names = subject.evaluation, subject.names
    with st.container(horizontal=True, vertical_alignment="center"):
        predicted, true = (words.plain(names[c]) for c in (e.predicted[place], e.labels[place]))
        answer = f"✓ **{predicted}** is right" if e.right[place] else f"✗ **{predicted}**, but it is **{true}**"
        st.markdown(
            f"{answer}. It was {words.sure(e.confidence[place])} sure. Id {e.ids[place]}; "
            f"loss {words.loss(float(e.losses[place]))}."
        )
        if subject.files:
            st.caption(words.plain(subject.files[e.ids[place]]), width="content")
        st.space("stretch")
        st.caption(f"{at + 1:,} of {total:,}", width="content")
        icons = {
            -1: ("Previous", ":material/arrow_back:", at == 0),
            1: ("Next", ":material/arrow_forward:", at == total - 1),
        }
        for by, (label, icon, off) in icons.items():
            st.button(label, icon=icon, disabled=off, on_click=turn, args=(by,), key=f"evaluate.one.turn.{by}")


def _method(subject: Subject) -> tuple[str, float]:
    here = methods_for(cache.predictor(*subject.of).network)
    if st.session_state.get("evaluate.one.method") not in here:
        st.session_state.pop("evaluate.one.method", None)
    with st.container(horizontal=True, vertical_alignment="center"):
        method = st.segmented_control(
            "Why",
            list(here),
            default=next(iter(here)),
            required=True,
            format_func=lambda name: METHODS[name].title,
            key="evaluate.one.method",
            label_visibility="collapsed",
            persist_state="session",
        )
        opacity = st.slider(
            "Opacity of the map",
            0,
            100,
            70,
            format="%d %%",
            key="evaluate.one.opacity",
            width=200,
            persist_state="session",
        )
    more = "" if len(here) == len(METHODS) else " Grad-CAM needs a convolution, and this network has none."
    sign = " Orange speaks for the class, blue against it." if METHODS[method].signed else " The brighter, the more."
    st.caption(f"{METHODS[method].summary}{sign} Each map has a scale of its own.{more}")
    return method, opacity / 100


def _asked(subject: Subject, place: int) -> list[tuple[int, str]]:
    """The two classes to explain: predicted and true, or predicted and the next where both are the same."""
    e = subject.evaluation
    predicted, true = int(e.predicted[place]), int(e.labels[place])
    if predicted != true:
        return [(true, "true class"), (predicted, "predicted")]
    second = int(np.argsort(-e.probabilities[place], kind="stable")[1]) if len(subject.names) > 1 else true
    return [(true, "true and predicted"), (second, "next probable")]


def _why(subject: Subject, image: NDArray[np.uint8], method: str, opacity: float, label: int, what: str) -> None:
    map = cache.attribution(subject.of, method, label, image)
    name = subject.names[label]
    figure = attribution_figure(image, map, opacity, METHODS[method].signed, LARGE, f"Why {name}? ({what})")
    alt = f"{METHODS[method].title} for {name}."
    plot(figure, subject.title(alt[:-1]), f"evaluate.one.why.{what}", alt=alt)
    if not map.any():
        st.caption(f"Nothing here speaks for {words.plain(name)}.")


def _neighbours(subject: Subject, image: torch.Tensor, place: int) -> None:
    try:
        asked = cache.predictor(*subject.of)
        query = last_features(asked.network, image[None], asked.checkpoint.config, asked.checkpoint.scaling)[0]
        most = max(1, NUMBERS // len(query))
        known, features = cache.features(*subject.of, "train", most, subject.evaluation.version)
        train = cache.splits(subject.config).train
    except ERRORS as error:
        st.warning(words.plain(str(error)), icon=":material/error:")
        return
    own = next(iter(np.flatnonzero(known == place).tolist()), None) if subject.evaluation.split == "train" else None
    places, distances = nearest(features, query, NEIGHBOURS, own)
    found = known[places]
    labels = train.labels[found].tolist()
    same = [label == subject.evaluation.labels[place] for label in labels]
    captions = [
        f"{'✓' if good else '✗'} {shortened(subject.names[label], 10)}<br>{distance:.2f}<br>#{id}"
        for good, label, distance, id in zip(same, labels, distances, train.ids[found].tolist(), strict=True)
    ]
    colors = [RIGHT if good else WRONG for good in same]
    figure = gallery_figure(train.images[found].numpy(), captions, max(1, len(found)), 96, colors)
    alt = "; ".join(captions).replace("<br>", ", ")
    width = max(2, len(found)) * (96 + GAP)
    plot(figure, subject.title("Nearest training images"), "evaluate.one.alike", alt=alt, width=width)
    among = f"{len(features):,}" + (f" of {len(train):,}" if len(features) < len(train) else "")
    st.caption(
        f"Class (✓ the same as this image's true class), distance, id. Euclidean distance between the inputs of the "
        f"last linear layer ({len(query):,} numbers), among {among} training images."
    )
