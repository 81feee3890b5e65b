"""A figure that fetches its own data and is drawn in place: no rerun, no flicker, and zoom and legend stay.

>>> live_plot(curves_figure({}), "/lab/runs/my_run/curves?unit=step", live=True, …)               # doctest: +SKIP
"""

import plotly.graph_objects as go

from cnnlab.ui.component import component

SHARE = 100  # times as long as drawing took is the least pause before the next: a training may need the same core
YOUNG = 400  # points in a figure up to which it is drawn at each question
EVERY = 1000  # milliseconds between two questions while the run is live

_component = component(__file__, "plotly.js")


def live_plot(figure: go.Figure, src: str, live: bool, name: str, key: str, alt: str) -> None:
    """Show ``figure``, filled again and again with the series that ``src`` answers, while ``live``, and once if not.

    Each trace takes the series that its ``meta`` names. ``name`` is the title and file name of a saved picture, ``alt``
    what the figure shows, for those who do not see it.
    """
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
