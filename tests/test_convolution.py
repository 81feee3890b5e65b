"""A convolution is what OpenCV and PyTorch compute, and the Python on the page gives the same picture."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import conv2d

from cnnlab.explain.chains import Step, run_chain
from cnnlab.explain.convolution import BORDERS, Settings, SettingsError, convolve
from cnnlab.explain.filter_code import chain_code, opencv_code, pytorch_code
from cnnlab.explain.kernels import Kernel, parse_kernel

SOBEL = parse_kernel("-1,0,1;-2,0,2;-1,0,1")


@st.composite
def cases(draw):
    """A picture, a kernel and settings that fit together."""
    channels, size = draw(st.sampled_from([1, 3])), draw(st.integers(1, 11))
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    seed = draw(st.integers(0, 10**6))
    dice = np.random.default_rng(seed)
    picture = dice.integers(0, 256, (channels, height, width), dtype=np.uint8)
    planes = draw(st.sampled_from([1, channels]))
    kernel = Kernel(dice.normal(0, 2, (planes, size, size)).round(6))
    chosen = Settings(
        stride=draw(st.integers(1, 5)),
        padding=draw(st.sampled_from(["none", "same", "0", "1", "2", "5"])),
        border=draw(st.sampled_from(BORDERS)),
        dilation=draw(st.integers(1, 3)),
        convolution=draw(st.booleans()),
        bias=draw(st.sampled_from([0.0, 0.5, -128.0])),
        absolute=draw(st.booleans()),
        threshold=draw(st.sampled_from([None, None, 100.3])),
        summed=draw(st.booleans()),
    )
    try:
        chosen.check(picture.shape, kernel)
    except SettingsError:
        assume(False)
    return picture, kernel, chosen


@given(cases())
@example((np.full((1, 1, 1), 7, np.uint8), Kernel(np.ones((1, 11, 11))), Settings()))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_shown_code_runs_and_gives_the_same_picture(tmp_path_factory, case):
    picture, kernel, chosen = case
    folder = tmp_path_factory.mktemp("code")
    pixels = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    Image.fromarray(pixels).save(folder / "picture.png")
    expected = convolve(picture, kernel, chosen)
    expected = expected[0] if len(expected) == 1 else expected
    for write in (opencv_code, pytorch_code):
        names: dict[str, object] = {}
        code = write(kernel, chosen, picture.shape)
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(folder)
            exec(compile(code, write.__name__, "exec"), names)
        result = names["result"]
        assert result.shape == expected.shape, code
        assert np.abs(result - expected).max() < 1e-5, code


@pytest.mark.parametrize("write", [opencv_code, pytorch_code])
def test_the_shown_code_of_a_chain_gives_its_last_output(write, tmp_path, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (1, 12, 17), dtype=np.uint8)
    Image.fromarray(picture[0]).save(tmp_path / "picture.png")
    steps = [Step(parse_kernel("1,2;3,4")), Step(SOBEL, absolute=True), Step(SOBEL)]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(chain_code(write, steps, "wrap", picture.shape), names)
    assert np.abs(names["result"] - run_chain(picture, steps, "wrap")[-1][0]).max() < 1e-5


@given(cases())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_output_has_the_size_that_the_formula_says(case):
    picture, kernel, chosen = case
    expected = tuple(chosen.output_size(length, kernel.size) for length in picture.shape[1:])
    assert convolve(picture, kernel, chosen).shape[1:] == expected


@pytest.mark.parametrize(
    ("width", "size", "chosen", "result"),
    [
        (7, 3, Settings(padding="none"), 5),
        (7, 3, Settings(padding="none", stride=2), 3),
        (32, 5, Settings(padding="2"), 32),
        (32, 5, Settings(padding="none"), 28),
        (28, 4, Settings(padding="none"), 25),
    ],
)
def test_the_tutorials_sizes(width, size, chosen, result):
    assert chosen.output_size(width, size) == result
    assert chosen.formula(width, size, "W").endswith(f"+ 1 = {result}")


def test_a_size_that_is_no_whole_number_is_rounded_down_and_told():
    chosen = Settings(padding="none", stride=2)
    assert chosen.formula(8, 3, "H") == (
        r"\left\lfloor \frac{H - F + 2P}{S} \right\rfloor + 1 = "
        r"\left\lfloor \frac{8 - 3 + 2 \cdot 0}{2} \right\rfloor + 1 = 3"
    )
    assert "floor" not in chosen.formula(7, 3, "H")
    assert chosen.unused(8, 3) == 1 and chosen.unused(7, 3) == 0


def test_a_convolution_is_a_correlation_with_the_turned_kernel():
    picture = np.random.default_rng(0).integers(0, 256, (1, 9, 9), dtype=np.uint8)
    turned = Kernel(SOBEL.weights[:, ::-1, ::-1].copy())
    assert (convolve(picture, SOBEL, Settings(convolution=True)) == convolve(picture, turned, Settings())).all()


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch says that it copies
@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_padding_of_same_is_torchs_also_for_even_kernels(size):
    dice = np.random.default_rng(0)
    picture, kernel = dice.integers(0, 256, (1, 9, 9), dtype=np.uint8), Kernel(dice.normal(size=(1, size, size)))
    theirs = conv2d(torch.from_numpy(picture).double(), torch.from_numpy(kernel.weights)[None], padding="same")
    assert convolve(picture, kernel, Settings()) == pytest.approx(theirs.numpy())


def test_colour_is_the_sum_of_three_convolutions():
    picture = np.random.default_rng(0).integers(0, 256, (3, 9, 9), dtype=np.uint8)
    each = convolve(picture, SOBEL, Settings(summed=False))
    assert each.shape == (3, 9, 9)
    assert np.allclose(each.sum(0), convolve(picture, SOBEL, Settings())[0])


def test_negative_values_are_kept_unless_asked():
    picture = np.zeros((1, 3, 4), np.uint8)
    picture[..., :2] = 255
    assert convolve(picture, SOBEL, Settings(padding="none")).min() == -1020
    assert convolve(picture, SOBEL, Settings(padding="none", absolute=True)).min() >= 0
    white = convolve(picture, SOBEL, Settings(padding="none", absolute=True, threshold=100))
    assert set(white.ravel().tolist()) <= {0.0, 255.0}


@pytest.mark.parametrize(
    ("chosen", "size", "sentence"),
    [
        (Settings(padding="none"), 11, "The kernel reaches over 11 pixels, and the picture with its padding has 8"),
        (Settings(padding="none", dilation=4), 3, "reaches over 9 pixels"),
        (Settings(border="reflect", padding="8"), 3, "A border that should reflect 8 pixels"),
        (Settings(border="wrap", padding="9"), 3, "A border that should wrap 9 pixels"),
        (Settings(padding="lots"), 3, "Padding 'lots' is not allowed: give none, same, or 0 to 32."),
        (Settings(padding="33"), 3, "Padding '33' is not allowed"),
        (Settings(padding="1" * 5000), 3, "Padding '11111111111…' is not allowed"),
        (Settings(stride=0), 3, "A stride of 0 is not allowed: give 1 to 16."),
        (Settings(dilation=99), 3, "A dilation of 99 is not allowed: give 1 to 8."),
        (Settings(border="mirror"), 3, "The border 'mirror' is not known"),
    ],
)
def test_what_does_not_fit_is_one_sentence(chosen, size, sentence):
    with pytest.raises(SettingsError) as error:
        convolve(np.zeros((1, 8, 8), np.uint8), Kernel(np.ones((1, size, size))), chosen)
    assert sentence in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("summed", [True, False])
def test_a_kernel_for_colours_and_a_grey_picture_are_one_sentence(summed):
    with pytest.raises(SettingsError, match="Mine has other weights for red, green and blue, and here the picture"):
        convolve(np.zeros((1, 8, 8), np.uint8), parse_kernel("1|2|3", "Mine"), Settings(summed=summed))
