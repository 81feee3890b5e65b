"""Before a run: the network's size, the steps of an epoch, and how long they will take on this machine."""

from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import Splits
from cnnlab.datasets.memory import machine_memory
from cnnlab.explain.footprint import TooLarge, expect_affordable, step_bytes, telling_of_memory
from cnnlab.forecast import measured_step
from cnnlab.inference import pick_device
from cnnlab.loader import steps_per_epoch
from cnnlab.models import MODELS, Shape
from cnnlab.paths import runs_dir
from cnnlab.runs import Run
from cnnlab.ui import cache, words

SETTLING = 2.0  # seconds that a browser may take to draw a page that it has not seen yet
SETTLED = "forecast.settled"


def forecast(config: TrainConfig, shape: Shape, parts: Splits | None, runs: Sequence[Run]) -> Callable[[], None]:
    """The network's size and the steps of an epoch; gives what measures and shows how long they take.

    Nothing is measured while one of ``runs`` is training.
    """
    count = len(parts.train) if parts else _expected_count(config)
    steps = steps_per_epoch(count, config.batch_size)
    batch = min(config.batch_size, count)
    in_a_step = f"{count:,} training images, {batch:,} in a step."
    network = MODELS.get(config.model)
    label = "One epoch" if config.epochs == 1 else f"One epoch · all {config.epochs:,}"
    with st.grid(4, min_column_width=200):
        st.metric("Network", network.title, border=True, help=network.summary)
        parameters = f"{cache.parameter_count(config, shape):,}"
        st.metric("Parameters", parameters, border=True, help="Numbers that the network learns.")
        st.metric("Steps per epoch", f"{steps:,}", border=True, help=in_a_step)
        slot = st.empty()
        slot.metric(label, "…", border=True)
    warned = st.empty()

    def show_time() -> None:
        if (takes := step_bytes(cache.parts(config, shape), _held_here(config, batch))) > machine_memory():
            warned.warning(
                f"A step takes about {words.memory(takes)}, more than the {words.memory(machine_memory())} of this "
                "machine: the training is likely to fail. Choose a smaller batch size or network.",
                icon=":material/memory_alt:",
            )
        try:
            seconds, source = _step_time(config, batch, shape, runs)
        except TooLarge as error:
            slot.metric(label, "–", border=True, help=f"Known once a run has trained. {error}")
            return
        if seconds is None:
            slot.metric(label, "…", border=True, help=source)
            return
        times = dict.fromkeys((words.duration(seconds * steps), words.duration(seconds * steps * config.epochs)))
        about = f"About so long on this machine, {source}. Evaluations come on top."
        slot.metric(label, " · ".join(times), border=True, help=about)

    return show_time


def _held_here(config: TrainConfig, batch: int) -> int:
    """How many of the images of a step this machine's memory holds: none where a GPU has its own."""
    return batch if pick_device(config.device).type == "cpu" else 0


def _step_time(config: TrainConfig, batch: int, shape: Shape, runs: Sequence[Run]) -> tuple[float | None, str]:
    """Seconds of a step of ``batch`` images and where they come from; None and why where they are not known yet.

    Raises TooLarge where it takes too much memory to be measured.
    """
    if measured := measured_step(
        config, pick_device(config.device).type, cache.training_threads(config, shape), runs_dir()
    ):
        return measured, "from your last runs of this kind"
    if any(run.state() == "running" for run in runs):
        return None, "Measured once no training has the processor."
    if not st.session_state.setdefault(SETTLED, False):
        _once_settled()
        return None, "Measured once the page is drawn."
    expect_affordable(cache.parts(config, shape), _held_here(config, batch))
    with telling_of_memory():
        step = config.model_copy(update={"batch_size": batch})
        return cache.seconds_per_step(step, shape), "from a few steps measured now"


@st.fragment(run_every=SETTLING)
def _once_settled() -> None:
    """Run the page again when the browser has drawn it: it needs the cores that a step would be measured on."""
    if st.session_state[SETTLED]:
        st.rerun()
    st.session_state[SETTLED] = True


def _expected_count(config: TrainConfig) -> int:
    count = round(datasets.DATASETS.get(config.dataset).train_count * (1 - config.validation_fraction))
    return min(count, config.train_images) if config.train_images else count
