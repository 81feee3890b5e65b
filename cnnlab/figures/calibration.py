"""Whether confidence is honest, and what answering only when sure would cost.

>>> bins = [(0.0, 0.5, 10, 0.1, 0.2, (0.0, 0.5)), (0.5, 1.0, 90, 0.9, 0.8, (0.7, 0.9))]
>>> list(reliability_figure(bins).data[0].y)
[0.2, 0.8]
"""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.figures.style import BLUE, GREY, ORANGE, quiet

Bin = tuple[float, float, int, float | None, float | None, tuple[float, float]]
"""From where to where it reaches, how many answers it holds, their mean confidence and their accuracy, which are None
where there are none, and the accuracy's 95 % interval; all but the number in [0, 1]."""


def reliability_figure(bins: Sequence[Bin]) -> go.Figure:
    """Accuracy over confidence for each bin that holds answers, with its 95 % interval; below, how many it holds."""
    filled = (
        (n, c, a, high - a, a - low, (start + end) / 2, 0.9 * (end - start))
        for start, end, n, c, a, (low, high) in bins
        if c is not None and a is not None
    )
    counts, confidences, accuracies, above, below, middles, widths = zip(*filled, strict=True)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.06)
    figure.add_trace(
        go.Scatter(
            x=confidences,
            y=accuracies,
            name="answers",
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"size": 7},
            error_y={"array": above, "arrayminus": below, "thickness": 1, "width": 3},
            customdata=counts,
            hovertemplate="says %{x:.1%}, is right in %{y:.1%}<br>%{customdata:,} answers<extra></extra>",
        ),
        row=1,
        col=1,
    )
    honest = {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"color": GREY, "dash": "dash"}}
    figure.add_trace(go.Scatter(name="honest", hoverinfo="skip", **honest), row=1, col=1)
    bars = go.Bar(
        x=middles,
        width=widths,
        y=counts,
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
    if max(counts) < 3:  # no half answers
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
