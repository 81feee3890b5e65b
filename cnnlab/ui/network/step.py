"""One training step, opened: stage by stage with Next, beside each the lines of PyTorch that did it."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from torch import Tensor

from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.explain.footprint import TooLarge
from cnnlab.explain.step import Step, open_step, repeat_steps, scheduled_lr
from cnnlab.runs import Run
from cnnlab.ui import cache, words
from cnnlab.ui.address import expect_number, expect_one_of, expect_truth
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.images import lab_images
from cnnlab.ui.network.repeat import repeat_view
from cnnlab.ui.network.stages import STAGES, code_of

Start = tuple[Path, str, int] | None
"""A run, its checkpoint and when that was written; None for the initial weights."""
STAGE = "step.stage"
MOST_STEPS = 20  # that are taken before the opened one
MOST_LR = 1e6
SHOWN = 630  # pixels of width: a table of ten classes


@st.cache_resource(max_entries=4, show_spinner="Taking the step …")
def _step(identity: tuple[str, str, Start], _dataset: ImageDataset, number: int, lr: float | None) -> Step:
    return open_step(TrainConfig.model_validate_json(identity[0]), _dataset, number, lr, _weights(identity[2]))


@st.cache_data(max_entries=16, show_spinner="Repeating the step …")
def _losses(
    identity: tuple[str, str, Start],
    _dataset: ImageDataset,
    number: int,
    earlier_lr: float | None,
    steps: int,
    lr: float | None,
) -> list[float]:
    config, weights = TrainConfig.model_validate_json(identity[0]), _weights(identity[2])
    return repeat_steps(config, _dataset, steps, lr, weights, number, earlier_lr)


def _weights(start: Start) -> Mapping[str, Tensor] | None:
    return cache.predictor(*start).network.state_dict() if start else None


def step_view(subject: Subject) -> None:
    """The settings of the step, its stages, and the same step repeated."""
    if not subject.trainable:
        st.info("There are no images of this shape in the lab: choose other images in the sidebar to take a step.")
        return
    dataset = lab_images(subject.config)
    if dataset is None:
        return
    config = subject.config
    start, number, lr = _settings(subject, dataset)
    identity = (config.model_dump_json(), dataset.version, start)
    try:
        step = _step(identity, dataset, number, lr)
    except (TooLarge, DatasetError) as error:
        st.info(words.plain(str(error)), icon=":material/inventory_2:")
        return
    stage = _switch()
    with st.container(border=True):
        st.subheader(f"{stage + 1}. {list(STAGES)[stage]}", anchor=False)
        with st.container(horizontal=True):  # where there is no room for both, the code goes below
            with st.container(width=SHOWN):
                list(STAGES.values())[stage](step, config, dataset)
            with st.container(width="stretch"):
                st.caption("The lines that do it")
                st.code(code_of(stage, config), language="python", wrap_lines=True)
    repeat_view(step, lambda steps, rate: _losses(identity, dataset, number, lr, steps, rate))


def _settings(subject: Subject, dataset: ImageDataset) -> tuple[Start, int, float | None]:
    config, start = subject.config, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if subject.run is not None:
            start = _start(subject.run, subject.checkpoint)
        expect_number("step.number", 1, MOST_STEPS)
        number = st.number_input(
            "Open step", 1, MOST_STEPS, 1, key="step.number", width=140, persist_state="session", bind="query-params",
            help="Which step of the training; from the second on momentum has something to remember.",
        )  # fmt: skip
        scheduled = scheduled_lr(config, dataset, int(number))
        expect_truth("step.own")
        own = st.toggle("Own learning rate", key="step.own", persist_state="session", bind="query-params")
        lr = None
        if own:
            expect_number("step.lr", 0.0, MOST_LR)
            lr = st.number_input(
                "Learning rate", value=scheduled, format="%g", key="step.lr", width=160, persist_state="session",
                bind="query-params",
                help="In place of the schedule's, also in the steps before the opened one; try 10 and 100 times as "
                "much.",
            )  # fmt: skip
    if lr is not None and not 0 < lr <= MOST_LR:
        st.error(
            f"A learning rate of {lr:g} is not allowed: give a number above 0 and at most {MOST_LR:,.0f}, such as "
            f"{scheduled:.3g}."
        )
        lr = None
    st.caption(
        f"By its settings: {words.choice(config.optimizer)}"
        + (f" with momentum {config.momentum:g}" if config.momentum else "")
        + f", learning rate {scheduled:.3g}"
        + (f" ({words.choice(config.schedule)}, at most {config.lr:g})" if config.schedule != "constant" else "")
        + (f", weight decay {config.weight_decay:g}" if config.weight_decay else "")
        + f", batches of {config.batch_size}, "
        + ("from the run's weights on; optimiser and schedule begin anew" if start else "from the initial weights on")
        + (f"; the learning rate here is {lr:g} in its place" if lr is not None else "")
        + ". In double precision, so that every digit can be followed."
    )
    return start, int(number), lr


def _start(run: Run, checkpoint: str) -> Start:
    """The run's checkpoint, or None for its initial weights."""
    names = ("The run's weights", "Its initial weights")
    expect_one_of("step.start", names)
    chosen = st.segmented_control(
        "Begin with", names, default=names[0], required=True, key="step.start", persist_state="session",
        bind="query-params",
    )  # fmt: skip
    return (run.path, checkpoint, run.checkpoint_time(checkpoint)) if chosen == names[0] else None


def _switch() -> int:
    """The stage, with Back and Next before the list."""
    names = list(STAGES)
    expect_one_of(STAGE, names)
    with st.container(horizontal=True, vertical_alignment="center"):
        buttons = st.container(horizontal=True, width="content")
        chosen = st.segmented_control(
            "Stage", names, default=names[0], key=STAGE, required=True, label_visibility="collapsed",
            persist_state="session", bind="query-params",
        )  # fmt: skip
    place = names.index(chosen)
    buttons.button("Back", icon=":material/arrow_back:", disabled=place == 0, on_click=_go, args=(-1,), key="step.back")
    buttons.button(
        "Next", icon=":material/arrow_forward:", type="primary", disabled=place == len(names) - 1,
        on_click=_go, args=(1,), key="step.next",
    )  # fmt: skip
    return place


def _go(by: int) -> None:
    names = list(STAGES)
    place = names.index(st.session_state[STAGE]) + by
    st.session_state[STAGE] = names[max(0, min(place, len(names) - 1))]
