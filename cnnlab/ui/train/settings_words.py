"""Settings in words: their values long and short, and sentences about them.

>>> brief("hidden", (64, 32)), brief("train_images", 0)
('64,32', 'all')
"""

import re
from typing import Any

from cnnlab.config import TrainConfig, form_facts, shown, title
from cnnlab.datasets import FOLDER_PREFIX
from cnnlab.ui import words


def _dataset(name: str) -> str:
    return name if name.startswith(FOLDER_PREFIX) else words.dataset(name)


NAMED = {"model": words.network, "dataset": _dataset}


def in_full(name: str, value: Any) -> str:
    """The ``value`` of the setting ``name`` with all that it holds, as the form calls it."""
    if name in NAMED:
        return NAMED[name](value)
    zero: str = form_facts(name)["zero"]
    return "its own" if value is None else zero if zero and value == 0 else words.choice(shown(value))


def brief(name: str, value: Any) -> str:
    """The ``value`` of the setting ``name`` in a word or two."""
    if isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        return f"{len(value)} block{'s' if len(value) > 1 else ''}"
    return in_full(name, value)


def in_form_words(sentence: str) -> str:
    """A sentence about settings with the form's titles in place of their names on the command line."""
    for name in TrainConfig.model_fields:
        end = r"\b" if "_" in name else "(?= = )"  # model and dropout are words, too
        sentence = re.sub(rf"\b{name}{end}", title(name), sentence)
    return sentence
