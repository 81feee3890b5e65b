"""Whether confidence is honest, and what answering only when sure would cost.

>>> figure = reliability_figure([0.1, 0.9], [0.2, 0.8], [(0.0, 0.5), (0.7, 0.9)], [10, 90], [(0.0, 0.2), (0.8, 1.0)])
>>> list(figure.data[0].y)
[0.2, 0.8]
"""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.figures.style import BLUE, GREY, ORANGE, quiet


def reliability_figure(
    confidences: Sequence[float],
    accuracies: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    counts: Sequence[int],
    bins: Sequence[tuple[float, float]],
) -> go.Figure:
    """Accuracy over confidence for each bin that holds answers, with its 95 % interval; below, how many it holds.

    All but ``counts`` in [0, 1]; ``bins`` are from where to where each reaches.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.06)
    figure.add_trace(
        go.Scatter(
            x=list(confidences),
            y=list(accuracies),
            name="answers",
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"size": 7},
            error_y={
                "array": [high - a for a, (_, high) in zip(accuracies, intervals, strict=True)],
                "arrayminus": [a - low for a, (low, _) in zip(accuracies, intervals, strict=True)],
                "thickness": 1,
                "width": 3,
            },
            customdata=list(counts),
            hovertemplate="says %{x:.1%}, is right in %{y:.1%}<br>%{customdata:,} answers<extra></extra>",
        ),
        row=1,
        col=1,
    )
    honest = {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"color": GREY, "dash": "dash"}}
    figure.add_trace(go.Scatter(name="honest", hoverinfo="skip", **honest), row=1, col=1)
    bars = go.Bar(
        x=[(low + high) / 2 for low, high in bins],
        width=[0.9 * (high - low) for low, high in bins],
        y=list(counts),
        marker={"color": BLUE, "opacity": 0.7},
        showlegend=False,
        hovertemplate="%{y:,} answers<extra></extra>",
    )
    figure.add_trace(bars, row=2, col=1)
    quiet(figure, 440)
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_xaxes(title="confidence", row=2, col=1)
    figure.update_yaxes(range=[0, 1.05], tickformat=".0%", title="accuracy", row=1, col=1)
    figure.update_yaxes(title="answers", tickformat="~s", nticks=3, row=2, col=1)
    if max(counts, default=0) < 3:  # no half answers
        figure.update_yaxes(dtick=1, row=2, col=1)
    return figure


def coverage_figure(
    shares: Sequence[float], accuracies: Sequence[float], here: tuple[float, float] | None
) -> go.Figure:
    """Accuracy among the answers over the share of images that get one; ``here`` marks the chosen threshold."""
    figure = go.Figure(
        go.Scatter(
            x=list(shares),
            y=list(accuracies),
            mode="lines" if len(shares) > 1 else "markers",  # of a single point no line is seen
            line={"color": BLUE, "width": 2},
            hovertemplate="answers %{x:.1%}, is right in %{y:.2%}<extra></extra>",
        )
    )
    if here:
        chosen = {"mode": "markers", "marker": {"size": 13, "color": ORANGE, "symbol": "diamond"}}
        figure.add_trace(go.Scatter(x=[here[0]], y=[here[1]], hoverinfo="skip", cliponaxis=False, **chosen))
    quiet(figure, 360)
    figure.update_xaxes(title="share of images answered", range=[0, 1.02], tickformat=".0%")
    lowest = min([*accuracies, 1.0])
    figure.update_yaxes(
        title="accuracy of the answers",
        range=[max(0, lowest - 0.02), 1.002],
        tickformat=".1%" if lowest > 0.9 else ".0%",
        automargin=True,
    )
    figure.update_layout(showlegend=False)
    return figure
