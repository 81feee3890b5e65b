"""Before a run: the network's size, the steps of an epoch, and how long they will take on this machine."""

from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.datasets import Splits
from cnnlab.forecast import measured_step
from cnnlab.inference import pick_device
from cnnlab.loader import steps_per_epoch
from cnnlab.models import MODELS
from cnnlab.paths import runs_dir
from cnnlab.runs import Run
from cnnlab.ui import cache, words

SETTLING = 2.0  # seconds that a browser may take to draw a page that it has not seen yet
SETTLED = "forecast.settled"


def forecast(config: TrainConfig, shape: cache.Shape, parts: Splits | None, runs: Sequence[Run]) -> Callable[[], None]:
    """The network's size and the steps of an epoch; gives what measures and shows how long they take.

    Nothing is measured while one of ``runs`` is training.
    """
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
        seconds, source = _step_time(config, count, shape, runs)
        if seconds is None:
            slot.metric(label, "…", border=True, help=source)
            return
        times = dict.fromkeys((words.duration(seconds * steps), words.duration(seconds * steps * config.epochs)))
        about = f"About so long on this machine, {source}. Evaluations come on top."
        slot.metric(label, " · ".join(times), border=True, help=about)

    return show_time


def _step_time(config: TrainConfig, count: int, shape: cache.Shape, runs: Sequence[Run]) -> tuple[float | None, str]:
    """Seconds of a step of ``count`` images and where they come from; None and why where they are not known yet."""
    if measured := measured_step(
        config, pick_device(config.device).type, cache.training_threads(config, shape), runs_dir()
    ):
        return measured, "from your last runs of this kind"
    if any(run.state() == "running" for run in runs):
        return None, "Measured once no training has the processor."
    if not st.session_state.setdefault(SETTLED, False):
        _once_settled()
        return None, "Measured once the page is drawn."
    step = config.model_copy(update={"batch_size": min(config.batch_size, count)})
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
