"""A hundred digits as people draw them, which no network has trained on: of many widths, places, sizes and slants.

Each way of writing a digit is a list of strokes through points of a unit square (x to the right, y down). A point that
is given twice is a corner. All else is drawn by lot, always the same.
"""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
Stroke = list[Point]
SIDE = 320  # pixels of the canvas
FINE = 3  # times finer it is drawn, and then averaged, as a browser smooths its lines

OVAL = [(0.5 + 0.36 * math.sin(t), 0.5 - 0.5 * math.cos(t)) for t in np.linspace(0, 2 * math.pi, 14)]
TALL_OVAL = [(0.5 + 0.27 * math.sin(t), 0.5 - 0.5 * math.cos(t)) for t in np.linspace(-0.3, 2 * math.pi - 0.1, 14)]

WAYS: dict[int, list[list[Stroke]]] = {
    0: [[OVAL], [TALL_OVAL]],
    1: [
        [[(0.5, 0), (0.5, 1)]],
        [[(0.32, 0.2), (0.52, 0), (0.52, 0), (0.5, 1)]],
        [[(0.3, 0.22), (0.52, 0), (0.52, 0), (0.52, 1)], [(0.28, 1), (0.76, 1)]],
    ],
    2: [
        [[(0.16, 0.24), (0.28, 0.05), (0.55, 0), (0.8, 0.14), (0.78, 0.38), (0.5, 0.7), (0.15, 1), (0.15, 1),
          (0.86, 1)]],
        [[(0.2, 0.2), (0.4, 0), (0.72, 0.1), (0.72, 0.4), (0.42, 0.82), (0.2, 0.98), (0.14, 0.86), (0.34, 0.84),
          (0.6, 0.98), (0.88, 0.92)]],
    ],
    3: [
        [[(0.16, 0.12), (0.45, 0), (0.78, 0.12), (0.74, 0.36), (0.42, 0.48), (0.42, 0.48), (0.8, 0.6), (0.82, 0.86),
          (0.5, 1), (0.13, 0.9)]],
        [[(0.16, 0), (0.8, 0), (0.8, 0), (0.42, 0.4), (0.42, 0.4), (0.8, 0.54), (0.8, 0.86), (0.48, 1), (0.12, 0.9)]],
    ],
    4: [
        [[(0.28, 0), (0.12, 0.6), (0.12, 0.6), (0.88, 0.6)], [(0.68, 0.08), (0.62, 1)]],
        [[(0.64, 1), (0.64, 0), (0.64, 0), (0.08, 0.68), (0.08, 0.68), (0.92, 0.68)]],
    ],
    5: [
        [[(0.78, 0), (0.26, 0), (0.26, 0), (0.2, 0.44), (0.2, 0.44), (0.5, 0.36), (0.82, 0.52), (0.8, 0.84), (0.5, 1),
          (0.14, 0.92)]],
        [[(0.28, 0.03), (0.22, 0.45), (0.22, 0.45), (0.55, 0.38), (0.84, 0.58), (0.74, 0.9), (0.46, 1), (0.16, 0.9)],
         [(0.28, 0.03), (0.84, 0)]],
    ],
    6: [
        [[(0.7, 0), (0.42, 0.14), (0.2, 0.5), (0.2, 0.84), (0.46, 1), (0.76, 0.88), (0.76, 0.62), (0.5, 0.5),
          (0.22, 0.68)]],
        [[(0.5, 0), (0.26, 0.3), (0.16, 0.7), (0.32, 0.98), (0.66, 0.98), (0.8, 0.74), (0.6, 0.54), (0.3, 0.6),
          (0.2, 0.8)]],
    ],
    7: [
        [[(0.12, 0), (0.86, 0), (0.86, 0), (0.42, 1)]],
        [[(0.12, 0.02), (0.84, 0), (0.84, 0), (0.56, 0.45), (0.42, 1)], [(0.34, 0.5), (0.78, 0.48)]],
        [[(0.14, 0.14), (0.14, 0), (0.14, 0), (0.84, 0), (0.84, 0), (0.46, 1)]],
    ],
    8: [
        [[(0.76, 0.14), (0.5, 0), (0.24, 0.14), (0.3, 0.36), (0.5, 0.48), (0.78, 0.66), (0.76, 0.9), (0.5, 1),
          (0.22, 0.9), (0.24, 0.66), (0.5, 0.48), (0.72, 0.34), (0.76, 0.14)]],
        [[(0.5 + 0.24 * math.sin(t), 0.23 - 0.23 * math.cos(t)) for t in np.linspace(0, 2 * math.pi, 12)],
         [(0.5 + 0.31 * math.sin(t), 0.73 - 0.27 * math.cos(t)) for t in np.linspace(0, 2 * math.pi, 12)]],
    ],
    9: [
        [[(0.78, 0.18), (0.56, 0), (0.26, 0.1), (0.22, 0.38), (0.5, 0.5), (0.74, 0.36), (0.79, 0.14), (0.79, 0.14),
          (0.74, 0.6), (0.66, 1)]],
        [[(0.76, 0.16), (0.52, 0), (0.24, 0.14), (0.26, 0.42), (0.56, 0.48), (0.77, 0.26), (0.77, 0.26), (0.78, 0.7),
          (0.56, 0.98), (0.22, 0.94)]],
    ],
}  # fmt: skip


def smoothed(stroke: Stroke, rounds: int = 4) -> np.ndarray:
    """The curve that cuts the corners of ``stroke``, [N, 2] (Chaikin, 1974); its ends stay."""
    points = np.array(stroke, dtype=float)
    for _ in range(rounds):
        cut = np.stack([points[:-1] * 0.75 + points[1:] * 0.25, points[:-1] * 0.25 + points[1:] * 0.75], 1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points


def draw(strokes: list[Stroke], dice: np.random.Generator) -> Image.Image:
    """``strokes`` on a canvas: a pen of 8 to 30 pixels, a third to nine tenths of it high, slanted up to 20°."""
    height = dice.uniform(0.34, 0.9) * SIDE
    width = height * dice.uniform(0.65, 1.05)
    pen = min(dice.uniform(8, 30), height / 6)  # nobody writes small with a thick pen
    slant, turn = dice.uniform(-0.15, 0.36), math.radians(dice.uniform(-8, 8))  # most lean to the right
    lines = [smoothed([(x + dice.normal(0, 0.015), y + dice.normal(0, 0.015)) for x, y in s]) - 0.5 for s in strokes]
    lines = [np.stack([s[:, 0] * width - slant * s[:, 1] * height, s[:, 1] * height], 1) for s in lines]
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    lines = [line @ rotation for line in lines]
    every = np.concatenate(lines)
    low, high = every.min(0) - pen / 2 - 2, every.max(0) + pen / 2 + 2
    shift = [dice.uniform(-low[axis], max(SIDE - high[axis], -low[axis])) for axis in (0, 1)]
    return inked([line + shift for line in lines], pen)


def inked(lines: list[np.ndarray], pen: float) -> Image.Image:
    """Black lines on white with round ends."""
    canvas = Image.new("L", (SIDE * FINE, SIDE * FINE), 255)
    brush = ImageDraw.Draw(canvas)
    radius = pen * FINE / 2
    for line in lines:
        points = [tuple(point * FINE) for point in line]
        brush.line(points, fill=0, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return canvas.resize((SIDE, SIDE), Image.Resampling.BOX)


def drawn_digits(each: int = 10, seed: int = 7) -> Iterator[tuple[Image.Image, int]]:
    """``each`` drawings of every digit, black on white (mode L), with what they are meant to be."""
    dice = np.random.default_rng(seed)
    for digit, ways in WAYS.items():
        for number in range(each):
            yield draw(ways[number % len(ways)], dice), digit
