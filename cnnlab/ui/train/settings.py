"""The settings of the next run: every value in one dictionary of the session, so that they survive a visit to another
page, with the recipe that they began with.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab import recipes
from cnnlab.config import TrainConfig, applies
from cnnlab.parsing import parse

VALUES, RECIPE = "train.values", "train.recipe"


def fill_form(config: TrainConfig, recipe: str | None) -> None:
    """Show ``config`` in the form, with ``recipe``, or the first if it is unknown, as what it is compared to."""
    st.session_state[VALUES] = config.model_dump()
    st.session_state[RECIPE] = recipe if recipe in recipes.RECIPES else recipes.FIRST_RECIPE
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


def changes(values: Mapping[str, Any], base: Mapping[str, Any]) -> list[str]:
    """The fields that count and differ from the recipe."""
    return [name for name in TrainConfig.model_fields if values[name] != base[name] and applies(name, values)]


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
