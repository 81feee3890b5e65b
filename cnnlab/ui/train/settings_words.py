"""Settings in words: their values long and short, and sentences about them.

>>> brief((64, 32))
'64,32'
"""

import re
from typing import Any

from cnnlab.config import TrainConfig, shown, title


def in_full(value: Any) -> str:
    """A setting's value with all that it holds."""
    return "its own" if value is None else shown(value)


def brief(value: Any) -> str:
    """A setting's value in a word or two."""
    if isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        return f"{len(value)} block{'s' if len(value) > 1 else ''}"
    return in_full(value)


def in_form_words(sentence: str) -> str:
    """A sentence about settings with the form's titles in place of their names on the command line."""
    for name in TrainConfig.model_fields:
        sentence = re.sub(rf"\b{name} = ", f"{title(name)} = ", sentence)
    return sentence
