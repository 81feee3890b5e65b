"""Figures as files: HTML that needs nothing else, or PNG and SVG where a Chromium is installed.

>>> Path("curves.svg").write_bytes(saved_figure(figure, ".svg"))          # doctest: +SKIP
"""

import plotly.graph_objects as go

SIZE = (1200, 480)  # pixels, width and height of a saved picture
ENDINGS = (".html", ".png", ".svg")


class FigureError(Exception):
    """A figure that cannot be saved; the message says why and what to do."""


def saved_figure(figure: go.Figure, ending: str) -> bytes:
    """``figure`` as a file whose name ends in ``ending``, one of ENDINGS; raises FigureError with a sentence."""
    if ending == ".html":
        return bytes(figure.to_html(include_plotlyjs=True).encode())
    width, height = SIZE
    opaque = go.Figure(figure).update_layout(paper_bgcolor="white", plot_bgcolor="white", font_color="#222")
    try:
        return bytes(opaque.to_image(ending[1:], width=width, height=height, scale=2 if ending == ".png" else 1))
    except Exception as error:
        if type(error).__name__ != "ChromeNotFoundError" and "chrom" not in str(error).lower():
            raise
        raise FigureError(
            f"{ending[1:].upper()} needs Chrome or Chromium on this machine: install it, or save as .html instead."
        ) from error
