"""Softmax and the loss of one image with their numbers put in, in the form that does not overflow, as PyTorch's.

>>> softmax_line([1.0, 3.0], label=0)
'e^(1 − 3) / 1.1353353 = 0.119203'
>>> loss_line([1.0, 3.0], label=0)
'−log(0.11920292) = 2.126928'
>>> loss_line([0.0, 2000.0], label=0)
'log Σe^z − z = 2000 − 0 = 2000'
>>> smoothed_line([1.0, 3.0], label=0, smoothing=0.1)
'0.9·2.126928 + 0.1·1.126928 = 2.026928'
"""

import math
import sys
from collections.abc import Sequence

from cnnlab.explain.numbers import inside, shown


def softmax_line(logits: Sequence[float], label: int) -> str:
    """The probability of class ``label`` by one image's ``logits`` (finite, one a class)."""
    top, total = max(logits), _total(logits)
    p = math.exp(logits[label] - top) / total
    return f"e^({shown(logits[label])} − {inside(top)}) / {shown(total)} = {shown(p, 6)}"


def loss_line(logits: Sequence[float], label: int) -> str:
    """The loss of one image of class ``label``: −log p, or log Σe^z − z where p is too small to be written."""
    top, total = max(logits), _total(logits)
    p = math.exp(logits[label] - top) / total
    if p >= sys.float_info.min:
        return f"−log({shown(p)}) = {abs(math.log(p)):.6f}"
    of_all = top + math.log(total)
    return f"log Σe^z − z = {shown(of_all, 10)} − {inside(logits[label], 10)} = {shown(of_all - logits[label], 7)}"


def smoothed_line(logits: Sequence[float], label: int, smoothing: float) -> str:
    """The loss of one image of class ``label`` with label ``smoothing`` ε: (1 − ε)·(−log p) + ε·mean(−log p of each).

    Source: Szegedy et al., Rethinking the Inception Architecture, 2016, section 7.
    """
    of_all = max(logits) + math.log(_total(logits))  # log Σe^z, from which −log p of each is this less its logit
    own, mean = abs(of_all - logits[label]), of_all - sum(logits) / len(logits)
    value = (1 - smoothing) * own + smoothing * mean
    return f"{shown(1 - smoothing)}·{shown(own, 7)} + {shown(smoothing)}·{shown(mean, 7)} = {shown(value, 7)}"


def _total(logits: Sequence[float]) -> float:
    """Σe^(z − max)."""
    return sum(math.exp(z - max(logits)) for z in logits)
