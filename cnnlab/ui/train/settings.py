"""The settings of the next run: every value in one dictionary of the session, and what differs from the recipe also in
the page's address. So they survive a visit to another page, a reload, and can be sent to somebody else.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab import recipes
from cnnlab.config import TrainConfig, applies, shown
from cnnlab.parsing import ConfigError, adapt, parse

VALUES, RECIPE = "train.values", "train.recipe"
WRITTEN = "train.written"  # the address that this page wrote last
FIRST_RECIPE = "quick_digits"


def restore_form() -> None:
    """On the first run of a session, fill the form from the page's address, else with the first recipe."""
    if VALUES in st.session_state:
        return
    open_settings(dict(st.query_params.items()))


def open_settings(asked: Mapping[str, str]) -> None:
    """Fill the form from an address, unless it says the same already."""
    recipe = asked.get("recipe", FIRST_RECIPE)
    recipe = recipe if recipe in recipes.RECIPES else FIRST_RECIPE
    settings = {name: text for name, text in asked.items() if name in TrainConfig.model_fields}
    if VALUES in st.session_state and settings_address() == {"recipe": recipe, **settings}:
        return
    try:
        decoded = {name: _from_address(name, text) for name, text in settings.items()}
        fill_form(adapt(recipes.get(recipe).config, decoded), recipe)
    except (ConfigError, ValueError) as error:
        fill_form(recipes.get(recipe).config, recipe)
        st.toast(
            f"The address holds a setting that cannot be used. {error}", icon=":material/link_off:", duration="long"
        )


def fill_form(config: TrainConfig, recipe: str) -> None:
    """Show ``config`` in the form, with ``recipe`` as what it is compared to."""
    st.session_state[VALUES] = config.model_dump()
    st.session_state[RECIPE] = recipe
    for key in [k for k in st.session_state if str(k).startswith("field.")]:
        del st.session_state[key]


def form_config() -> TrainConfig:
    """The form's values as a TrainConfig; raises ConfigError with a sentence for each that cannot be used."""
    values = st.session_state[VALUES]
    return parse({name: value for name, value in values.items() if applies(name, values)})


def form_recipe() -> str:
    """The recipe that the form began with."""
    recipe: str = st.session_state[RECIPE]
    return recipe


def in_form_words(sentence: str) -> str:
    """A sentence about settings with the form's titles in place of their names on the command line."""
    for name, info in TrainConfig.model_fields.items():
        sentence = re.sub(rf"\b{name} = ", f"{info.title} = ", sentence)
    return sentence


def write_address(others: Mapping[str, str]) -> None:
    """Put the recipe and what differs from it into the page's address, beside ``others``.

    Only what is new is written: an address that the browser went back to is not ours to change before it is opened,
    and a page that says what it would say without an address needs none: Back leads from it to the page before.
    """
    wanted = {**settings_address(), **others}
    plain = wanted == {"recipe": FIRST_RECIPE, "view": "new"} and not st.query_params
    entered = "view" not in st.query_params
    if not plain and dict(st.query_params.items()) != wanted and (entered or wanted != st.session_state.get(WRITTEN)):
        st.query_params.from_dict(wanted)
    st.session_state[WRITTEN] = wanted


def settings_address() -> dict[str, str]:
    """The recipe and what differs from it, as in the page's address."""
    values, base = st.session_state[VALUES], recipes.get(form_recipe()).config.model_dump()
    return {"recipe": form_recipe(), **{name: _to_address(values[name]) for name in changes(values, base)}}


def changes(values: Mapping[str, Any], base: Mapping[str, Any]) -> list[str]:
    """The fields that count and differ from the recipe."""
    return [name for name in TrainConfig.model_fields if values[name] != base[name] and applies(name, values)]


def _to_address(value: Any) -> str:
    return (
        json.dumps(value, separators=(",", ":"))
        if isinstance(value, tuple | list)
        else ""
        if value is None
        else shown(value)
    )


def _from_address(name: str, text: str) -> Any:
    if name in ("blocks", "hidden"):
        return json.loads(text)
    return None if text == "" else text


def in_full(value: Any) -> str:
    """A setting's value with all that it holds."""
    return "its own" if value is None else shown(value)


def brief(value: Any) -> str:
    """A setting's value in a word or two."""
    if isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        return f"{len(value)} block{'s' if len(value) > 1 else ''}"
    return in_full(value)


def store_setting(name: str, value: Any) -> None:
    """Take a value over; fields that no longer count, or count only now, go back to what the recipe or default says."""
    values = st.session_state[VALUES]
    before = {other: applies(other, values) for other in TrainConfig.model_fields}
    values[name] = value
    base, defaults = recipes.get(form_recipe()).config.model_dump(), TrainConfig().model_dump()
    for other in TrainConfig.model_fields:
        if applies(other, values) != before[other]:
            source = base if applies(other, values) and applies(other, base) else defaults
            values[other] = source[other]
            st.session_state.pop(f"field.{other}", None)
