"""What all figures share: colours that colour-blind people can tell apart, and a quiet layout for light and dark.

Colours are Okabe and Ito's, Color universal design, 2008; all keep a contrast of 3 on white and on near-black.
"""

import html
from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, PINK, GREY = "#2f7fc1", "#d9730d", "#12946b", "#c25e9a", "#8a8f98"
RIGHT, WRONG = GREEN, "#d64b4b"  # always beside a ✓ or ✗: never by colour alone

SPLIT_COLORS = {"train": BLUE, "val": ORANGE, "test": GREEN}
SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}


def quiet(figure: go.Figure, height: int) -> go.Figure:
    """Give ``figure`` the shared layout and return it: no background of its own, thin grid, legend above."""
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False, "linecolor": "rgba(128,128,128,0.4)"}
    figure.update_layout(
        height=height,
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 16, "t": 36, "b": 44},
        font={"size": 13},
        hoverlabel={"namelength": -1},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(**grid)
    figure.update_yaxes(**grid)
    return figure


def literal(name: str) -> str:
    """``name`` for a figure's texts, in which Plotly would take ``<b>`` for a tag."""
    return html.escape(name, quote=False)


def sure(probability: float) -> str:
    """A probability in [0, 1] as a percentage that never rounds to 0 or 100."""
    if probability > 0.999:
        return ">99.9 %"
    return "<0.1 %" if probability < 0.001 else f"{100 * probability:.1f} %"


def short_names(names: Sequence[str], most: int) -> list[str]:
    """All ``names`` in at most so many letters each: without their ends or, where two would then be alike, middles."""
    cut = [shortened(name, most) for name in names]
    times, tail = Counter(cut), (most - 1) // 2
    middle = [f"{name[: most - 1 - tail]}…{name[-tail:]}" for name in names]
    return [c if times[c] == 1 else m for c, m in zip(cut, middle, strict=True)]


def shortened(name: str, most: int) -> str:
    """``name`` in at most so many letters."""
    return name if len(name) <= most else name[: most - 1] + "…"
