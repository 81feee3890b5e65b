"""Questions about a network whose answers follow from its formulas.

>>> from cnnlab.explain.anatomy import anatomy
>>> from cnnlab.config import TrainConfig
>>> from cnnlab.models import outline
>>> first = questions(anatomy(outline(TrainConfig(model="simple_cnn"), 1, 28, 10), (1, 28, 28)))[0]
>>> first.text, first.formula.value
('Layer 1 is a convolution with 16 kernels 3×3×1, padding 1. Its input is 28×28×1. How wide is its output?', 28)
"""

from dataclasses import dataclass

from torch import nn

from cnnlab.explain.anatomy import Part
from cnnlab.explain.drawing import size_text
from cnnlab.explain.formulas import Formula
from cnnlab.explain.receptive import Field

ASKED = {
    "Output width": "How wide is its output?",
    "Features": "How many features come out?",
    "Parameters": "How many parameters does it have?",
    "Receptive field": "How many pixels of the image, in a row, does one value of its output see?",
}
NAMES = {"Conv2d": "a convolution", "MaxPool2d": "max-pooling", "AvgPool2d": "average pooling"}


@dataclass(frozen=True)
class Question:
    """A question, and the formula that answers it."""

    text: str
    formula: Formula

    def hint(self, answer: int) -> str:
        """What may have gone wrong in ``answer``; empty where it cannot be told."""
        off = answer - self.formula.value
        if self.formula.name == "Parameters" and "+" in self.formula.numbers:
            bias = int(self.formula.numbers.rpartition(" + ")[2])
            if off == -bias:
                return "The biases are missing: one for each output."
        if self.formula.name == "Output width" and off == -1:
            return "The kernel's first place counts too: + 1."
        if self.formula.name == "Receptive field" and off < 0:
            if self.formula.numbers.startswith("1 + "):
                return "Its input is as fine as the image itself: it sees as many pixels as its window is wide."
            if self.formula.numbers.endswith("·1"):
                return "It sees what the layer before sees, and F − 1 pixels more."
            return "Each earlier stride or pooling makes a window wider, counted in the image's pixels."
        return ""


def questions(parts: list[Part]) -> list[Question]:
    """What can be asked about ``parts``, in the order of the layers.

    Not how far a value sees that sees more than the whole image: who answers with the image's width is right too.
    """
    width = parts[0].input[-1]
    return [
        Question(f"Layer {part.index + 1} is {_described(part)} {_before(part, formula)}{ASKED[formula.name]}", formula)
        for part in parts
        if isinstance(part.module, nn.Conv2d | nn.Linear | nn.MaxPool2d | nn.AvgPool2d) or part.kind == "Flatten"
        for formula in part.formulas
        if _worth_asking(part, formula, width)
    ]


def _before(part: Part, formula: Formula) -> str:
    """What has to be known of the layers before."""
    if formula.name != "Receptive field" or part.field_before in (None, Field()):
        return ""
    before = part.field_before
    assert before is not None
    return (
        f"A value of its input sees {before.size} pixels of the image in a row, and its neighbours' views begin "
        f"{before.stride} {'pixel' if before.stride == 1 else 'pixels'} apart. "
    )


def _worth_asking(part: Part, formula: Formula, width: int) -> bool:
    if formula.name == "Receptive field":
        return formula.value <= width
    if formula.name == "Features":
        return part.kind == "Flatten"
    if formula.name == "Parameters":
        return part.parameters > 0
    return formula.name in ASKED


def _described(part: Part) -> str:
    taken = f"Its input is {size_text(part.input[1:])}."
    if part.kind == "Flatten":
        return f"flattening. {taken}"
    if part.kind == "Linear":
        return f"linear, {part.settings}."
    return f"{NAMES[part.kind]} with {part.settings}. {taken}".replace("pooling with ", "pooling of ")
