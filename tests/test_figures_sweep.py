"""A sweep's figures: what is told apart, and where it lies."""

import pytest

from cnnlab.figures.parallel import BELOW, Axis, Line, parallel_figure
from cnnlab.figures.sweep import SIGNS, Point, history_figure, importance_figure


def test_the_line_of_the_best_is_raised_by_finished_trials_alone() -> None:
    points = [Point(0, 0.5, "finished"), Point(1, 0.9, "pruned"), Point(3, 0.4, "finished"), Point(2, 0.7, "finished")]
    best, finished, pruned = history_figure([*points, Point(4, 0.1, "pruned")]).data
    assert (list(best.x), list(best.y)) == ([0, 2, 3, 4], [0.5, 0.7, 0.7, 0.7])
    assert list(finished.customdata) == [0, 2, 3]
    assert list(pruned.customdata) == [1, 4]


def test_kinds_of_trials_differ_by_sign_and_colour() -> None:
    assert len({sign["symbol"] for sign in SIGNS.values()}) == len({s["color"] for s in SIGNS.values()}) == len(SIGNS)


def test_a_sweep_without_a_finished_trial_has_no_best() -> None:
    assert [trace.name for trace in history_figure([Point(0, 0.5, "pruned")]).data] == ["pruned"]
    assert history_figure([]).data == ()


@pytest.mark.parametrize(
    ("axis", "value", "place"),
    [
        (Axis("lr", low=1e-4, high=1e-2, log=True), 1e-3, 0.5),
        (Axis("momentum", low=0.5, high=0.9), 0.6, 0.25),
        (Axis("batch size", choices=(32, 64)), 64, 0.75),
        (Axis("momentum", low=0.5, high=0.9), None, BELOW),
        (Axis("accuracy", low=0.5, high=0.5), 0.5, 0.5),
        (Axis("accuracy", low=0.5, high=0.9), 0.5, 0.0),
        (Axis("accuracy", low=0.5, high=0.9), 0.1, BELOW),
        (Axis("lr", low=1e-4, high=1e-2, log=True), 1e-5, BELOW),
    ],
)
def test_a_value_has_its_place_on_its_axis(axis: Axis, value: object, place: float) -> None:
    assert axis.place(value) == pytest.approx(place)


def test_an_axis_by_powers_is_marked_at_its_ends_and_the_powers_between() -> None:
    assert Axis("lr", low=2e-4, high=0.2, log=True).ticks() == pytest.approx([2e-4, 1e-3, 1e-2, 0.1, 0.2])
    assert Axis("lr", low=1e-4, high=1e-2, log=True).ticks() == pytest.approx([1e-4, 1e-3, 1e-2])


def test_each_trial_is_one_line_across_all_axes_and_the_best_is_on_top() -> None:
    axes = [Axis("optimiser", choices=("sgd", "adam")), Axis("momentum", low=0.0, high=1.0)]
    lines = [
        Line(0, ("sgd", 0.5), "best"),
        Line(1, ("adam", None), "finished"),
        Line(2, ("sgd", 1.0), "finished"),
    ]
    finished, best, labels = parallel_figure(axes, lines).data
    assert (finished.name, best.name) == ("finished", "best")
    assert list(finished.x) == [0, 1, None, 0, 1, None]
    assert list(finished.y) == [0.75, BELOW, None, 0.25, 1.0, None]
    assert list(finished.customdata) == [1, 1, 1, 2, 2, 2]
    assert [word.strip() for word in labels.text] == ["sgd", "adam", "0", "0.25", "0.5", "0.75", "1", "none"]


def test_what_is_lower_than_an_axis_goes_lies_below_it_and_is_said_to() -> None:
    accuracy = Axis("Validation accuracy", low=0.9, high=0.98, percent=True)
    pruned, finished, labels = parallel_figure(
        [accuracy], [Line(0, (0.1,), "pruned"), Line(1, (0.7,), "pruned"), Line(2, (0.9,), "finished")]
    ).data
    assert list(pruned.y) == [BELOW, None, BELOW, None]
    assert list(finished.y) == [0.0, None]
    assert (labels.text[-1].strip(), labels.y[-1]) == ("lower", BELOW)
    assert [word.strip() for word in labels.text].count("lower") == 1


def test_the_last_axis_has_its_values_on_its_right() -> None:
    labels = parallel_figure([Axis("a"), Axis("b", choices=(1,))], [Line(0, (0.5, 1), "finished")]).data[-1]
    assert list(labels.textposition) == ["middle left"] * 5 + ["middle right"]


def test_what_mattered_most_is_on_top() -> None:
    assert list(importance_figure({"a": 0.7, "b": 0.3}).data[0].y) == ["b", "a"]
