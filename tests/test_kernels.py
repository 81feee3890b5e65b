"""Kernels: presets that are what they say, changes that undo each other, and files that come back or say why not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnlab.explain.kernel_shelf import Shelf
from cnnlab.explain.kernels import (
    TRANSFORMS,
    Kernel,
    KernelError,
    advice,
    make_kernel,
    parse_kernel,
    random_kernel,
    read_kernel,
    resized,
)
from cnnlab.explain.presets import FOUR, PRESETS, make_preset, slides

kernels = st.integers(1, 11).flatmap(
    lambda size: st.sampled_from([1, 3]).flatmap(
        lambda channels: arrays(
            np.float64, (channels, size, size), elements=st.integers(-5000, 5000).map(lambda n: n / 1000)
        ).map(Kernel)
    )
)


@given(kernels)
def test_a_kernel_survives_its_link_and_its_file(kernel):
    assert (parse_kernel(kernel.text).weights == kernel.weights).all()
    assert (read_kernel(kernel.json.encode()).weights == kernel.weights).all()


@given(kernels)
def test_changes_undo_each_other(kernel):
    for name, times in (("Rotate", 4), ("Flip left-right", 2), ("Flip up-down", 2), ("Transpose", 2), ("Negate", 2)):
        changed = kernel
        for _ in range(times):
            changed = TRANSFORMS[name](changed)
        assert (changed.weights == kernel.weights).all(), name


@given(kernels)
def test_normalised_weights_add_up_to_one_or_their_sizes_do(kernel):
    for before, after in zip(kernel.weights, TRANSFORMS["Normalise"](kernel).weights, strict=True):
        if abs(before.sum()) > 0.5:
            assert after.sum() == pytest.approx(1, abs=1e-3)
        elif before.any() and abs(before.sum()) < 1e-9:
            assert np.abs(after).sum() == pytest.approx(1, abs=1e-3)


def test_rotating_is_clockwise():
    assert TRANSFORMS["Rotate"](parse_kernel("1,2;3,4")).text == "3,1;4,2"


def test_resizing_keeps_the_middle():
    sobel = make_preset("sobel_x")
    assert (resized(resized(sobel, 7), 3).weights == sobel.weights).all()
    assert resized(make_preset("sobel_5x5_x"), 1).text == "0"


@pytest.mark.parametrize("name", PRESETS.names())
def test_every_preset_is_a_kernel_with_a_sentence_and_so_is_each_of_its_slides(name):
    kernel = make_preset(name)
    assert make_kernel(kernel.weights).text == kernel.text and PRESETS.get(name).sentence.endswith(".")
    for slide in slides(name, {}):
        assert len(slide["values"]) == len(slide["weights"])
        at = slide["values"].index(slide["at"])
        assert slide["weights"][at] == kernel.weights.tolist()
        assert all(make_kernel(w).size == kernel.size for w in slide["weights"])


@pytest.mark.parametrize("name", ["box", "gaussian", "motion", "sharpen", "unsharp", "emboss", "identity"])
def test_what_keeps_brightness_adds_up_to_one(name):
    assert make_preset(name).weights.sum() == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize(
    "name", [n for n in PRESETS if PRESETS.get(n).family in ("Edges", "A first layer, 4×4", "Texture")]
)
def test_what_finds_changes_adds_up_to_nothing(name):
    assert make_preset(name).weights.sum() == pytest.approx(0, abs=1e-4)


def test_presets_are_those_of_opencv():
    for order in ((1, 0), (0, 1)):
        down, right = (k.ravel() for k in cv2.getDerivKernels(*order, 5))
        ours = make_preset("sobel_5x5_x" if order == (1, 0) else "sobel_5x5_y").weights[0]
        assert np.allclose(ours, np.outer(right, down))
    bell = cv2.getGaussianKernel(7, 1.5, cv2.CV_64F)
    assert np.allclose(make_preset("gaussian", size=7, sigma=1.5).weights[0], bell @ bell.T, atol=1e-6)


def test_a_gabor_turns_with_its_angle():
    upright = make_preset("gabor", angle=0).weights[0]
    assert np.allclose(make_preset("gabor", angle=90).weights[0], upright.T, atol=2e-6)


def test_the_four_edge_kernels_are_the_tutorial_s():
    first, second, third, fourth = (make_preset(name).weights[0] for name in FOUR)
    assert first.tolist() == [[-1, -1, 1, 1]] * 4
    assert (second == -first).all() and (third == first.T).all() and (fourth == -third).all()


def test_random_weights_are_those_of_a_new_layer_and_repeat():
    kernel = random_kernel(5, 3)
    assert np.abs(kernel.weights).max() <= 1 / 5
    assert kernel.text == random_kernel(5, 3).text != random_kernel(5, 4).text


def test_advice_names_the_sum():
    assert "All weights are 0" in advice(make_kernel([[0, 0], [0, 0]]), 1, True)
    assert "add up to 0" in advice(make_preset("sobel_x"), 3, True)
    assert "keeps its brightness" in advice(make_preset("box"), 1, True)
    assert "2.5 times as bright" in advice(make_kernel([[2.5]]), 1, True)


@pytest.mark.parametrize(
    ("weights", "summed", "sentence"),
    [
        ("1", True, "1 in each channel, 3 in all: an even grey comes out 3 times as bright."),
        ("1", False, "add up to 1: the picture keeps its brightness."),
        ("0.2|0.3|0.5", True, "0.2 in red, 0.3 in green, 0.5 in blue, 1 in all: an even grey keeps its brightness."),
        ("1|-1|0", True, "1 in red, -1 in green, 0 in blue, 0 in all: an even grey gives 0."),
        ("1|-1|0", False, "1 in red, -1 in green, 0 in blue: in an even area each channel"),
    ],
)
def test_advice_on_a_colour_picture_is_of_what_its_channels_give(weights, summed, sentence):
    assert sentence in advice(parse_kernel(weights), 3, summed)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no JSON"),
        (b'{"weights": [[1, 2', "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", 'holds no "weights"'),
        (b'{"weights": "much"}', "numbers alone"),
        (b"[[1, 2], [3]]", "rows of equal length"),
        (b'[["a"]]', "numbers alone"),
        (b"5", "a single value"),
        (b'{"weights": null}', "a single value"),
        (b"[]", "square"),
        (b"[[1, 2, 3]]", "1×1×3"),
        (json.dumps(np.zeros((12, 12)).tolist()).encode(), "1 to 11 rows, and this has 12"),
        (json.dumps(np.zeros((2, 3, 3)).tolist()).encode(), "2×3×3"),
        (b"[[NaN]]", "lies between"),
        (b"[[1" + b"0" * 400 + b"]]", "numbers alone"),
        (b"[[1e9]]", "lies between"),
    ],
)
def test_a_file_that_is_no_kernel_is_one_sentence(content, sentence):
    with pytest.raises(KernelError) as error:
        read_kernel(content)
    assert sentence in str(error.value) and str(error.value).endswith(".")


def test_a_kernel_s_name_can_be_shown_and_sent():
    assert read_kernel(b'{"weights": [[1]], "name": "a\\ud800"}').name == "a\\ud800"
    assert read_kernel(b'{"weights": [[1]], "name": null}').name == "Your own kernel"


def test_kernels_are_kept_replaced_and_deleted(tmp_path):
    shelf = Shelf(tmp_path / "new" / "kernels.json")
    assert shelf.kernels() == {}
    shelf.save(parse_kernel("1"), " One ")
    shelf.save(parse_kernel("2"), "Two")
    shelf.save(parse_kernel("1"), "One")  # the same again
    with pytest.raises(KernelError, match="Another kernel is called 'One' already: give another name"):
        shelf.save(parse_kernel("3"), "One")
    assert {name: kernel.text for name, kernel in shelf.kernels().items()} == {"One": "1", "Two": "2"}
    shelf.delete("One")
    shelf.delete("none")
    assert list(shelf.kernels()) == ["Two"]


@pytest.mark.parametrize("content", ["{damaged", "[[[1]]]"])
def test_a_damaged_shelf_is_told_and_not_overwritten(tmp_path, content):
    path = tmp_path / "kernels.json"
    path.write_text(content)
    for change in (lambda: Shelf(path).save(parse_kernel("1"), "One"), lambda: Shelf(path).delete("One")):
        with pytest.raises(KernelError, match="cannot be read"):
            change()
    assert path.read_text() == content


def test_an_entry_that_is_no_kernel_stays_when_others_come_and_go(tmp_path):
    path = tmp_path / "kernels.json"
    path.write_text('{"Odd": "by hand", "Two": [[2]]}')
    shelf = Shelf(path)
    shelf.save(parse_kernel("2"), "Two")  # the same again
    shelf.save(parse_kernel("1"), "One")
    shelf.delete("Two")
    assert json.loads(path.read_text()) == {"Odd": "by hand", "One": [[[1]]]} and list(shelf.kernels()) == ["One"]
    with pytest.raises(KernelError, match="Another kernel is called 'Odd' already"):
        shelf.save(parse_kernel("1"), "Odd")


def test_a_shelf_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KernelError, match="cannot be kept"):
        Shelf(Path(tmp_path / "file" / "kernels.json")).save(parse_kernel("1"), "One")
