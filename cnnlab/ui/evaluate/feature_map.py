"""The images as points where the network's last features put them: near each other where it finds them alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cnnlab.explain.embeddings import Points, tsne
from cnnlab.figures.embedding import NAMED, embedding_figure
from cnnlab.figures.sheet import columns_of, sheet
from cnnlab.pictures import png
from cnnlab.ui import cache, words
from cnnlab.ui.evaluate import layout_job
from cnnlab.ui.evaluate.choice import Subject
from cnnlab.ui.evaluate.gallery import caption, gallery
from cnnlab.ui.evaluate.opened import open_image
from cnnlab.ui.picture_store import keep_picture
from cnnlab.ui.plot import Thumbs, plot
from cnnlab.ui.select import ERRORS

MOST = 5000  # images on the map
LAYOUTS = {"pca": "PCA", "tsne": "t-SNE"}
COLOURS = {"true": "True class", "predicted": "Predicted class"}
MAP, GROUP = 540, 444  # pixels of width


def feature_map_view(subject: Subject) -> None:
    """The map on the left, the lassoed group on the right."""
    if subject.images is None:
        st.warning(subject.no_images, icon=":material/hide_image:")
        return
    try:
        places, _ = cache.features(*_asked(subject))
    except ERRORS as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return
    layout, colour = _choice()
    if layout == "tsne":
        points, axes = _tsne(subject), ("", "")
        if points is None:
            return
    else:
        points, axes = _pca(subject)
    passing = np.flatnonzero(subject.shown[places])
    if not len(passing):
        st.info("No image passes the filters.", icon=":material/filter_alt:")
        return
    with st.container(horizontal=True):  # where there is no room for both, the group goes below
        with st.container(width=MAP):
            chosen = _map(subject, places, passing, points, colour, axes, layout)
        with st.container(width=GROUP):
            _group(subject, places[chosen])


def _choice() -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="center"):
        layout = st.segmented_control(
            "Layout",
            list(LAYOUTS),
            default="pca",
            required=True,
            format_func=LAYOUTS.__getitem__,
            key="evaluate.layout",
            persist_state="session",
            bind="query-params",
            help="PCA: the two directions in which the features vary most, at once. t-SNE: neighbours stay neighbours, "
            "distances between groups mean little; it takes a while.",
        )
        colour = st.segmented_control(
            "Colour",
            list(COLOURS),
            default="true",
            required=True,
            format_func=COLOURS.__getitem__,
            key="evaluate.colour",
            persist_state="session",
            bind="query-params",
        )
    return layout, colour


def _asked(subject: Subject) -> tuple[Path, str, int, str, int, str]:
    """Tells the map's images and their features from any other."""
    e = subject.evaluation
    return (*subject.of, e.split, MOST, e.version)


def _pca(subject: Subject) -> tuple[Points, tuple[str, str]]:
    found = cache.projection(*_asked(subject))
    names = ("first direction", "second direction")
    x, y = (f"{name} ({100 * share:.0f} % of the variance)" for name, share in zip(names, found.shares, strict=True))
    return found.points, (x, y)


def _tsne(subject: Subject) -> Points | None:
    """The layout where it is there; else what is under way, and None."""
    key = _asked(subject)
    _, features = cache.features(*key)
    job = layout_job.find(key)
    if job and job.points is not None:
        return job.points
    if job and job.failure:
        tell = st.info if job.stopped.is_set() else st.error  # by whoever looks at the same map
        tell(words.plain(job.failure), icon=":material/info:" if job.stopped.is_set() else ":material/error:")
    if not job or job.failure:
        st.markdown(f"t-SNE places the {len(features):,} images so that neighbours among the features stay neighbours.")
        st.button(
            "Compute t-SNE",
            icon=":material/scatter_plot:",
            key="evaluate.tsne.start",
            on_click=layout_job.start,
            args=(key, lambda report: tsne(features, on_progress=report)),
        )
        return None
    _progress(key)
    return None


@st.fragment(run_every=0.5)
def _progress(key: tuple[object, ...]) -> None:
    job = layout_job.find(key)
    if job is None or not job.running:
        st.rerun()
    st.progress(job.fraction, f"t-SNE … {100 * job.fraction:.0f} %")
    st.button("Stop", icon=":material/stop:", key="evaluate.tsne.stop", on_click=job.stopped.set)


def _map(
    subject: Subject,
    places: NDArray[np.int64],
    passing: NDArray[np.int64],
    points: Points,
    colour: str,
    axes: tuple[str, str],
    layout: str,
) -> NDArray[np.int64]:
    """Draw the ``passing`` ones of ``places``; gives those in the lasso, as numbers of ``places``."""
    e, here = subject.evaluation, places[passing]
    wrong = int((~e.right[here]).sum())
    some = f"{len(passing):,} of " if len(passing) < len(e.labels) else ""
    among = some + words.images(len(e.labels))
    st.caption(
        f"{among}, {wrong:,} of them ✗ wrong (crosses). Hover to see an image, click to open it, draw around a group "
        "to see its images; a double-click lets it go." + ("" if len(subject.names) <= NAMED else " Colours repeat.")
    )
    labels = e.labels if colour == "true" else e.predicted
    figure = embedding_figure(
        points[passing],
        labels[here],
        e.right[here],
        subject.names,
        [caption(subject, place) for place in here.tolist()],
        axes,
        passing,  # not counted anew: what the browser holds in its lasso must mean the same images under other filters
    )
    images = subject.images
    assert images is not None
    sheet = keep_picture(_sheet(images.images[places].numpy()), "image/png")
    thumbs = Thumbs(sheet, columns_of(len(places)), images.images.shape[-1])
    found = plot(
        figure,
        subject.title(f"Feature map ({LAYOUTS[layout]})"),
        f"evaluate.map.{subject.id}.{layout}",
        on_pick=lambda number: open_image(subject.id, here, int(places[number])),
        lasso=True,
        thumbs=thumbs,
        alt=f"Feature map of {among} by {LAYOUTS[layout]}.",
    )
    return passing[np.isin(passing, found)]


@st.cache_data(max_entries=8, show_spinner=False)
def _sheet(images: NDArray[np.uint8]) -> bytes:
    return png(Image.fromarray(sheet(images)))


def _group(subject: Subject, places: NDArray[np.int64]) -> None:
    """Class counts and images of the lassoed group."""
    if not len(places):
        st.info("Draw around a group of points to see its images and classes.", icon=":material/gesture_select:")
        return
    e = subject.evaluation
    st.markdown(f"**{words.images(len(places))}**, {int((~e.right[places]).sum()):,} of them wrong.")
    table = pd.DataFrame(
        {
            "Class": subject.names,
            "True": np.bincount(e.labels[places], minlength=len(subject.names)),
            "Predicted": np.bincount(e.predicted[places], minlength=len(subject.names)),
        }
    )
    table = table[(table["True"] > 0) | (table["Predicted"] > 0)].sort_values("True", ascending=False)
    st.dataframe(table, hide_index=True, height="content" if len(table) <= 6 else 248, key="evaluate.group")
    gallery(subject, places, "evaluate.group.images", columns=4, rows=3, name="A group of the feature map")
