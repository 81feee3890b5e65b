"""One filter: the picture, the kernel and the output, alive; below them the size formula and the Python behind it."""

import streamlit as st

from cnnlab.explain.convolution import Picture, Settings, SettingsError, convolve
from cnnlab.explain.filter_code import opencv_code, pytorch_code
from cnnlab.explain.presets import slides
from cnnlab.ui.filters.keep_dialog import keep_button, keep_dialog
from cnnlab.ui.filters.kernel_choice import kernel_choice, take_last_edit
from cnnlab.ui.filters.picture_choice import Chosen
from cnnlab.ui.filters.playground import playground
from cnnlab.ui.filters.settings_form import settings_form
from cnnlab.ui.filters.state import OWN, PARAMS, PRESET, STAMP, held, kernel, key
from cnnlab.ui.filters.takeaway import download_output, download_picture, python_tabs


def one_filter(chosen: Chosen, color: bool) -> None:
    """The whole view."""
    with st.sidebar:
        settings = settings_form(color)
        st.toggle(
            "Clip to 0 … 255, as a photograph",
            key=key("clipped"),
            persist_state="session",
            help="Shows what is lost when values below 0 and above 255 are cut off, as many programs do.",
        )
    picture = chosen.picture(color)
    kernel_choice(keep_button, len(picture), settings.summed)
    problem = _problem(picture, settings)
    preset = st.session_state[PRESET]
    offered = slides(preset, st.session_state[PARAMS]) if preset != OWN else []
    playground(
        picture, kernel(), settings, offered, st.session_state[STAMP], bool(held("clipped")), problem, take_last_edit
    )
    if not problem:
        _formula(picture, settings)
        _code(picture, settings)
    keep_dialog()


def _problem(picture: Picture, settings: Settings) -> str:
    try:
        settings.check(picture.shape, kernel())
    except SettingsError as error:
        return str(error)
    return ""


def _formula(picture: Picture, settings: Settings) -> None:
    """The output size with the numbers put in, for width and height."""
    _, height, width = picture.shape
    size = kernel().size
    st.subheader("The size of the output", anchor=False)
    with st.grid(2, min_column_width=430):
        st.latex(rf"\text{{width}} = {settings.formula(width, size, 'W')}")
        st.latex(rf"\text{{height}} = {settings.formula(height, size, 'H')}")
    words = "W, H: the picture. F: the kernel's side. P: padding on each side. S: stride."
    words += " D: dilation." if settings.dilation > 1 else ""
    unused = [(settings.unused(n, size), what) for n, what in ((width, "column"), (height, "row"))]
    lost = " and ".join(f"the last {n} {what}{'s' if n > 1 else ''}" for n, what in unused if n)
    words += (
        f" The division leaves a remainder: {lost} of the padded picture cannot be reached, and ⌊ ⌋ rounds down."
        if lost
        else ""
    )
    st.caption(words)


def _code(picture: Picture, settings: Settings) -> None:
    """The Python that gives the same picture, and the pictures."""
    shown = kernel()  # a download is made outside of the session, which it cannot ask
    st.subheader("The same in Python", anchor=False)
    python_tabs(*(write(shown, settings, picture.shape) for write in (opencv_code, pytorch_code)))
    with st.container(horizontal=True, vertical_alignment="center"):
        download_picture("Input", "picture.png", lambda: picture, "filters.png")
        download_output(lambda: convolve(picture, shown, settings), "filters.output.png")
