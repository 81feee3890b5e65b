"""The dialog in which a kernel is saved under a name, downloaded, opened from a file, or deleted."""

import streamlit as st

from cnnlab.explain.kernels import OWN_NAME, KernelError, read_kernel
from cnnlab.ui import words
from cnnlab.ui.filters.kernel_choice import saved_kernels, shelf
from cnnlab.ui.filters.state import kernel, use_kernel

OPEN, PROBLEM, TOLD = "filters.keeping", "filters.keep.problem", "filters.keep.told"
NAME, FILE, GONE = "filters.keep.name", "filters.keep.file", "filters.keep.gone"


def keep_button() -> None:
    """The button that opens the dialog."""
    help = "Save it under a name, download it as JSON, or open one from a file"
    st.button("Keep", icon=":material/bookmark:", key="filters.keep", help=help, on_click=_open)


def keep_dialog() -> None:
    """Show the dialog while it is open, or what it has saved; to be called at the page's end.

    A toast from the dialog's own callback would blank the page: the dialog's rerun ends before the browser has it.
    """
    if st.session_state.get(OPEN):
        st.dialog("Keep this kernel", on_dismiss=_close)(_dialog)()
    elif saved := st.session_state.pop(TOLD, None):
        st.toast(f"Saved as {words.plain(saved)}.", icon=":material/bookmark:")


def _open() -> None:
    st.session_state[OPEN] = True


def _close() -> None:
    st.session_state.pop(OPEN, None)


def _dialog() -> None:
    st.caption(
        "Everyone who uses this server sees saved kernels and can delete them. To share all you see, copy the page's "
        "address."
    )
    st.text_input("Name", "" if kernel().name == OWN_NAME else kernel().name, key=NAME, placeholder="My edges")
    with st.container(horizontal=True):
        st.button("Save", icon=":material/bookmark:", key="filters.keep.save", type="primary", on_click=_save)
        st.download_button(
            "Download as JSON",
            kernel().json,
            "kernel.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    st.file_uploader("Open a kernel from a JSON file", type="json", key=FILE, on_change=_read)
    if saved := saved_kernels():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox("Saved kernels", list(saved), key=GONE)
            st.button("Delete", icon=":material/delete:", key="filters.keep.delete", on_click=_delete)
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(words.plain(problem), icon=":material/error:")
    elif OPEN not in st.session_state:  # what was asked for is done
        st.rerun()


def _save() -> None:
    try:
        saved = shelf().save(kernel(), st.session_state[NAME])
        use_kernel(saved)
        _close()
        st.session_state[TOLD] = saved.name
    except KernelError as error:
        st.session_state[PROBLEM] = str(error)


def _read() -> None:
    given = st.session_state[FILE]
    try:
        if given is not None:
            use_kernel(read_kernel(given.getvalue()))
            _close()
    except KernelError as error:
        st.session_state[PROBLEM] = f"{given.name}: {error}"


def _delete() -> None:
    try:
        shelf().delete(st.session_state[GONE])
        _close()
    except KernelError as error:
        st.session_state[PROBLEM] = str(error)
