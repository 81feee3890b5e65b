"""Precision–recall and ROC side by side, a line for each class.

>>> curve = ([0.0, 1.0], [1.0, 0.5])
>>> len(ranking_figure({"cat": (curve, curve)}).data)
2
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.figures.style import BLUE, GREEN, GREY, ORANGE, PINK, literal, quiet

Curve = tuple[Sequence[float], Sequence[float]]
"""x and y in [0, 1], of equal length."""

COLORS = (BLUE, ORANGE, GREEN, PINK, GREY)
# The curves of a good network coincide: each of the first lines leaves 8 pixels more in every 50 to those below it.
NESTED = ("solid", "42px,8px", "34px,16px", "26px,24px", "18px,32px")
LINES = [*zip(COLORS, NESTED, strict=True), *((color, dash) for dash in ("dash", "dot") for color in COLORS)]

CORNER = 0.1  # of each axis, where the curves of a good network differ


def ranking_figure(curves: Mapping[str, tuple[Curve, Curve]], corner: bool = False) -> go.Figure:
    """``curves``: class name -> (precision over recall, true over false positives).

    With ``corner`` the axes show the best tenth: recall, precision and true positives from 90 %, false ones to 10 %.
    """
    titles = ("Precision–recall curve", "ROC curve")
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.16)
    for number, (name, both) in enumerate(curves.items()):
        color, dash = LINES[number % len(LINES)]
        name = literal(name)
        for column, (x, y) in enumerate(both, start=1):
            figure.add_trace(
                go.Scatter(
                    x=list(x),
                    y=list(y),
                    name=name,
                    legendgroup=name,
                    showlegend=column == 1,
                    mode="lines",
                    line={"color": color, "dash": dash, "width": 2},
                    hovertemplate=f"{name}: %{{y:.1%}} at %{{x:.1%}}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    quiet(figure, 440)
    part = CORNER if corner else 1.0
    near, far = [-0.01 * part, 1.01 * part], [1 - 1.01 * part, 1 + 0.01 * part]
    figure.update_yaxes(range=[1 - 1.01 * part, 1 + 0.03 * part], tickformat=".0%")
    figure.update_yaxes(title="precision", col=1)
    figure.update_yaxes(title="true positive rate", col=2)
    figure.update_xaxes(title="recall", range=far, tickformat=".0%", col=1)
    figure.update_xaxes(title="false positive rate", range=near, tickformat=".0%", col=2)
    figure.update_layout(legend={"y": -0.22, "yanchor": "top"}, margin={"b": 96})
    return figure
