"""Many small images as one composed picture, each with a caption.

>>> gallery_figure(np.zeros((6, 1, 8, 8), np.uint8), list("abcdef"), columns=3).layout.images is not None
True
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.utils import image_array_to_data_uri

from cnnlab.figures.style import literal, quiet, sure

CAPTION = 18  # pixels of height on the screen, for each line
GAP = 8  # pixels between two images on the screen


def gallery_figure(
    images: NDArray[np.uint8],
    captions: Sequence[str],
    columns: int,
    cell: int = 64,
    colors: Sequence[str] | None = None,
    answers: Sequence[int] | None = None,
) -> go.Figure:
    """``images`` (uint8 [N, C, H, W], C = 1 or 3) in rows of ``columns``, each ``cell`` pixels wide, captions below.

    A caption may have several lines, parted by ``<br>``; ``colors`` are those of the captions' first signs: as words
    they would be hard to read.
    ``answers`` makes the images clickable: the ``customdata`` of invisible squares in the last trace.
    ``meta["width"]`` is the width in pixels that the figure's height belongs to.
    """
    rows = -(-len(images) // columns)
    caption = CAPTION * max((text.count("<br>") + 1 for text in captions), default=1)
    pitch_x, pitch_y = cell + GAP, cell + GAP + caption
    canvas = np.zeros((rows * pitch_y, columns * pitch_x, 4), np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * pitch_y, number % columns * pitch_x
        canvas[top : top + cell, left : left + cell, :3] = _enlarged(image, cell)
        canvas[top : top + cell, left : left + cell, 3] = 255
    packed = image_array_to_data_uri(canvas)  # a PNG: as numbers it would be megabytes of JSON
    figure = go.Figure(go.Image(source=packed, hoverinfo="skip"))
    quiet(figure, rows * pitch_y)
    figure.add_trace(
        go.Scatter(
            x=[number % columns * pitch_x + cell / 2 for number in range(len(images))],
            y=[number // columns * pitch_y + cell + caption / 2 + 1 for number in range(len(images))],
            text=_texts(captions, colors),
            mode="text",
            hoverinfo="skip",
            textfont={"size": 12},
        )
    )
    if answers is not None:
        figure.add_trace(_squares(answers, captions, columns, pitch_x, pitch_y, cell))
    kept = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[-0.5, columns * pitch_x - GAP], constrain="domain", constraintoward="left", **kept)
    figure.update_yaxes(range=[rows * pitch_y, -0.5], scaleanchor="x", constraintoward="top", **kept)
    figure.update_layout(
        meta={"width": columns * pitch_x},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        dragmode=False,
    )
    return figure


def answer_caption(predicted: str, true: str, right: bool, confidence: float, id: int) -> str:
    """``✓ 4``, or of a wrong answer ``✗ 9 (4)``; below it how sure, and the image's id."""
    answer = f"✓ {true}" if right else f"✗ {predicted} ({true})"
    return f"{answer}<br>{sure(confidence)}<br>#{id}"


def _texts(captions: Sequence[str], colors: Sequence[str] | None) -> list[str]:
    texts = ["<br>".join(map(literal, caption.split("<br>"))) for caption in captions]
    if colors is None:
        return texts
    return [f'<span style="color:{c}">{text[:1]}</span>{text[1:]}' for c, text in zip(colors, texts, strict=True)]


def _squares(
    answers: Sequence[int], captions: Sequence[str], columns: int, pitch_x: int, pitch_y: int, cell: int
) -> go.Scatter:
    return go.Scatter(
        x=[number % columns * pitch_x + cell / 2 for number in range(len(answers))],
        y=[number // columns * pitch_y + cell / 2 for number in range(len(answers))],
        customdata=list(answers),
        text=_texts(captions, None),  # told of the one that arrow keys have reached
        mode="markers",
        marker={"symbol": "square", "size": cell, "opacity": 0},
        hoverinfo="none",
    )


def _enlarged(image: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """uint8 [C, H, W] -> uint8 [cell, cell, 3], by the nearest pixel, so that pixels stay visible as squares."""
    height, width = image.shape[1:]
    rows, columns = np.arange(cell) * height // cell, np.arange(cell) * width // cell
    picked = image[:, rows[:, None], columns[None, :]].transpose(1, 2, 0)
    return np.broadcast_to(picked, (cell, cell, 3))
