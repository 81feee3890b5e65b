"""The picture: from the gallery, a dataset, a file or the webcam, as the sidebar says."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS, DatasetError
from cnnlab.explain.convolution import Picture
from cnnlab.explain.gallery_pictures import GALLERY, LARGEST, Pixels, display_copy, gallery_picture, grey
from cnnlab.paths import runs_dir
from cnnlab.pictures import EXTENSIONS, UnreadableImage, read_picture
from cnnlab.registry import UnknownName
from cnnlab.runs import RunError, list_runs
from cnnlab.ui import cache, words
from cnnlab.ui.camera import camera
from cnnlab.ui.filters.state import SOURCES, held, key


@dataclass(frozen=True)
class Chosen:
    """A picture as filters see it: uint8 [H, W, 3], with a sentence on where it comes from."""

    pixels: Pixels
    sentence: str

    def picture(self, color: bool) -> Picture:
        """uint8 [3, H, W] in colour, or [1, H, W]."""
        planes = self.pixels.transpose(2, 0, 1) if color else grey(self.pixels)[None]
        return np.ascontiguousarray(planes)


def choose_picture() -> Chosen:
    """The sidebar's choice; the gallery's first where there is none yet."""
    st.subheader("Picture", anchor=False)
    source = st.selectbox("From", SOURCES, key=key("source"), persist_state="session", label_visibility="collapsed")
    if source == "Upload":
        given = st.file_uploader(
            "Your picture",
            type=[ending.removeprefix(".") for ending in EXTENSIONS],
            key="filters.upload",
            help="Up to 64 megapixels. It stays on this server and is not kept.",
        )
        return _given(given, "upload")
    if source == "Webcam":
        return _given(camera("Webcam", "filters.camera"), "camera")
    return _of_dataset() if source == "Dataset" else _of_gallery()


@st.cache_data(max_entries=16, show_spinner=False)
def _gallery(name: str) -> Pixels:
    return gallery_picture(name)


def _of_gallery() -> Chosen:
    name = st.selectbox(
        "From the gallery",
        GALLERY.names(),
        key=key("picture"),
        format_func=lambda n: GALLERY.get(n).title,
        persist_state="session",
        label_visibility="collapsed",
    )
    pixels = _gallery(name)
    return Chosen(pixels, f"{GALLERY.get(name).sentence} {_size(pixels)}.")


def _given(file: UploadedFile | None, where: str) -> Chosen:
    """A file that a person gave; the last that could be read stays until the next one can."""
    kept = f"filters.kept.{where}"
    if file is not None and st.session_state.get(f"{kept}.id") != file.file_id:
        try:
            pixels = read_picture(file.getvalue())
            small = display_copy(pixels)
            sentence = f"{words.plain(file.name) if where == 'upload' else 'Your webcam'}, {_size(pixels)}" + (
                f", computed at {_size(small)}." if small is not pixels else "."
            )
            sentence += " A link to this page does not carry it."
            st.session_state[kept], st.session_state[f"{kept}.id"] = Chosen(small, sentence), file.file_id
        except UnreadableImage as error:
            st.error(f"{words.plain(file.name)}: {words.plain(str(error))}", icon=":material/broken_image:")
    if kept in st.session_state:
        found: Chosen = st.session_state[kept]
        return found
    waiting = _gallery(held("picture"))
    what = "take a picture" if where == "camera" else f"choose a file; longer sides than {LARGEST} pixels are scaled"
    return Chosen(waiting, f"Until you {what}, you see the gallery's.")


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]:,} × {pixels.shape[0]:,}"


def _here() -> list[str]:
    """The datasets that need no download, and the image folders of runs."""
    folders: dict[str, None] = {}
    for run in list_runs(runs_dir()):
        try:
            if run.config.dataset.startswith(datasets.FOLDER_PREFIX):
                folders[run.config.dataset] = None
        except RunError:
            continue
    return [name for name in DATASETS if datasets.is_here(name)] + list(folders)


def _of_dataset() -> Chosen:
    names = _here()
    if held("dataset") not in names:
        st.warning(words.plain(datasets.not_here(held("dataset"))), icon=":material/download:")
        st.session_state[key("dataset")] = names[0]
    titles = {name: DATASETS.get(name).title for name in DATASETS}
    name = st.selectbox(
        "Dataset", names, key=key("dataset"), format_func=lambda n: titles.get(n, n), persist_state="session"
    )
    try:
        images = cache.dataset(TrainConfig(dataset=name))
    except (DatasetError, UnknownName, OSError) as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return Chosen(_gallery("digit"), "Until it can be read, you see the gallery's digit.")
    split = st.segmented_control(
        "Images", ("Test", "Training"), required=True, key=key("split"), persist_state="session", width="stretch"
    )
    part = images.test if split == "Test" else images.train
    most = len(part) - 1
    asked = st.number_input(f"Image, 0 to {most:,}", step=1, key=key("image"), persist_state="session")
    number = int(asked)
    if not 0 <= number <= most:
        st.error(f"There is no image {number:,}: give a number from 0 to {most:,}.", icon=":material/error:")
        number = 0
    planes = part.images[number].numpy()
    pixels = display_copy(np.repeat(planes, 3 // len(planes), axis=0).transpose(1, 2, 0).copy())
    told = (
        f"{words.dataset(name)}, {str(split).lower()} image {number:,}: {images.class_names[int(part.labels[number])]}"
    )
    return Chosen(pixels, f"{words.plain(told)}. {_size(pixels)}.")
