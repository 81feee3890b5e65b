"""Runs side by side: their curves laid over each other, and what sets them apart."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from cnnlab.config import TrainConfig, applies, title
from cnnlab.curves import epoch_length
from cnnlab.figures.comparison import MOST, comparison_figure
from cnnlab.figures.curves import Series
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.paths import runs_dir
from cnnlab.runs import Run, names_of
from cnnlab.summary import Summary, held_out_of
from cnnlab.ui import words
from cnnlab.ui.address import write
from cnnlab.ui.followed import following
from cnnlab.ui.plot import plot
from cnnlab.ui.train.settings_words import in_full
from cnnlab.ui.train.views import BETWEEN, COMPARE, COMPARED

SPLITS = ("val", "train", "test")
NOT_A_SETTING = ("device",)


def comparison(summaries: Sequence[Summary]) -> None:
    """The choice among runs that have trained for an epoch, and the chosen ones side by side; nothing below two."""
    trained = {s.id: s for s in summaries if s.epoch}
    if len(trained) < 2:
        return
    names = names_of(trained.values())
    st.subheader("Compare", anchor=False)
    if COMPARED in st.session_state:  # a run may have been deleted
        st.session_state[COMPARED] = [id for id in st.session_state[COMPARED] if id in trained][:MOST]
    chosen = st.multiselect(
        "Runs to compare",
        list(trained),
        format_func=lambda id: names.get(id, id),
        key=COMPARED,
        max_selections=MOST,
        select_all=False,
        placeholder="Choose two or more runs",
        label_visibility="collapsed",
        persist_state="session",
    )
    write(COMPARE, BETWEEN.join(chosen) or None)  # the page itself, which writes its address, is not run again
    if len(chosen) < 2:
        st.caption(f"Up to {MOST} runs: their curves in one chart, and the settings in which they differ.")
        return
    runs = {names[id]: trained[id] for id in chosen}
    _curves(runs)
    _differences(runs)


def _curves(runs: Mapping[str, Summary]) -> None:
    curves = {name: _over_epochs(Run(runs_dir() / run.id)) for name, run in runs.items()}
    present = [split for split in SPLITS if any(f"{split}/loss" in found for found in curves.values())]
    with st.container(horizontal=True, vertical_alignment="center"):
        split = st.segmented_control(
            "Images",
            present,
            default=present[0],
            format_func=SPLIT_NAMES.__getitem__,
            key="compare.split",
            label_visibility="collapsed",
            required=True,
            persist_state="session",
        )
        log = st.toggle(
            "Log loss", key="curves.log", persist_state="session", help="Shows small and large losses alike."
        )
    without = [name for name, found in curves.items() if f"{split}/loss" not in found]
    if without:
        st.caption(f"Without {SPLIT_NAMES[split]} figures: {words.plain(', '.join(without))}.")
    if split == "val" and len({held_out_of(run) for run in runs.values()}) > 1:
        st.caption(
            ":material/warning: These runs hold out **different validation images** (dataset, its files, validation "
            "fraction or seed differ): small differences in accuracy tell nothing."
        )
    alt = f"{SPLIT_NAMES[split].capitalize()} loss and accuracy by epoch of {', '.join(curves)}."
    plot(comparison_figure(curves, split, log_loss=log), "Comparison", "compare.curves", alt=alt)


def _over_epochs(run: Run) -> Mapping[str, Series]:
    with following(run) as reader:
        return reader.drawn(epoch_length(run))


def _differences(runs: Mapping[str, Summary]) -> None:
    """What each run came to, and the settings that are not the same in all."""
    compared = list(runs.values())
    values = [run.config.model_dump() for run in compared]
    rows: dict[str, list[str]] = {
        words.BEST_ACCURACY: [words.percent(run.best_accuracy) for run in compared],
        "Validation images": ["–" if run.held_out is None else f"{run.held_out:,}" for run in compared],
        "Epochs trained": [f"{run.epoch} of {run.config.epochs}" for run in compared],
        "Duration": [words.duration(run.duration) for run in compared],
    }
    for name in TrainConfig.model_fields:
        both = zip(compared, values, strict=True)
        texts = [in_full(name, getattr(run.config, name)) if applies(name, v) else "–" for run, v in both]
        if len(set(texts)) > 1 and name not in NOT_A_SETTING:
            rows[title(name)] = list(map(words.plain, texts))
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=list(map(words.plain, runs))))
