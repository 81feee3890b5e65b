"""Before a run: what the settings mean, a look at the data, and Start."""

from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from cnnlab import datasets, launch
from cnnlab.config import TrainConfig
from cnnlab.datasets import FOLDER_PREFIX, DatasetError, ImageDataset, Splits
from cnnlab.figures.classes import class_counts_figure
from cnnlab.figures.gallery import gallery_figure
from cnnlab.figures.style import shortened
from cnnlab.forecast import measured_step
from cnnlab.inference import pick_device
from cnnlab.loader import steps_per_epoch
from cnnlab.models import MODELS
from cnnlab.parsing import ConfigError
from cnnlab.paths import runs_dir
from cnnlab.runs import LIVE, RunError, list_runs
from cnnlab.ui import cache, words
from cnnlab.ui.live_plot import still_plot
from cnnlab.ui.train.settings import form_config, form_recipe, in_form_words
from cnnlab.ui.train.views import open_run

PREVIEW = 24  # images in the look at the data
PREVIEW_COLUMNS = 8
FEW = 10  # training images of a class
SETTLING = 2.0  # seconds that a browser may take to draw a page that it has not seen yet
SETTLED = "forecast.settled"


def setup_view() -> None:
    """The page before a run: problems first, then figures, Start, and the data."""
    try:
        config = form_config()
    except ConfigError as error:
        _cannot_start(*error.sentences)
        return
    if config.dataset == FOLDER_PREFIX:
        st.info("Type the path of your folder of images in the sidebar, below **Dataset**.", icon=":material/folder:")
        _start_row(config, blocked=True)
        return
    if problem := cache.problem_with(config):
        _cannot_start(problem)
        return
    try:
        images = _images(config)
    except DatasetError as error:
        _cannot_start(str(error))
        return
    shape = (images.in_channels, images.image_size, images.num_classes) if images else cache.known_shape(config)
    parts = None
    if images:
        try:
            parts = cache.splits(config)
            _check_with_images(config, images)
        except (DatasetError, ValueError) as error:
            _cannot_start(str(error))
            return
    if shape is None:
        _start_row(config, blocked=True)
        return
    show_time = _forecast(config, shape, parts)
    _start_row(config)
    if config.watch_test:
        st.info(
            "This run watches the **test** set, as its tutorial does. Its curves are labelled test, no checkpoint is "
            "chosen by them, and you should not choose settings by them either: hold out validation images for that.",
            icon=":material/visibility:",
        )
    elif parts and not len(parts.val):
        st.info(
            "This run holds out **no validation images**: nothing will tell how good it is on images that it has not "
            "learnt from. Set a validation fraction above 0, such as 0.1, to see that.",
            icon=":material/visibility_off:",
        )
    if images and parts:
        _look_at_the_data(images, parts, config)
    show_time()  # last, for measuring takes its time when the network is large


def _cannot_start(*reasons: str) -> None:
    said = [in_form_words(reason) for reason in reasons]
    listed = f" {said[0]}" if len(said) == 1 else "".join(f"\n- {sentence}" for sentence in said)
    st.error(f"**These settings cannot be trained.**{listed}", icon=":material/block:")
    st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=True, key="start.disabled")


def _check_with_images(config: TrainConfig, images: ImageDataset) -> None:
    from cnnlab.train import check

    check(config, images)


def _images(config: TrainConfig) -> ImageDataset | None:
    """The dataset, if it is here; else a way to get it, and None."""
    if not datasets.is_here(config.dataset) and not st.session_state.get(f"download.{config.dataset}"):
        info = datasets.DATASETS.get(config.dataset)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{info.title}** is not on this machine yet: {info.download_mb} MB to download. A training downloads "
                "it first; or do it now, to look at the images."
            )
            st.button("Download", icon=":material/download:", key=f"download.{config.dataset}")
        return None
    try:
        images = cache.dataset(config)
    except DatasetError as error:
        if config.dataset.startswith(FOLDER_PREFIX):
            raise
        st.error(str(error), icon=":material/cloud_off:")
        return None
    if images.unreadable:
        with st.expander(
            f"Left out, for they could not be read: {len(images.unreadable)} of the files", icon=":material/warning:"
        ):
            st.code("\n".join(images.unreadable), language=None)
    return images


def _forecast(config: TrainConfig, shape: cache.Shape, parts: Splits | None) -> Callable[[], None]:
    """The network's size and the steps of an epoch; gives what measures and shows how long they take."""
    count = len(parts.train) if parts else _expected_count(config)
    steps = steps_per_epoch(count, config.batch_size)
    in_a_step = f"{count:,} training images, {config.batch_size} in a step."
    network = MODELS.get(config.model)
    label = "One epoch" if config.epochs == 1 else f"One epoch · all {config.epochs:,}"
    with st.grid(4, min_column_width=200):
        st.metric("Network", network.title, border=True, help=network.summary)
        parameters = f"{cache.parameter_count(config, shape):,}"
        st.metric("Parameters", parameters, border=True, help="Numbers that the network learns.")
        st.metric("Steps per epoch", f"{steps:,}", border=True, help=in_a_step)
        slot = st.empty()
        slot.metric(label, "…", border=True)

    def show_time() -> None:
        seconds, source = _step_time(config, shape)
        if seconds is None:
            slot.metric(label, "…", border=True, help=source)
            return
        times = dict.fromkeys((words.duration(seconds * steps), words.duration(seconds * steps * config.epochs)))
        about = f"About so long on this machine, {source}. Evaluations come on top."
        slot.metric(label, " · ".join(times), border=True, help=about)

    return show_time


def _step_time(config: TrainConfig, shape: cache.Shape) -> tuple[float | None, str]:
    """Seconds of a step and where they come from; None and why where they are not known yet."""
    if measured := measured_step(
        config, pick_device(config.device).type, cache.training_threads(config, shape), runs_dir()
    ):
        return measured, "from your last runs of this kind"
    if any(run.state() == "running" for run in list_runs(runs_dir())):
        return None, "Measured once no training has the processor."
    if not st.session_state.setdefault(SETTLED, False):
        _once_settled()
        return None, "Measured once the page is drawn."
    return cache.seconds_per_step(config, shape), "from a few steps measured now"


@st.fragment(run_every=SETTLING)
def _once_settled() -> None:
    """Run the page again when the browser has drawn it: it needs the cores that a step would be measured on."""
    if st.session_state[SETTLED]:
        st.rerun()
    st.session_state[SETTLED] = True


def _expected_count(config: TrainConfig) -> int:
    count = round(datasets.DATASETS.get(config.dataset).train_count * (1 - config.validation_fraction))
    return min(count, config.train_images) if config.train_images else count


def _start_row(config: TrainConfig, blocked: bool = False) -> None:
    recipe = form_recipe()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Start training", type="primary", icon=":material/play_arrow:", disabled=blocked, key="start"
        )
        processes = _processes(config)
        if any(run.state() in LIVE for run in list_runs(runs_dir())):
            st.caption("Another training is going on: this one will wait for its turn.")
        st.code(
            launch.shown_command(["train", *launch.flags(config, recipe)], processes),
            language="bash",
            width="stretch",
            wrap_lines=True,
        )
    if pressed:
        with st.spinner("Starting the training process …"):
            try:
                run = launch.start(config, recipe, runs_dir(), processes=processes)
            except RunError as error:
                st.error(str(error))
                return
        open_run(run.id)
        st.rerun()


def _processes(config: TrainConfig) -> int:
    """In how many processes to train: asked where this machine could use more than one."""
    most = launch.most_processes(config.device)
    if most == 1:
        return 1
    return st.number_input(
        "Processes",
        min_value=1,
        max_value=most,
        key="train.processes",
        persist_state="session",
        width=130,
        help=(
            f"Share each batch among so many processes on this machine (1 to {most}), started by PyTorch's torchrun. "
            "Batches, augmentation and losses stay as they are; on several GPUs it is faster, on the cores of one "
            "machine seldom."
        ),
    )


def _look_at_the_data(images: ImageDataset, parts: Splits, config: TrainConfig) -> None:
    counts = np.bincount(parts.train.labels.numpy(), minlength=images.num_classes)
    if missing := [words.plain(name) for name, count in zip(images.class_names, counts, strict=True) if count == 0]:
        st.warning(f"No training image is left of {', '.join(missing[:10])}: the network cannot learn these classes.")
    elif few := [words.plain(name) for name, count in zip(images.class_names, counts, strict=True) if count < FEW]:
        st.caption(
            f":material/warning: Fewer than {FEW} training images of {', '.join(few[:10])}: hardly enough to learn "
            "from, and what is held out of them tells little."
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("A look at the data", anchor=False)
            st.button("Another batch", icon=":material/shuffle:", key="preview.shuffle", on_click=_shuffle)
        shuffle = torch.Generator().manual_seed(st.session_state.get("preview.seed", config.seed))
        chosen = torch.randperm(len(parts.train), generator=shuffle)[:PREVIEW]
        captions = [shortened(images.class_names[label], 10) for label in parts.train.labels[chosen].tolist()]
        figure = gallery_figure(parts.train.images[chosen].numpy(), captions, PREVIEW_COLUMNS)
        still_plot(figure, key="preview")
    with right:
        st.subheader("Training images per class", anchor=False)
        figure = class_counts_figure(images.class_names, counts.tolist())
        still_plot(figure, key="counts")
    if images.in_file:
        st.caption(f":material/hard_drive: {datasets.streaming_note(images)}")
    st.caption(
        f"{len(parts.train):,} training, {len(parts.val):,} validation and {len(parts.test):,} test images, "
        f"{images.image_size}×{images.image_size} pixels, {'colour' if images.in_channels == 3 else 'grey'}."
    )


def _shuffle() -> None:
    st.session_state["preview.seed"] = st.session_state.get("preview.seed", 0) + 1
