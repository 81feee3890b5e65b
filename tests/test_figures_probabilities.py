"""The bars of one image's probabilities."""

import numpy as np

from cnnlab.figures.probabilities import probabilities_figure


def test_names_that_are_cut_alike_keep_a_bar_each() -> None:
    names = ["Great spotted woodpecker male", "Great spotted woodpecker female", "<b>"]
    figure = probabilities_figure(names, np.array([0.5, 0.3, 0.2], np.float32), true=1)
    assert len(set(figure.data[0].y)) == 3
    assert list(figure.layout.yaxis.tickvals) == list(figure.data[0].y)
    assert figure.layout.yaxis.ticktext == ("Great spott…ecker male", "✓ Great spott…ker female", "&lt;b&gt;")
    assert figure.data[0].customdata[1] == names[1]
