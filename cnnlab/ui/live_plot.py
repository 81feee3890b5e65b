"""Plotly charts drawn in place: no flicker, and zoom and legend stay; a live one fetches its own data, with no rerun.

Plotly itself is loaded when the browser has drawn the rest: a page is there a second earlier than with
``st.plotly_chart``, whose own copy of Plotly is read first.

>>> live_plot(curves_figure({}), "/lab/runs/my_run/curves?unit=step", live=True, …)               # doctest: +SKIP
"""

import plotly.graph_objects as go

from cnnlab.ui.component import component

SHARE = 100  # times as long as drawing took is the least pause before the next: a training may need the same core
YOUNG = 400  # points in a figure up to which it is drawn at each question
EVERY = 1000  # milliseconds between two questions while the run is live

_component = component(__file__)


def live_plot(figure: go.Figure, src: str, live: bool, name: str, key: str, alt: str) -> None:
    """Show ``figure``, filled again and again with the series that ``src`` answers, while ``live``, and once if not.

    Each trace takes the series that its ``meta`` names. ``name`` is the title and file name of a saved picture, ``alt``
    what the figure shows, for those who do not see it.
    """
    _draw(figure, src, live, name, key, alt)


def still_plot(figure: go.Figure, key: str, alt: str) -> None:
    """Show ``figure`` as it is; ``alt`` says what it shows."""
    _draw(figure, "", False, "", key, alt)


def _draw(figure: go.Figure, src: str, live: bool, name: str, key: str, alt: str) -> None:
    data = {
        "figure": figure.to_json(),
        "src": src,
        "live": live,
        "every": EVERY,
        "share": SHARE,
        "young": YOUNG,
        "name": name,
        "alt": alt,
    }
    _component(data=data, key=key, height="content")
