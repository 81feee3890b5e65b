"""Numbers as an account of a calculation shows them.

>>> shown(-2e-7), inside(-0.5)
('−2e−7', '(−0.5)')
"""


def shown(value: float, digits: int = 8) -> str:
    """A number with as many ``digits`` that matter as an account's parts have: with eight its result can be checked."""
    return f"{value:.{digits}g}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")


def inside(value: float, digits: int = 8) -> str:
    """A number as :func:`shown`, for the inside of a formula: in brackets where it is negative."""
    return f"({shown(value, digits)})" if value < 0 else shown(value, digits)
