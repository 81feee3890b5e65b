"""Where each layer of a network stands in its drawing: boxes scaled by what flows through, shortcuts, groups.

>>> from cnnlab.explain.anatomy import anatomy
>>> from cnnlab.config import TrainConfig
>>> from cnnlab.models import outline
>>> drawing = draw(anatomy(outline(TrainConfig(model="simple_cnn"), 1, 28, 10), (1, 28, 28)), (1, 28, 28))
>>> [mark.family for mark in drawing.marks][:4]
['image', 'convolution', 'activation', 'pooling']

Height stands for width and height of the picture (or the number of features), thickness for the channels; both by
roots and logarithms, or a picture of 224 pixels would hide one of 7.
"""

import math
from dataclasses import dataclass

from cnnlab.explain.activations import IMAGE
from cnnlab.explain.anatomy import Part
from cnnlab.explain.groups import groups_of

MIDDLE, TALLEST = 150, 150  # pixels: the line on which all boxes are centred, and the height of the image
WIDE = 960  # pixels, about, where there is room
GAP, BAND = 10, 5  # pixels between boxes; width of the thin ones that are attached
MOST_SPREAD = 4.0
LABEL = 26  # pixels that a label needs

FAMILIES = {
    "Conv2d": "convolution",
    "Linear": "linear",
    "BatchNorm2d": "norm",
    "ReLU": "activation",
    "LeakyReLU": "activation",
    "GELU": "activation",
    "Tanh": "activation",
    "Add": "add",
    "Dropout": "other",
    "ZeroPad2d": "other",
}
ATTACHED = ("norm", "activation", "other")


@dataclass(frozen=True)
class Mark:
    """One layer in the drawing, in pixels; ``index`` is its place in the network, IMAGE for the image."""

    index: int
    family: str
    x: float
    y: float
    width: float
    height: float
    above: str = ""
    below: str = ""


@dataclass(frozen=True)
class Bow:
    """A shortcut from ``start`` to ``end`` (x), as high as ``y``, ending at ``foot`` (y)."""

    start: float
    end: float
    y: float
    foot: float


@dataclass(frozen=True)
class Bracket:
    """A group below its layers, with its title and what leaves it."""

    start: float
    end: float
    title: str
    output: str


@dataclass(frozen=True)
class Drawing:
    """All that is drawn, ``width`` pixels wide, from ``top`` to ``height``."""

    top: float
    width: float
    height: float
    marks: list[Mark]
    bows: list[Bow]
    brackets: list[Bracket]


def family_of(kind: str) -> str:
    """The kinds of layers that are drawn alike."""
    return FAMILIES.get(kind, "pooling" if "Pool" in kind else "other")


def draw(parts: list[Part], image: tuple[int, int, int]) -> Drawing:
    """The drawing of ``parts`` for images (C, H, W), spread to about WIDE pixels where there is room."""
    narrow = _drawn(parts, image, 1.0)
    spread = min(MOST_SPREAD, WIDE / narrow.width)
    return narrow if spread <= 1.1 else _drawn(parts, image, spread)


def _drawn(parts: list[Part], image: tuple[int, int, int], spread: float) -> Drawing:
    """Boxes and gaps are ``spread`` times as wide as they must be."""
    band, gap = BAND * min(spread, 3.0), GAP * spread
    marks = [_box(IMAGE, "image", image, image, 0.0, spread)]
    for part in parts:
        family = family_of(part.kind)
        end = marks[-1].x + marks[-1].width
        if part.shortcut:
            continue  # drawn on its bow
        if family in ATTACHED or part.kind == "Flatten":
            height = _height(part.output[1:], image[1])
            marks.append(Mark(part.index, family, end + 1, MIDDLE - height / 2, band, height))
        elif family == "add":
            marks.append(Mark(part.index, family, end + gap, MIDDLE - 9, 18, 18))
        else:
            marks.append(_box(part.index, family, part.output[1:], image, end + gap, spread))
    marks = _labelled(marks, parts, image)
    bows, aside = _bows(marks, parts)
    brackets = _brackets(marks, parts)
    top = min([MIDDLE - TALLEST / 2 - 22, *(bow.y - 14 for bow in bows)])
    return Drawing(top, marks[-1].x + marks[-1].width + 40, MIDDLE + TALLEST / 2 + 66, marks + aside, bows, brackets)


def size_text(shape: tuple[int, ...]) -> str:
    """(C, H, W) as ``H×W×C``, the tutorials' order; features alone as their number."""
    return f"{shape[1]}×{shape[2]}×{shape[0]}" if len(shape) == 3 else f"{shape[0]:,}"


def _box(index: int, family: str, shape: tuple[int, ...], image: tuple[int, int, int], x: float, spread: float) -> Mark:
    height = _height(shape, image[1])
    width = spread * (4 + 2.4 * math.log2(1 + shape[0]) if len(shape) == 3 else 9)
    return Mark(index, family, x, MIDDLE - height / 2, width, height)


def _height(shape: tuple[int, ...], largest: int) -> float:
    if len(shape) == 3:
        return max(8.0, TALLEST * min(1.0, math.sqrt(shape[1] / largest)))
    return min(float(TALLEST), 14 + 10 * math.log2(1 + shape[0]))


def _labelled(marks: list[Mark], parts: list[Part], image: tuple[int, int, int]) -> list[Mark]:
    """Channels above and sizes below, each where it changes and has room."""
    labelled: list[Mark] = []
    told = {"above": ("", -1e9), "below": ("", -1e9)}
    for mark in marks:
        shape = image if mark.index == IMAGE else parts[mark.index].output[1:]
        texts = {"above": f"{shape[0]:,}", "below": f"{shape[1]}×{shape[2]}" if len(shape) == 3 else ""}
        shown = {}
        for place, text in texts.items():
            before, x = told[place]
            room = mark.x - x >= max(LABEL, 8 * len(before))
            is_box = mark.family not in (*ATTACHED, "add")
            if text != before and is_box and room:
                shown[place], told[place] = text, (text, mark.x)
        labelled.append(
            Mark(mark.index, mark.family, mark.x, mark.y, mark.width, mark.height, **shown) if shown else mark
        )
    return labelled


def _bows(marks: list[Mark], parts: list[Part]) -> tuple[list[Bow], list[Mark]]:
    """A bow for each addition's shortcut, with the layers that lie on it."""
    at = {mark.index: mark for mark in marks}
    bows, aside = [], []
    for part in parts:
        if part.kind != "Add" or len(part.sources) != 2:
            continue
        _, far = sorted(part.sources, key=lambda s: (parts[s].shortcut if s >= 0 else False, -s))
        on_bow = []
        while far != IMAGE and parts[far].shortcut:
            on_bow.append(far)
            far = parts[far].sources[0]
        first, last = at[far], at[part.index]
        x, y = first.x + first.width + 3, MIDDLE - TALLEST / 2 - 22
        tallest = max(m.height for m in marks if first.x <= m.x <= last.x)
        y = max(y, MIDDLE - tallest / 2 - 34)
        bows.append(Bow(x, last.x + 9, y, last.y))
        middle = (x + last.x + 9) / 2 - (BAND + 4) * len(on_bow) / 2
        for number, index in enumerate(reversed(on_bow)):
            aside.append(Mark(index, family_of(parts[index].kind), middle + number * (BAND + 6), y - 9, BAND + 3, 18))
    return bows, aside


def _brackets(marks: list[Mark], parts: list[Part]) -> list[Bracket]:
    at = {mark.index: mark for mark in marks}
    brackets = []
    for group in groups_of(parts):
        inside = [at[p.index] for p in group.parts if p.index in at]
        end = max(m.x + m.width for m in inside)
        brackets.append(Bracket(min(m.x for m in inside), end, group.title, size_text(group.output[1:])))
    return brackets
