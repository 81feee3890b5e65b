"""What people name is shown as they wrote it."""

import html

import pytest
from markdown_it import MarkdownIt

from cnnlab.figures.style import literal
from cnnlab.ui.words import plain

NAMES = ("$", "*", "a*b*c", "_x_", "[a](http://b)", "`c`", "<b>d</b>", "~~e~~", "&amp;", "# f", "1. g", "- h", "> i",
         "back\\slash", "a|b")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_markdown(name: str) -> None:
    assert MarkdownIt("commonmark").render(plain(name)) == f"<p>{html.escape(name)}</p>\n"


def test_a_name_is_none_of_streamlit_s_own_signs_either() -> None:
    assert plain(":red[x] $1$") == r"\:red\[x\] \$1\$"


def test_a_name_with_a_line_s_end_or_a_byte_that_is_no_letter_can_be_sent() -> None:
    assert plain("a\n# b") == r"a \# b"
    assert "udcff" in plain("\udcff.png").encode().decode()


def test_a_name_in_a_figure_is_no_tag() -> None:
    assert literal("<b>x</b> & y") == "&lt;b&gt;x&lt;/b&gt; &amp; y"
