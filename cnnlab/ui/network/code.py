"""Code: the network and its training as a plain PyTorch script."""

import streamlit as st

from cnnlab.datasets import FOLDER_PREFIX, DatasetError, check_name
from cnnlab.explain.script import network_script, script
from cnnlab.ui import words
from cnnlab.ui.network.choice import Subject


def code_view(subject: Subject) -> None:
    """The script, to copy or to download; where there are no images to train on, the network alone."""
    config = subject.config
    if text := _training(subject):
        own = config.dataset.startswith(FOLDER_PREFIX)
        name = "folder" if own else config.dataset
        needs = "scikit-learn" if "sklearn" in text else "torchvision"
        told = (
            "This script defines the same network and trains it with the same settings; it needs PyTorch and "
            f"{needs} alone{', and downloads the images' if 'download=True' in text else ''}. For the same seed on a "
            "CPU its losses are those of the lab"
            + (", if no picture is there twice, transparent, of 16 bits, or damaged." if own else ".")
        )
    else:
        text, name = network_script(config, subject.shape), "network"
        told = "These lines define the network alone, with its initial weights."
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(told, width=760)
        st.download_button(
            "Download", text, f"{config.model}_{name}.py", "text/x-python",
            icon=":material/download:", key="code.download",
        )  # fmt: skip
    st.code(text, language="python")


def _training(subject: Subject) -> str | None:
    """The whole script; a sentence on the page and None where there are no images to train on."""
    if not subject.trainable:
        st.info(
            "There are no images of this shape in the lab to train on: choose other images in the sidebar for a script "
            "that trains, too."
        )
        return None
    try:
        check_name(subject.config.dataset)
        return script(subject.config, subject.shape)
    except DatasetError as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return None
