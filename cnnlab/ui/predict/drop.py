"""Where pictures are dropped, chosen or pasted: all that is chosen goes to the visitor's inbox in one request.

>>> inbox = dropped()                                                    # doctest: +SKIP
>>> [name for name, content in inbox.files]                              # doctest: +SKIP
['scans/a.png', 'scans/b.png']

Streamlit's own uploader sends each file in a request of its own, which takes 25 s for a thousand.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab.pictures import EXTENSIONS
from cnnlab.prediction.sources import MOST_FILES
from cnnlab.ui.component import component
from cnnlab.ui.inbox import MOST_BYTES, Inbox

KEY = "predict.drop"
INBOX = "predict.inbox"

_component = component(__file__)


def dropped() -> Inbox:
    """The drop zone; gives the visitor's inbox with what it holds."""
    context = get_script_run_ctx()
    inbox: Inbox = st.session_state.setdefault(INBOX, Inbox(context.session_id if context else ""))
    _component(
        data={
            "url": f"/lab/inbox/{inbox.key}",
            "number": inbox.number,
            "count": len(inbox.files),
            "bytes": inbox.size,
            "name": inbox.files[0][0] if inbox.files else "",
            "endings": [*sorted(EXTENSIONS), ".zip"],
            "mostFiles": MOST_FILES,
            "mostBytes": MOST_BYTES,
        },
        key=KEY,
        height="content",
        on_received_change=lambda: None,
        on_removed_change=lambda: inbox.put(()),
    )
    return inbox
