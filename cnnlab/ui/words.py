"""How the pages write names, numbers, times and states."""

import re
from typing import Literal

from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS, FOLDER_PREFIX, folder_path
from cnnlab.figures.style import sure as sure
from cnnlab.metrics import loss as loss
from cnnlab.metrics import percent as percent
from cnnlab.models import MODELS
from cnnlab.paths import printable
from cnnlab.recipes import RECIPES
from cnnlab.runs import State

Colour = Literal["gray", "blue", "green", "orange", "red"]

STATES: dict[State, tuple[str, Colour, str]] = {
    "queued": (":material/hourglass_top:", "gray", "waits for its turn"),
    "running": (":material/play_circle:", "blue", "is training"),
    "finished": (":material/check_circle:", "green", "all epochs are done"),
    "stopped": (":material/pause_circle:", "orange", "was stopped and can be resumed"),
    "failed": (":material/error:", "red", "ended with an error"),
    "interrupted": (":material/power_off:", "orange", "its process was cut off; it can be resumed"),
}
"""State -> (icon, colour, what it means)."""

SWEEP_STATES: dict[str, tuple[str, Colour, str]] = {
    "running": (":material/play_circle:", "blue", "workers are at it"),
    "finished": (":material/check_circle:", "green", "all its trials are done"),
    "stopped": (":material/pause_circle:", "orange", "was stopped and can go on"),
    "interrupted": (":material/power_off:", "orange", "a worker was cut off; it can go on"),
}
"""A sweep's state -> (icon, colour, what it means)."""


BEST_ACCURACY = "Validation accuracy (lowest loss)"  # of the weights that are kept as best

CHOICES = {
    "unit": "grey values in [0, 1]",
    "half": "mean 0.5, std 0.5",
    "dataset": "the dataset's own",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "one_cycle": "one cycle",
    "auto": "automatic",
    "cpu": "CPU",
    "cuda": "CUDA GPU",
    "mps": "Apple GPU",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "gelu": "GELU",
    "avg": "average",
}
"""What a form shows for a choice whose name alone would not do."""


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

MARKS = r"[\\`*_\[\]$:#<>~|&]|^[-+]|(?<=\d)[.)](?=\s)"  # what means something to Streamlit's Markdown in a line


def plain(name: str) -> str:
    """What comes from a person, a file or an address, as Markdown that shows it letter by letter.

    All that Streamlit shows as Markdown and the lab has not written itself goes through here: names, errors' sentences,
    what an address says. Else a link could show a picture or a link of its own as the lab's.
    """
    return re.sub(MARKS, r"\\\g<0>", re.sub(r"\s", " ", printable(name)))


def choice(name: str) -> str:
    """How a form shows the choice ``name``."""
    return CHOICES.get(name, name)


def network(name: str) -> str:
    """The title of the network ``name``."""
    return MODELS.get(name).title if name in MODELS else name


def dataset(name: str) -> str:
    """The title of the dataset ``name``; of a person's images, their folder's name."""
    if name.startswith(FOLDER_PREFIX):
        return folder_path(name).name or name
    return DATASETS.get(name).title if name in DATASETS else name


def recipe(name: str | None) -> str:
    """The title of the recipe ``name``, or a dash for None."""
    return "–" if name is None else RECIPES.get(name).title if name in RECIPES else name


def task(config: TrainConfig) -> str:
    """What is learnt on what, such as ``Tiny ResNet on Digits``, as Markdown."""
    return plain(f"{network(config.model)} on {dataset(config.dataset)}")


def duration(seconds: float) -> str:
    """A span of time in the two units that matter, such as ``1 min 20 s``."""
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def hundredfold(share: float | None) -> float | None:
    """A share in [0, 1] as the number of per cent that a table's column takes; None stays None."""
    return None if share is None else 100 * share


def power(value: float) -> str:
    """A number with two digits that matter and its power of ten, such as ``4.0·10⁻¹¹``."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}·10{str(int(exponent)).translate(RAISED)}"


def images(count: int, kind: str = "") -> str:
    """A number of images, such as ``1 image`` or ``1,000 test images``."""
    return f"{count:,} {kind}{' ' if kind else ''}image{'' if count == 1 else 's'}"


def memory(count: int) -> str:
    """A number of bytes in the unit that suits it, such as ``12.5 KiB``."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
