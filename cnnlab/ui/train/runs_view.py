"""All runs in a table; choosing a row opens it. Below, some of them side by side."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import pandas as pd
import streamlit as st

from cnnlab import recipes
from cnnlab.config import TrainConfig, title
from cnnlab.paths import runs_dir
from cnnlab.runs import Run, RunError, list_runs, names_of
from cnnlab.summary import Summary
from cnnlab.ui import cache, words
from cnnlab.ui.train.comparison import comparison
from cnnlab.ui.train.link_table import HOW, link_table
from cnnlab.ui.train.settings import changes
from cnnlab.ui.train.settings_words import brief
from cnnlab.ui.train.views import open_run, tell_no_run

MOST_ROWS = 16  # without scrolling
EVERY, IDLE = 2.0, 10.0  # seconds between two looks: during a training, and while a shell may start one
FOR_EACH_RUN = 0.02  # seconds: many runs take a while to look at, and a whole class may do so at once


def runs_view(runs: Sequence[Run]) -> None:
    """The table of all runs, kept up to date: often while one of ``runs`` is live."""
    live = _any_alive(runs)
    st.fragment(_runs, run_every=pause(live, len(runs)))(live)


def pause(live: bool, runs: int) -> float:
    """Seconds between two looks at so many ``runs``, of which one is ``live`` or none."""
    return max(EVERY if live else IDLE, runs * FOR_EACH_RUN)


def _any_alive(runs: Sequence[Run]) -> bool:
    return any(run.alive() for run in runs)


def _runs(live: bool) -> None:
    runs = list_runs(runs_dir())
    if live != _any_alive(runs):
        st.rerun(scope="app")
    summaries = _summaries(runs)
    _table(summaries)
    comparison(summaries)


def _summaries(runs: Sequence[Run]) -> list[Summary]:
    found = []
    for run in runs:
        try:
            found.append(cache.summary(run))
        except RunError as error:
            st.warning(words.plain(str(error)), icon=":material/folder_off:")
    return found


@lru_cache(maxsize=2048)
def _changed(config: TrainConfig, recipe: str | None) -> str:
    """What ``config`` changes of its ``recipe``, or without one of the defaults, such as ``batch size 64``."""
    base = recipes.get(recipe).config if recipe and recipe in recipes.RECIPES else TrainConfig()
    values = config.model_dump()
    names = [n for n in changes(values, base.model_dump()) if n not in ("dataset", "model")]  # which are told besides
    titles = ((title(name), name) for name in names)
    return ", ".join(f"{said[0].lower()}{said[1:]} {brief(name, values[name])}" for said, name in titles) or "–"


def _table(summaries: list[Summary]) -> None:
    if not summaries:
        tell_no_run()
        return
    table = pd.DataFrame(
        {
            "Run": list(names_of(summaries).values()),
            "State": [s.state for s in summaries],
            words.BEST_ACCURACY: [words.hundredfold(s.best_accuracy) for s in summaries],
            "Test accuracy (last)": [words.hundredfold(s.watched_accuracy) for s in summaries],
            "Epochs": [f"{s.epoch} of {s.config.epochs}" for s in summaries],
            "Duration": [words.duration(s.duration) for s in summaries],
            "Network": [words.network(s.config.model) for s in summaries],
            "Dataset": [words.dataset(s.config.dataset) for s in summaries],
            "Recipe": [words.recipe(s.recipe) for s in summaries],
            "Changed": [_changed(s.config, s.recipe) for s in summaries],
            "Started": [datetime.fromtimestamp(s.created) for s in summaries],
        }
    )
    if table["Test accuracy (last)"].isna().all():
        table = table.drop(columns="Test accuracy (last)")
    st.caption(HOW.format("run"))
    opened = link_table(
        table,
        "Run",
        "runs.table",
        [s.id for s in summaries],
        open_run,
        {
            words.BEST_ACCURACY: st.column_config.NumberColumn(
                format="%.2f %%", help="Of the weights that are kept as best: where the validation loss was lowest."
            ),
            "Test accuracy (last)": st.column_config.NumberColumn(
                format="%.2f %%", help="Of runs that watch the test set, as the tutorials do: not to choose by."
            ),
            "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
        },
        height="content" if len(summaries) <= MOST_ROWS else 35 * (MOST_ROWS + 1) + 3,
    )
    if opened:
        st.rerun(scope="app")
