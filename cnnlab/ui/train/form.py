"""The sidebar form: a widget for every hyperparameter of TrainConfig, from its fields alone."""

import math
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

import streamlit as st
from pydantic.fields import FieldInfo

from cnnlab import recipes
from cnnlab.config import GROUPS, TrainConfig, applies, choices, form_facts, limits, title
from cnnlab.datasets import DATASETS, FOLDER_PREFIX
from cnnlab.models import MODELS
from cnnlab.parsing import ConfigError, allowed
from cnnlab.ui import words
from cnnlab.ui.block_editor import Block, block_editor
from cnnlab.ui.by_number import DIGITS
from cnnlab.ui.train.settings import VALUES, changes, fill_form, form_config, form_recipe, store_setting
from cnnlab.ui.train.settings_words import brief

OWN_FOLDER = "folder"
OWN_IMAGES = ("dataset", "image_size", "color")  # what another recipe leaves as it is, where a person has her own
LAST_FOLDER = "train.folder"  # the path of her own images, for when she comes back to them
OPEN_GROUPS = ("Data", "Optimiser")


def config_form() -> None:
    """Draw the form into the sidebar; what a person changes goes into the session."""
    with st.sidebar:
        st.markdown("**Settings of the next run**")
        st.selectbox(
            "Recipe",
            recipes.RECIPES.names(),
            format_func=lambda name: recipes.get(name).title,
            key="field.recipe",
            index=recipes.RECIPES.names().index(form_recipe()),
            on_change=_recipe_chosen,
            help="A whole set of settings to begin with. Choosing one fills the form below.",
        )
        st.caption(recipes.get(form_recipe()).summary)
        values, base = st.session_state[VALUES], recipes.get(form_recipe()).config.model_dump()
        with st.container():  # always there: groups below that move would be closed
            _changes_list(values, base)
        wrong = _wrong_fields()
        for group in GROUPS:
            with st.expander(group, expanded=group in OPEN_GROUPS):
                for name, info in TrainConfig.model_fields.items():
                    if form_facts(name)["group"] == group and applies(name, values):
                        _field(name, info, values, base, wrong)


def _wrong_fields() -> Collection[str]:
    try:
        form_config()
    except ConfigError as error:
        return error.settings
    return ()


def _recipe_chosen() -> None:
    recipe, values = st.session_state["field.recipe"], st.session_state[VALUES]
    kept = {name: values[name] for name in OWN_IMAGES if _are_own(values)}
    dropped = [n for n in changes(values, recipes.get(form_recipe()).config.model_dump()) if n not in kept]
    if dropped:
        titles = ", ".join(title(name) for name in dropped)
        st.toast(f"The new recipe replaced what you had changed: {titles}.", icon=":material/swap_horiz:")
    fill_form(recipes.get(recipe).config, recipe)
    for name, value in kept.items():
        store_setting(name, value)


def _are_own(values: Mapping[str, Any]) -> bool:
    return str(values["dataset"]).startswith(FOLDER_PREFIX)


def _changes_list(values: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    changed = changes(values, base)
    if not changed:
        return
    with st.container(border=True, gap="small"):
        st.markdown(f":orange[**●**] **{len(changed)} changed** from the recipe")
        for name in changed:
            st.button(
                f"{title(name)}: {words.plain(f'{brief(name, base[name])} → {brief(name, values[name])}')}",
                key=f"reset.{name}",
                icon=":material/undo:",
                type="tertiary",
                on_click=_reset,
                args=([name],),
                help="Take the recipe's value again.",
            )
        if len(changed) > 1:
            st.button("Undo all", key="reset.all", icon=":material/restart_alt:", on_click=_reset, args=(changed,))


def _reset(names: list[str]) -> None:
    base = recipes.get(form_recipe()).config.model_dump()
    for name in names:
        store_setting(name, base[name])
        for key in [k for k in st.session_state if str(k) == f"field.{name}" or str(k).startswith(f"field.{name}.")]:
            del st.session_state[key]


def _changed(name: str) -> None:
    if f"field.{name}" not in st.session_state:  # the browser went back to another page before this was heard
        return
    typed = {"dataset": _typed_dataset, "hidden": _typed_hidden}.get(name)
    store_setting(name, typed() if typed else st.session_state[f"field.{name}"])


def _field(
    name: str, info: FieldInfo, values: Mapping[str, Any], base: Mapping[str, Any], wrong: Collection[str]
) -> None:
    mark = " :red[:material/error:]" if name in wrong else " :orange[●]" if values[name] != base[name] else ""
    facts = form_facts(name)
    more = [facts["unit"]] if facts["unit"] in ("pixels", "degrees", "steps") else []
    more += [f"0: {facts['zero']}"] if facts["zero"] else []
    added = f" ({', '.join(more)})" if more else ""
    common = {"label": f"{info.title}{added}{mark}", "help": _help(name, info), "persist_state": "session"}
    if name == "dataset":
        _dataset_field(values, common)
    elif name == "blocks":
        block_editor(values["blocks"], "field.blocks", _blocks_changed)
    elif name == "hidden":
        _hidden_field(values, common)
    else:
        _plain_field(name, info, values[name], common)


def _help(name: str, info: FieldInfo) -> str:
    numeric = limits(info)[0] is not None
    return f"{info.description} Give {allowed(name, info)}." if numeric else str(info.description)


def _plain_field(name: str, info: FieldInfo, value: Any, common: dict[str, Any]) -> None:
    key = f"field.{name}"
    options = MODELS.names() if name == "model" else list(choices(info))
    if options:
        titles = (lambda o: MODELS.get(o).title) if name == "model" else words.choice
        st.session_state.setdefault(key, value)
        st.selectbox(options=options, key=key, format_func=titles, on_change=_changed, args=(name,), **common)
    elif info.annotation is bool:
        st.session_state.setdefault(key, value)
        st.toggle(key=key, on_change=_changed, args=(name,), **common)
    else:
        _number_field(name, info, value, common)


def _number_field(name: str, info: FieldInfo, value: Any, common: dict[str, Any]) -> None:
    """A number without bounds of the widget's own: it would keep a bad one from us, and the form would seem fine."""
    key = f"field.{name}"
    whole = info.annotation is int
    number: Any = int if whole else float
    step: Any = 1 if whole else _step(value)
    st.session_state.setdefault(key, None if value is None else number(value))
    st.number_input(
        key=key,
        value=None if info.default is None else "min",
        step=step,
        format="%d" if whole else "%g",
        placeholder="the network's own",
        on_change=_changed,
        args=(name,),
        **common,
    )


def _step(value: float | None) -> float:
    """A tenth or so of the value's size: 0.001 for 0.001 to 0.0099."""
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.1


def _dataset_field(values: Mapping[str, Any], common: dict[str, Any]) -> None:
    own = _are_own(values)
    st.session_state.setdefault("field.dataset", OWN_FOLDER if own else values["dataset"])
    st.selectbox(
        options=[*DATASETS.names(), OWN_FOLDER],
        key="field.dataset",
        format_func=lambda o: "Your own images …" if o == OWN_FOLDER else DATASETS.get(o).title,
        on_change=_changed,
        args=("dataset",),
        **common,
    )
    if own:
        st.session_state[LAST_FOLDER] = str(values["dataset"]).removeprefix(FOLDER_PREFIX)
        st.session_state.setdefault("field.dataset.folder", st.session_state[LAST_FOLDER])
        st.text_input(
            "Folder on this machine",
            key="field.dataset.folder",
            placeholder="/home/me/flowers",
            persist_state="session",
            on_change=_changed,
            args=("dataset",),
            help="A folder for each class with its images in it; or train, val and test with such folders in each.",
        )


def _typed_dataset() -> str:
    chosen: str = st.session_state["field.dataset"]
    typed = st.session_state.get("field.dataset.folder", st.session_state.get(LAST_FOLDER, ""))
    return FOLDER_PREFIX + _path_of(typed) if chosen == OWN_FOLDER else chosen


def _path_of(typed: str) -> str:
    """The path in what a person typed, or copied from a file manager or a command line."""
    path = typed.strip().strip("\"'").removeprefix(FOLDER_PREFIX)
    return unquote(path.removeprefix("file://")) if path.startswith("file://") else path


def _blocks_changed(blocks: tuple[Block, ...]) -> None:
    store_setting("blocks", blocks)


def _hidden_field(values: Mapping[str, Any], common: dict[str, Any]) -> None:
    st.session_state.setdefault("field.hidden", ", ".join(map(str, values["hidden"])))
    st.text_input(key="field.hidden", placeholder="none", on_change=_changed, args=("hidden",), **common)


def _typed_hidden() -> tuple[int | str, ...]:
    parts = [part.strip() for part in st.session_state["field.hidden"].split(",")]
    whole = [part.isdecimal() and len(part) <= DIGITS for part in parts]
    return tuple(int(part) if is_whole else part for part, is_whole in zip(parts, whole, strict=True) if part)
