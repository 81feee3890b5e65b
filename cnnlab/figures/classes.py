"""One bar for each class: how much of it is recognised.

>>> class_accuracy_figure(["cat", "dog"], [0.5, None]).data[0].y
(0.5, None)
"""

from collections.abc import Sequence

import plotly.graph_objects as go

from cnnlab.figures.style import BLUE, ORANGE, literal, quiet, short_names

LONGEST = 16  # letters of a class name below its bar
MANY = 30  # classes from which on names stand in the hover only


def class_accuracy_figure(
    class_names: Sequence[str], accuracies: Sequence[float | None], color: str = ORANGE
) -> go.Figure:
    """Accuracies in [0, 1], one for each class; None where a class has no images."""
    figure = go.Figure(
        go.Bar(
            x=list(class_names),
            y=list(accuracies),
            meta="classes",
            marker_color=color,
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
            texttemplate="%{y:.1%}",  # good networks have bars that look alike
            textposition="outside",
            textangle=0,
            cliponaxis=False,
        )
    )
    quiet(figure, 260)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_layout(uniformtext={"mode": "hide", "minsize": 9})  # where bars are narrower than their figures
    _name_bars(figure, class_names)
    figure.update_layout(margin={"t": 56}, bargap=0.25, uirevision="keep")  # the buttons for saving stand above
    return figure


def class_counts_figure(class_names: Sequence[str], counts: Sequence[int]) -> go.Figure:
    """How many training images each class has."""
    figure = go.Figure(
        go.Bar(
            x=list(class_names), y=list(counts), marker_color=BLUE, hovertemplate="%{x}: %{y:,} images<extra></extra>"
        )
    )
    quiet(figure, 260)
    _name_bars(figure, class_names)
    figure.update_yaxes(rangemode="tozero", tickformat=",d", dtick=1 if max(counts, default=0) < 6 else None)
    figure.update_layout(margin={"t": 12}, bargap=0.25)
    return figure


def _name_bars(figure: go.Figure, class_names: Sequence[str]) -> None:
    few = len(class_names) <= MANY
    figure.update_xaxes(type="category", showticklabels=few, showgrid=False, automargin=True)
    if few and class_names:  # else they come with the data
        shown = [literal(name) for name in short_names(class_names, LONGEST)]
        figure.update_xaxes(tickvals=list(class_names), ticktext=shown)
