"""The colours of .streamlit/config.toml: words on them can be read, by contrast as WCAG 2 measures it."""

import tomllib
from pathlib import Path

import pytest

THEME = tomllib.loads((Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
LEAST = 4.5  # level AA, for words of the usual size
CAPTION = 0.6  # how opaque Streamlit writes captions


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = (value / 255 for value in _rgb(colour))
    red, green, blue = (s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return red, green, blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(scheme: str) -> None:
    theme = THEME[scheme]
    assert contrast("#ffffff", theme["primaryColor"]) >= LEAST  # on buttons and chips
    for ground in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["linkColor"], ground) >= LEAST
        pairs = zip(_rgb(theme["textColor"]), _rgb(ground), strict=True)
        mixed = bytes(round(CAPTION * text + (1 - CAPTION) * below) for text, below in pairs)
        assert contrast("#" + mixed.hex(), ground) >= LEAST
