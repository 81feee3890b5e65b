"""The recipe and what differs from it in the page's address: it survives a reload, and can be sent to somebody else."""

import json
import reprlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab import recipes
from cnnlab.config import TrainConfig, shown
from cnnlab.parsing import ConfigError, adapt
from cnnlab.registry import UnknownName, did_you_mean
from cnnlab.ui import words
from cnnlab.ui.train.settings import VALUES, changes, fill_form, form_recipe
from cnnlab.ui.train.settings_words import in_form_words
from cnnlab.ui.train.views import VIEW_KEYS

WRITTEN = "train.written"  # the address that this page wrote last


def restore_form() -> None:
    """On the first run of a session, fill the form from the page's address, else with the first recipe."""
    if VALUES in st.session_state:
        return
    open_settings(dict(st.query_params.items()))


def open_settings(asked: Mapping[str, str]) -> None:
    """Fill the form from an address, unless it says the same already."""
    recipe = asked["recipe"] if asked.get("recipe") in recipes.RECIPES else recipes.FIRST_RECIPE
    settings = {name: text for name, text in asked.items() if name in TrainConfig.model_fields}
    if VALUES in st.session_state and settings_address() == {"recipe": recipe, **settings}:
        return
    wrong, decoded = _unknown(asked), {}
    for name, text in settings.items():
        try:
            decoded[name] = _from_address(name, text)
        except (ValueError, RecursionError):  # as of lists in lists in lists
            wrong.append(in_form_words(f"{name} = {reprlib.repr(text)} is not allowed: give a JSON list."))
    config, problems = _usable(recipes.get(recipe).config, decoded)
    wrong += problems
    fill_form(config, recipe)
    if wrong:
        said = " ".join(map(words.plain, wrong))
        st.toast(f"The address holds what cannot be used. {said}", icon=":material/link_off:", duration="long")


def _usable(base: TrainConfig, settings: Mapping[str, Any]) -> tuple[TrainConfig, list[str]]:
    """``base`` with what can be used of ``settings``, and what is wrong with the rest; ``base`` where nothing can."""
    try:
        return adapt(base, settings), []
    except ConfigError as error:
        said = in_form_words(str(error))
        left = {name: value for name, value in settings.items() if name not in error.settings}
        if len(left) == len(settings):
            return base, [said]
        config, more = _usable(base, left)
        return config, [said, *more]


def _unknown(asked: Mapping[str, str]) -> list[str]:
    """A sentence for each name in an address that means nothing here."""
    found = []
    try:
        recipes.get(asked.get("recipe", recipes.FIRST_RECIPE))
    except UnknownName as error:
        found.append(str(error))
    names = TrainConfig.model_fields
    strange = [name for name in asked if name not in names and name not in ("recipe", *VIEW_KEYS)]
    return [*found, *(f"Unknown setting '{name}'.{did_you_mean(name, names)}" for name in strange)]


def write_address(others: Mapping[str, str]) -> None:
    """Put the recipe and what differs from it into the page's address, beside ``others``.

    Only what is new is written: an address that the browser went back to is not ours to change before it is opened,
    and a page that says what it would say without an address needs none: Back leads from it to the page before.
    """
    wanted = {**settings_address(), **others}
    plain = wanted == {"recipe": recipes.FIRST_RECIPE, "view": "new"} and not st.query_params
    entered = "view" not in st.query_params
    if not plain and dict(st.query_params.items()) != wanted and (entered or wanted != st.session_state.get(WRITTEN)):
        st.query_params.from_dict(wanted)
    st.session_state[WRITTEN] = wanted


def settings_address() -> dict[str, str]:
    """The recipe and what differs from it, as in the page's address."""
    values, base = st.session_state[VALUES], recipes.get(form_recipe()).config.model_dump()
    return {"recipe": form_recipe(), **{name: _to_address(values[name]) for name in changes(values, base)}}


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
