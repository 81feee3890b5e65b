"""A photograph by the browser's camera."""

import streamlit as st

from cnnlab.pictures import UnreadableImage, open_picture
from cnnlab.ui import words
from cnnlab.ui.camera import camera
from cnnlab.ui.predict.given import Given, keep, recall

KEY = "predict.camera"


def photograph() -> Given | None:
    """The photograph that was taken, in colour whatever the network takes, or None."""
    taken = camera("Hold it before the camera", KEY, _forget_cleared)
    st.caption("The picture stays on the machine that this page comes from.")
    if taken is None:
        return recall("Camera")
    try:
        return keep("Camera", Given(open_picture(taken.getvalue()), "photograph"))
    except UnreadableImage as error:
        st.error(words.plain(str(error)), icon=":material/broken_image:")
        return None


def _forget_cleared() -> None:
    """A photograph that the person cleared is not answered any longer; one that was left with the page still is."""
    if st.session_state.get(KEY) is None:
        keep("Camera", None)
