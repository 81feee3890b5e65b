"""The ways in: drawing, the camera, the test images; or many pictures by upload or from a folder."""

import streamlit as st

WAYS = {
    "Draw": ":material/draw: Draw",
    "Upload": ":material/upload: Upload",
    "Folder": ":material/folder_open: Folder",
    "Camera": ":material/photo_camera: Camera",
    "Test images": ":material/quiz: Test images",
}
MANY = ("Upload", "Folder")


def way_in() -> str:
    """The switch between the ways in."""
    return st.segmented_control(
        "Where the picture comes from",
        list(WAYS),
        default="Draw",
        required=True,
        format_func=WAYS.__getitem__,
        key="predict.way",
        label_visibility="collapsed",
        persist_state="session",
    )
