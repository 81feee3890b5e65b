"""What is taken away: the picture that goes into a filter, what comes out of it, and the Python between them."""

import io
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image

from cnnlab.explain.convolution import Maps, Picture


def python_tabs(opencv: str, pytorch: str) -> None:
    """The two programs that give the same output."""
    st.caption("Both programs run as they are beside picture.png, and leave the same values in `result`.")
    for tab, code in zip(st.tabs(["OpenCV", "PyTorch"]), (opencv, pytorch), strict=True):
        with tab:
            st.code(code, "python")


def download_output(values: Callable[[], Maps], key: str) -> None:
    """The button for an output's ``values``, and beside it what a PNG does to them."""
    download_picture("Output", "result.png", values, key)
    st.caption("A PNG holds 0 to 255: in result.png what is below becomes 0, what is above becomes 255.")


def download_picture(what: str, file: str, values: Callable[[], Picture | Maps], key: str) -> None:
    """A button that gives ``values``, computed when it is pressed, as a PNG called ``file``."""
    st.download_button(
        f"{what}: {file}",
        lambda: png(values()),
        file,
        "image/png",
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )


def png(values: Picture | Maps) -> bytes:
    """A picture or what a filter made of one, [1 or 3, H, W], as PNG in 8 bits."""
    pixels = np.asarray(values).round().clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()
