"""How probable the network finds each class for one image, as bars.

>>> probabilities_figure(["cat", "dog"], np.array([0.25, 0.75], np.float32)).layout.yaxis.ticktext
('dog', 'cat')
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.figures.style import BLUE, GREY, RIGHT, literal, quiet, short_names, sure

MOST = 30  # classes
BAR = 24  # pixels of height
LONGEST = 22  # letters of a class name


def probabilities_figure(
    class_names: Sequence[str], probabilities: NDArray[np.float32], true: int | None = None
) -> go.Figure:
    """The MOST probable classes, the most probable on top; ``probabilities`` float [K] in [0, 1].

    The ``true`` class, where it is known, is green, marked ✓, and always among them.
    """
    order = np.argsort(-probabilities, kind="stable").tolist()
    shown = order[:MOST]
    if true is not None and true not in shown:
        shown[-1] = true
    cut = short_names(class_names, LONGEST)
    names = [("✓ " if c == true else "") + cut[c] for c in shown]
    shares = [float(probabilities[c]) for c in shown]
    colors = [RIGHT if c == true else BLUE if c == order[0] else GREY for c in shown]
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=list(range(len(shown))),  # not names: two that are cut short may read the same, and would share a bar
            orientation="h",
            marker_color=colors,
            text=list(map(sure, shares)),
            textposition="outside",
            cliponaxis=False,
            customdata=[literal(class_names[c]) for c in shown],
            hovertemplate="%{customdata}: %{x:.3%}<extra></extra>",
        )
    )
    quiet(figure, BAR * len(shown) + 34)
    figure.update_xaxes(range=[0, 1.18], tickvals=[0, 0.5, 1], tickformat=".0%", fixedrange=True)
    ticks = {"tickvals": list(range(len(shown))), "ticktext": list(map(literal, names))}
    figure.update_yaxes(**ticks, range=[len(shown) - 0.5, -0.5], fixedrange=True, showgrid=False)
    longest = max(map(len, names))
    figure.update_layout(margin={"l": 16 + 8 * longest, "r": 8, "t": 4, "b": 26}, bargap=0.25, showlegend=False)
    return figure
