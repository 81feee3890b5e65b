"""Gradients as pictures: norms by layer, norms over depth, and losses step by step.

>>> len(norms_figure({"conv1": 0.5, "fc": 0.1}).data)
1
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cnnlab.figures.style import BLUE, ORANGE, quiet


def norms_figure(norms: Mapping[str, float]) -> go.Figure:
    """A bar for each layer's gradient norm, the first layer on top."""
    names = list(norms)
    figure = go.Figure(
        go.Bar(
            x=list(norms.values()),
            y=names,
            orientation="h",
            marker={"color": BLUE},
            text=[f"{value:.3g}" for value in norms.values()],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.4g}<extra></extra>",
        )
    )
    quiet(figure, 70 + 22 * len(names))
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(title="norm of the gradient", rangemode="tozero")
    longest = max(map(len, names), default=0)
    figure.update_layout(margin={"l": 16 + 7 * longest, "t": 8, "r": 56}, bargap=0.25)
    return figure


def depth_figure(curves: Mapping[str, Sequence[float]]) -> go.Figure:
    """Gradient norms over depth on a logarithmic axis: a line for each stack, the first layer on the left."""
    figure = go.Figure()
    for (name, norms), (color, dash) in zip(curves.items(), ((ORANGE, "dot"), (BLUE, "solid")), strict=False):
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(norms) + 1)),
                y=list(norms),
                name=name,
                mode="lines+markers",
                line={"color": color, "dash": dash, "width": 2.2},
                hovertemplate=f"{name}, layer %{{x}}: %{{y:.2e}}<extra></extra>",
            )
        )
    quiet(figure, 380)
    dtick = 1 if _narrow(curves) else None
    figure.update_yaxes(type="log", title="norm of the gradient", exponentformat="power", dtick=dtick)
    figure.update_xaxes(title="layer, from the image on")
    figure.update_layout(margin={"l": 76})
    return figure


def _narrow(curves: Mapping[str, Sequence[float]]) -> bool:
    values = [v for norms in curves.values() for v in norms if v > 0]
    return bool(values) and max(values) / min(values) < 1e12


def losses_figure(curves: Mapping[str, Sequence[float]]) -> go.Figure:
    """Losses over steps, from before the first on; a logarithmic axis where they differ a thousandfold."""
    figure = go.Figure()
    for (name, losses), (color, dash) in zip(curves.items(), ((BLUE, "solid"), (ORANGE, "dot")), strict=False):
        finite = [loss if loss == loss and abs(loss) != float("inf") else None for loss in losses]
        figure.add_trace(
            go.Scatter(
                x=list(range(len(finite))),
                y=finite,
                name=name,
                mode="lines+markers",
                line={"color": color, "dash": dash, "width": 2.2},
                hovertemplate=f"{name}, after %{{x}} steps: %{{y:.4g}}<extra></extra>",
            )
        )
    quiet(figure, 320)
    known = [loss for trace in figure.data for loss in trace.y if loss]
    wide = bool(known) and max(known) > 1000 * max(min(known), 1e-6)
    figure.update_yaxes(title="loss on this batch", type="log" if wide else "linear", exponentformat="power")
    figure.update_yaxes(rangemode="normal" if wide else "tozero")
    figure.update_xaxes(title="steps taken")
    return figure
