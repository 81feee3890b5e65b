"""What to do next: the rules' findings in a line, with their evidence a click away."""

import streamlit as st

from cnnlab.ui import cache, words
from cnnlab.ui.evaluate.choice import Subject


def next_steps(subject: Subject) -> None:
    """All that the rules have to say; nothing if they have nothing."""
    found = cache.findings(subject.run, subject.evaluation, subject.written)
    if not found:
        return
    titles = " · ".join(words.plain(a.title) for a in found)
    with st.expander(f"**What to do next:** {titles}", icon=":material/lightbulb:"):
        for finding in found:
            title, evidence, action = map(words.plain, (finding.title, finding.evidence, finding.action))
            st.markdown(f"**{title}.** {evidence} *{action}*")
