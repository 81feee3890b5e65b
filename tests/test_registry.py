"""Registry: names and what they stand for."""

import pytest

from cnnlab.registry import Registry, UnknownName


@pytest.fixture
def two_shapes() -> Registry[int]:
    shapes: Registry[int] = Registry("shape")
    shapes.add("square", 4)
    shapes.add("line", 2)
    return shapes


def test_names_keep_their_order(two_shapes):
    assert two_shapes.names() == list(two_shapes) == ["square", "line"]
    assert len(two_shapes) == 2 and "line" in two_shapes and "circle" not in two_shapes


def test_an_unknown_name_is_answered_with_the_known_ones(two_shapes):
    with pytest.raises(UnknownName, match=r"^Unknown shape 'circle'. Available: square, line.$"):
        two_shapes.get("circle")
    with pytest.raises(UnknownName, match=r"Available: square, line. Did you mean square\?$"):
        two_shapes.get("sqare")


def test_a_name_is_registered_once(two_shapes):
    with pytest.raises(ValueError, match="The shape 'line' is registered already"):
        two_shapes.add("line", 3)
    assert two_shapes.get("line") == 2
