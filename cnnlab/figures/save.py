"""Figures as files: HTML that needs nothing else, or PNG and SVG where a Chromium is installed.

>>> save_figure(figure, Path("curves.svg"))                               # doctest: +SKIP
"""

from pathlib import Path

import plotly.graph_objects as go

from cnnlab.paths import write_whole

SIZE = (1200, 480)  # pixels, width and height of a saved picture
ENDINGS = (".html", ".png", ".svg")


class FigureError(Exception):
    """A figure that cannot be saved; the message says why and what to do."""


def save_figure(figure: go.Figure, path: Path) -> None:
    """Write ``figure`` to ``path``, whose ending says as what; raises FigureError with a sentence."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise FigureError(f"'{path.name}' is not allowed: let the file end in {', '.join(ENDINGS)}.")
    try:
        if ending == ".html":
            content = figure.to_html(include_plotlyjs=True).encode()
        else:
            width, height = SIZE
            opaque = go.Figure(figure).update_layout(paper_bgcolor="white", plot_bgcolor="white", font_color="#222")
            content = opaque.to_image(ending[1:], width=width, height=height, scale=2 if ending == ".png" else 1)
        write_whole(path, content)
    except OSError as error:
        raise FigureError(f"{path} cannot be written ({error.strerror or error}).") from error
    except Exception as error:
        if type(error).__name__ != "ChromeNotFoundError" and "chrom" not in str(error).lower():
            raise
        raise FigureError(
            f"{ending[1:].upper()} needs Chrome or Chromium on this machine: install it, or save as .html instead."
        ) from error
