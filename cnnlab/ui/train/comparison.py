"""Runs side by side: their curves laid over each other, and what sets them apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from cnnlab.config import TrainConfig, applies
from cnnlab.figures.comparison import MOST, comparison_figure
from cnnlab.figures.curves import Series
from cnnlab.figures.style import SPLIT_NAMES
from cnnlab.paths import runs_dir
from cnnlab.runs import Run
from cnnlab.summary import Summary
from cnnlab.ui import words
from cnnlab.ui.followed import following
from cnnlab.ui.plot import plot
from cnnlab.ui.train.form import brief

CHOSEN = "compare.runs"
SPLITS = ("val", "train", "test")
JUDGED_ON = ("dataset", "validation_fraction", "seed")  # the settings that say which images hold out
NOT_A_SETTING = ("device",)


def comparison(summaries: Sequence[Summary]) -> None:
    """The choice among runs that have trained for an epoch, and the chosen ones side by side; nothing below two."""
    trained = {s.id: s for s in summaries if s.epoch}
    if len(trained) < 2:
        return
    names = Counter(s.name for s in trained.values())
    trained = {id: s if names[s.name] == 1 else replace(s, name=f"{s.name} ({id})") for id, s in trained.items()}
    st.subheader("Compare", anchor=False)
    if CHOSEN in st.session_state:  # a run may have been deleted
        st.session_state[CHOSEN] = [id for id in st.session_state[CHOSEN] if id in trained]
    chosen = st.multiselect(
        "Runs to compare",
        list(trained),
        format_func=lambda id: trained[id].name if id in trained else id,
        key=CHOSEN,
        max_selections=MOST,
        select_all=False,
        placeholder="Choose two or more runs",
        label_visibility="collapsed",
        persist_state="session",
    )
    runs = [trained[id] for id in chosen]
    if len(runs) < 2:
        st.caption(f"Up to {MOST} runs: their curves in one chart, and the settings in which they differ.")
        return
    _curves(runs)
    _differences(runs)


def _curves(runs: Sequence[Summary]) -> None:
    curves = {run.name: _over_epochs(run) for run in runs}
    present = [split for split in SPLITS if any(f"{split}/loss" in found for found in curves.values())]
    split = st.segmented_control(
        "Images",
        present,
        default=present[0],
        format_func=SPLIT_NAMES.__getitem__,
        key="compare.split",
        label_visibility="collapsed",
        required=True,
    )
    without = [name for name, found in curves.items() if f"{split}/loss" not in found]
    if without:
        st.caption(f"Without {SPLIT_NAMES[split]} figures: {', '.join(without)}.")
    if split == "val" and len({tuple(getattr(run.config, name) for name in JUDGED_ON) for run in runs}) > 1:
        st.caption(
            ":material/warning: These runs hold out **different validation images** (dataset, validation fraction or "
            "seed differ): small differences in accuracy tell nothing."
        )
    plot(comparison_figure(curves, split), "Comparison", "compare.curves")


def _over_epochs(summary: Summary) -> dict[str, Series]:
    with following(Run(runs_dir() / summary.id)) as reader:
        epoch = reader.last["epoch"]
        return {**reader.drawn(epoch["step"] / epoch["epoch"])}


def _differences(runs: Sequence[Summary]) -> None:
    """What each run came to, and the settings that are not the same in all."""
    values = [run.config.model_dump() for run in runs]
    rows: dict[str, list[str]] = {
        "Best validation accuracy": [words.percent(run.best_accuracy) for run in runs],
        "Epochs trained": [f"{run.epoch} of {run.config.epochs}" for run in runs],
        "Duration": [words.duration(run.duration) for run in runs],
    }
    for name, info in TrainConfig.model_fields.items():
        texts = [brief(v[name]) if applies(name, v) else "–" for v in values]
        if len(set(texts)) > 1 and name not in NOT_A_SETTING:
            rows[str(info.title)] = texts
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[run.name for run in runs])
    st.table(table)
