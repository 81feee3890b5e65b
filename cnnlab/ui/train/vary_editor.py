"""Which settings a new sweep varies, and over which values: suggested from the form, changed as one likes."""

import math
from typing import Any

import streamlit as st

from cnnlab.config import TrainConfig, choices, form_facts, shown, title
from cnnlab.models import MODELS
from cnnlab.sweeps.suggest import VARIABLE, suggestion, variable
from cnnlab.sweeps.vary import Vary
from cnnlab.ui import words

CHOSEN = "sweep.vary"


def what_to_vary(config: TrainConfig) -> tuple[str, ...]:
    """Draw the widgets; gives the chosen settings with their values, as on the command line."""
    before = tuple(st.session_state.get(CHOSEN, ()))
    options = [name for name in VARIABLE if name in variable(config, before)]
    if CHOSEN in st.session_state:
        st.session_state[CHOSEN] = [name for name in before if name in options]
    chosen = st.multiselect(
        "What to vary",
        options,
        default=None if CHOSEN in st.session_state else ["lr", "batch_size"],
        format_func=title,
        key=CHOSEN,
        persist_state="session",
        placeholder="Choose settings",
    )
    return tuple(text for name in chosen if (text := _row(name, config)))


def _row(name: str, config: TrainConfig) -> str:
    """The widgets for one setting; its values as on the command line, empty where none is chosen."""
    info = TrainConfig.model_fields[name]
    vary = suggestion(name, config)
    key = f"sweep.{name}.{getattr(config, name)}"  # with another value in the form, other values are suggested
    with st.container(horizontal=True, vertical_alignment="bottom", border=True):
        if info.annotation is bool or name == "model" or choices(info):
            return _choices_row(name, vary, key)
        unit = form_facts(name)["unit"]
        unit = f" ({unit})" if unit in ("pixels", "degrees", "images", "epochs") else ""
        st.markdown(f"**{title(name)}**{unit}", width=190, help=info.description)
        ways = ("range", "values")
        how = st.segmented_control(
            f"{title(name)}: how",
            ways,
            default=ways[bool(vary.choices)],
            key=f"{key}.how",
            label_visibility="collapsed",
            required=True,
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
            whole = info.annotation is int
            return _values_row(name, vary, key) if how == "values" else _range_row(name, vary, key, whole)


def _choices_row(name: str, vary: Vary, key: str) -> str:
    options: list[Any] = MODELS.names() if name == "model" else list(vary.choices)
    st.markdown(f"**{title(name)}**", width=190, help=TrainConfig.model_fields[name].description)
    chosen = st.multiselect(
        f"{title(name)}: values",
        options,
        default=list(vary.choices),
        key=f"{key}.choices",
        label_visibility="collapsed",
        persist_state="session",
        format_func=lambda o: MODELS.get(o).title if name == "model" else words.choice(shown(o)),
    )
    return Vary(name, choices=tuple(chosen)).text if chosen else ""


def _values_row(name: str, vary: Vary, key: str) -> str:
    values = vary.choices or (vary.low, vary.high)
    text = st.text_input(
        f"{title(name)}: values, separated by commas",
        value=", ".join(shown(value) for value in values),
        key=f"{key}.values",
        width=330,
        persist_state="session",
    )
    return f"{name}=" + ",".join(part.strip() for part in text.split(",") if part.strip())


def _range_row(name: str, vary: Vary, key: str, whole: bool) -> str:
    ends = (min(vary.choices), max(vary.choices)) if vary.choices else (vary.low, vary.high)
    low, high = (
        st.number_input(
            f"{title(name)}: {label.lower()}",
            value=int(end) if whole else float(end),
            step=1 if whole else 10.0 ** math.floor(math.log10(end)) if end else 0.1,
            format="%d" if whole else "%g",
            key=f"{key}.{label}",
            persist_state="session",
            width=150,
        )
        for label, end in zip(("From", "To"), ends, strict=True)
    )
    log = st.toggle(
        f"{title(name)}: log scale",
        value=vary.log,
        key=f"{key}.log",
        persist_state="session",
        help="As many trials between 0.001 and 0.01 as between 0.01 and 0.1: for rates and sizes.",
    )
    return f"{name}={low:.12g}..{high:.12g}" + (":log" if log else "")


def range_problem(text: str) -> str:
    """What is wrong with a range, as on the command line, in the words of this editor; empty if nothing is."""
    name, _, values = text.partition("=")
    if ".." not in values:
        return ""
    try:
        low, high = map(float, values.removesuffix(":log").split(".."))
    except ValueError:  # typed among values: the command line's own sentence says what is wrong
        return ""
    if low >= high:
        return f"{title(name)}: From is {low:g} and To is {high:g}; From must be below To."
    if values.endswith(":log") and low <= 0:
        return f"{title(name)}: From is {low:g}; on a log scale it must be above 0, such as 0.001."
    return ""
