"""Code: the network and its training as a plain PyTorch script."""

import streamlit as st

from cnnlab.datasets import FOLDER_PREFIX
from cnnlab.explain.script import script
from cnnlab.loader import scaling_of
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.images import lab_images


def code_view(subject: Subject) -> None:
    """The script, to copy or to download."""
    if not subject.trainable:
        st.info("There are no images of this shape in the lab: choose other images in the sidebar to get a script.")
        return
    dataset = lab_images(subject.config)
    if dataset is None:
        return
    scaling = scaling_of(subject.config, dataset)
    text = script(subject.config, subject.shape, scaling.mean, scaling.std)
    beside = "scikit-learn" if "sklearn" in text else "torchvision"
    own = subject.config.dataset.startswith(FOLDER_PREFIX)
    name = "folder" if own else subject.config.dataset
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            "This script defines the same network and trains it with the same settings; it needs PyTorch and "
            f"{beside} alone. For the same seed on a CPU its losses are those of the lab"
            + (", if no picture is there twice, transparent, of 16 bits, or damaged." if own else "."),
            width=760,
        )
        st.download_button(
            "Download", text, f"{subject.config.model}_{name}.py", "text/x-python",
            icon=":material/download:", key="code.download",
        )  # fmt: skip
    st.code(text, language="python")
