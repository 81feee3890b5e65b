"""Before a run: what the settings mean, the command, and Start."""

from collections.abc import Sequence

import streamlit as st

from cnnlab import datasets, launch
from cnnlab.checks import check
from cnnlab.config import TrainConfig
from cnnlab.datasets import FOLDER_PREFIX, DatasetError, ImageDataset
from cnnlab.parsing import ConfigError
from cnnlab.paths import runs_dir
from cnnlab.queue import more_wait
from cnnlab.runs import LIVE, Run, RunError, checked_name, refuse_taken
from cnnlab.ui import cache, words
from cnnlab.ui.train.data_look import look_at_the_data
from cnnlab.ui.train.forecast_tiles import forecast
from cnnlab.ui.train.settings import form_config, form_recipe
from cnnlab.ui.train.settings_words import in_form_words
from cnnlab.ui.train.views import open_run, show_view

NAME = "start.name"  # what a person wants to call the run


def setup_view(runs: Sequence[Run]) -> None:
    """The page before a run, beside ``runs``: problems first, then figures, Start, and the data."""
    try:
        config = form_config()
    except ConfigError as error:
        _cannot_start(*error.sentences)
        return
    if config.dataset == FOLDER_PREFIX:
        st.info("Type the path of your folder of images in the sidebar, below **Dataset**.", icon=":material/folder:")
        _start_row(config, runs, blocked=True)
        return
    if problem := cache.problem_with(config):
        _cannot_start(problem)
        return
    try:
        images = _images(config)
    except DatasetError as error:
        _cannot_start(str(error))
        return
    shape = images.shape if images else cache.known_shape(config)
    parts = None
    if images:
        try:
            parts = cache.splits(config)
            check(config, images)
        except (DatasetError, ValueError) as error:
            _cannot_start(str(error))
            return
    if shape is None:
        _start_row(config, runs, blocked=True)
        return
    show_time = forecast(config, shape, parts, runs)
    _start_row(config, runs)
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
        look_at_the_data(images, parts, config)
    show_time()  # last, for measuring takes its time when the network is large


def _cannot_start(*reasons: str) -> None:
    said = [words.plain(in_form_words(reason)) for reason in reasons]
    listed = f" {said[0]}" if len(said) == 1 else "".join(f"\n- {sentence}" for sentence in said)
    st.error(f"**These settings cannot be trained.**{listed}", icon=":material/block:")
    st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=True, key="start.disabled")


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
        st.error(words.plain(str(error)), icon=":material/cloud_off:")
        return None
    _listed("Left out, for they could not be read", images.unreadable, ":material/warning:")
    _listed("Pictures that are there twice, which may flatter a test", images.copies, ":material/content_copy:")
    return images


def _listed(what: str, files: Sequence[str], icon: str) -> None:
    if files:
        with st.expander(f"{what}: {len(files):,} of the files", icon=icon):
            st.code("\n".join(files), language=None)


@st.fragment(run_every=3)
def _waits(live: Sequence[Run]) -> None:
    states = [state for run in live if (state := run.state()) in LIVE]
    if states:
        told = " and ".join(filter(None, ("Another training is going on", more_wait(states.count("queued")))))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{told}: this one will wait for its turn.", width="content")
            if st.button("All runs", icon=":material/list:", type="tertiary", key="start.others"):
                show_view("All runs")
                st.rerun()


def _start_row(config: TrainConfig, runs: Sequence[Run], blocked: bool = False) -> None:
    recipe = form_recipe()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name",
            key=NAME,
            persist_state="session",
            placeholder="Name (optional)",
            label_visibility="collapsed",
            width=170,
        ).strip()
        problem = _problem_with_name(name, runs)
        pressed = st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            disabled=blocked or bool(problem),
            key="start",
        )
        processes = _processes(config)
        arguments = ["train", *launch.flags(config, recipe), *(["--name", name] if name else [])]
        st.code(launch.shown_command(arguments, processes), language="bash", width="stretch", wrap_lines=True)
    if problem:
        st.error(words.plain(problem), icon=":material/block:")
    if live := [run for run in runs if run.state() in LIVE]:
        _waits(live)
    if pressed:
        with st.spinner("Starting the training process …"):
            try:
                run = launch.start(config, recipe, runs_dir(), processes=processes, name=name)
            except RunError as error:
                st.error(words.plain(str(error)))
                return
        del st.session_state[NAME]  # it is taken now
        open_run(run.id)
        st.rerun()


def _problem_with_name(name: str, runs: Sequence[Run]) -> str:
    """Why a run beside ``runs`` cannot be called ``name``; empty if it can, or is to be called by the time."""
    try:
        if name:
            refuse_taken(checked_name(name), runs)
    except RunError as error:
        return str(error)
    return ""


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
