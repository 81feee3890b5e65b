"""The rows above the picture: which kernel, its size, keeping it, and what can be done to it."""

import random
from collections.abc import Callable, Mapping

import streamlit as st

from cnnlab.explain.kernel_shelf import Shelf
from cnnlab.explain.kernels import (
    LARGEST,
    LONGEST_NAME,
    OWN_NAME,
    TRANSFORMS,
    Kernel,
    KernelError,
    advice,
    random_kernel,
    resized,
)
from cnnlab.explain.presets import PRESETS, make_preset
from cnnlab.paths import runs_dir
from cnnlab.ui import words
from cnnlab.ui.filters.playground import last_edit
from cnnlab.ui.filters.state import OWN, PARAMS, PRESET, SAVED, STAMP, kernel, take_edit, use_kernel, use_preset

CHOICE, SIZE = "filters.choice", "filters.size"
HELP = {
    "Rotate": "Turn it clockwise by 90°",
    "Flip left-right": "Flip it left to right",
    "Flip up-down": "Flip it upside down",
    "Transpose": "Rows become columns",
    "Negate": "Change every sign",
    "Normalise": "Divide each channel's weights by their sum; where that is 0, by the sum of their sizes",
}


def shelf() -> Shelf:
    """Where kernels are kept."""
    return Shelf(runs_dir() / "kernels.json")


def saved_kernels() -> dict[str, Kernel]:
    """The kept kernels by name; a sentence on the page if they cannot be read."""
    try:
        return shelf().kernels()
    except KernelError as error:
        st.warning(words.plain(str(error)), icon=":material/warning:")
        return {}


def kernel_options(saved: Mapping[str, Kernel]) -> list[str]:
    """What a list of kernels offers: the person's own, those that are ``saved``, and the presets by their names."""
    return [OWN, *(SAVED + name for name in saved), *PRESETS.names()]


def named_kernel(option: str, saved: Mapping[str, Kernel]) -> Kernel | None:
    """The kernel that a list calls ``option``; None for one that is not ``saved`` any more."""
    if option == OWN:
        return kernel()
    return saved.get(option.removeprefix(SAVED)) if option.startswith(SAVED) else make_preset(option)


def kernel_label(option: str) -> str:
    """What a list of kernels shows for ``option``."""
    if option == OWN:
        return OWN_NAME
    if option.startswith(SAVED):
        return f"Saved · {option.removeprefix(SAVED)}"
    preset = PRESETS.get(option)
    return f"{preset.family} · {preset.title}"


def kernel_choice(keep: Callable[[], None], channels: int, summed: bool) -> None:
    """The rows, with what ``keep`` draws at the first one's end, and a sentence on the kernel.

    It is moved over a picture of ``channels``, which are ``summed`` or filtered each by itself.
    """
    saved = saved_kernels()
    options = kernel_options(saved)
    if st.session_state[PRESET] != OWN:
        options.remove(OWN)
    st.session_state[CHOICE] = st.session_state[PRESET]
    st.session_state[SIZE] = kernel().size
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Kernel",
            options,
            key=CHOICE,
            format_func=kernel_label,
            on_change=_choose,
            args=(saved,),
            width=300,
        )
        st.selectbox(
            "Size", range(1, LARGEST + 1), key=SIZE, format_func=lambda n: f"{n} × {n}", on_change=_resize, width=105
        )
        keep()
    _changes()
    preset = st.session_state[PRESET]
    about = PRESETS.get(preset).sentence if preset != OWN else f"**{words.plain(kernel().name)}.**"
    st.caption(f"{about} {advice(kernel(), channels, summed)}")


def _changes() -> None:
    """What can be done to the whole kernel at once."""
    with st.container(horizontal=True, gap="small"):
        for name, help in HELP.items():
            st.button(name, key=f"filters.do.{name}", help=help, on_click=_transform, args=(name,))
        st.button("Random", key="filters.random", help="Random weights, as a new network has them", on_click=_random)


def _choose(saved: dict[str, Kernel]) -> None:
    chosen = st.session_state[CHOICE]
    if chosen.startswith(SAVED):
        use_kernel(saved[chosen.removeprefix(SAVED)])
    elif chosen != OWN:
        use_preset(chosen)


def take_last_edit() -> None:
    """Take over what was typed in the browser, unless Python has set another kernel since."""
    edit = last_edit()
    if edit and edit.stamp == st.session_state[STAMP]:
        take_edit(edit.kernel, edit.params, edit.finish)


def _resize() -> None:
    take_last_edit()  # the click that came here also ended an edit, and either may be heard first
    size, preset = st.session_state[SIZE], st.session_state[PRESET]
    if preset != OWN and any(p.name == "size" and size in p.steps for p in PRESETS.get(preset).parameters):
        use_preset(preset, {**st.session_state[PARAMS], "size": size})
    else:
        use_kernel(resized(kernel(), size))


def _transform(name: str) -> None:
    take_last_edit()
    changed = TRANSFORMS[name](kernel())
    if changed.text != kernel().text:
        told = f"{kernel().name}, {name.lower()}"
        named = kernel().name != OWN_NAME and len(told) <= LONGEST_NAME
        use_kernel(Kernel(changed.weights, told if named else OWN_NAME))


def _random() -> None:
    use_kernel(random_kernel(kernel().size, random.randrange(10_000)))
