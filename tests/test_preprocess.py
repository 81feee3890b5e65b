"""What a person gives becomes what the network was trained on."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps

from cnnlab.checkpoints import Checkpoint
from cnnlab.config import TrainConfig
from cnnlab.datasets.folder import decode
from cnnlab.loader import Scaling
from cnnlab.prediction.ink import ink_box, is_dark_on_light, mass_centre
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.preprocess import LAYOUTS, STEPS, Prepared, as_shown, prepare
from cnnlab.runs import Run
from tests.drawn_digits import drawn_digits


def checkpoint(dataset: str = "mnist", channels: int = 1, size: int = 28) -> Checkpoint:
    """One without weights: preprocessing needs none."""
    scaling = Scaling((0.5,) * channels, (0.25,) * channels)
    return Checkpoint(TrainConfig(dataset=dataset), tuple("0123456789"), channels, size, scaling, {}, {})


def seven(size: int = 200, x: int = 20, y: int = 30, height: int = 60, pen: int = 8) -> Image.Image:
    """A seven in black on white with its corner at (x, y)."""
    page = Image.new("L", (size, size), 255)
    page.paste(0, (x, y, x + height * 2 // 3, y + pen))
    page.paste(0, (x + height * 2 // 3 - pen, y, x + height * 2 // 3, y + height))
    return page


def centre_of(pixels: torch.Tensor) -> tuple[float, float]:
    return mass_centre(Image.fromarray(pixels[0].numpy()))


@pytest.fixture
def mnist_predictor(mnist_run: Run) -> Predictor:
    return load_predictor(mnist_run)


def right_share(predictor: Predictor, **switched: bool) -> int:
    """How many of the hundred drawings are recognised."""
    return sum(predictor.answer(picture, switched).label == digit for picture, digit in drawn_digits())


def test_quick_mnist_recognises_ninety_of_a_hundred_drawn_digits(mnist_predictor, record_property):
    right, without = right_share(mnist_predictor), right_share(mnist_predictor, centre=False)
    record_property("right", right)
    record_property("right without centring", without)
    print(f"{right} of 100 drawn digits are right, {without} without centring")
    assert right >= 90 and right > without


def test_the_built_in_digits_are_enough_for_most_drawn_digits(trained_run):
    predictor = load_predictor(trained_run)
    right, as_given = right_share(predictor), right_share(predictor, crop=False, centre=False)
    print(f"{right} of 100 drawn digits are right, {as_given} neither cropped nor centred")
    assert right >= 80 > as_given


def test_the_drawn_digits_are_always_the_same_hundred():
    first, second = list(drawn_digits()), list(drawn_digits())
    assert [d for _, d in first] == [d for d in range(10) for _ in range(10)]
    assert all((np.asarray(a) == np.asarray(b)).all() for (a, _), (b, _) in zip(first, second, strict=True))
    assert len({p.tobytes() for p, _ in first}) == 100


@settings(max_examples=40, deadline=None)
@given(x=st.integers(0, 100), y=st.integers(0, 100), height=st.integers(30, 95), pen=st.integers(4, 12))
def test_where_and_how_large_a_digit_is_drawn_does_not_matter(x, y, height, pen):
    pixels = prepare(seven(200, x, y, height, pen), checkpoint()).pixels
    left, top, right, bottom = ink_box(Image.fromarray(pixels[0].numpy()))
    assert pixels.shape == (1, 28, 28) and pixels.dtype == torch.uint8
    assert 19 <= max(right - left, bottom - top) <= 22  # the box of 20, softened at its edges
    assert centre_of(pixels) == pytest.approx((14.5, 14.5), abs=0.75)


def test_an_mnist_image_enlarged_comes_back_nearly_as_it_was(real_mnist):
    for image in real_mnist.test.images[:50, 0]:
        large = Image.fromarray(image.numpy()).resize((280, 280), Image.Resampling.BICUBIC)
        back = prepare(large, checkpoint()).pixels[0].float()
        assert torch.corrcoef(torch.stack([back.flatten(), image.float().flatten()]))[0, 1] > 0.87


def test_mnist_itself_has_the_layout_that_drawings_are_given(real_mnist):
    pages = [Image.fromarray(i.numpy()) for i in real_mnist.train.images[:500, 0]]
    x, y = np.mean([mass_centre(page) for page in pages], axis=0)
    mass = LAYOUTS["mnist"].mass
    assert mass and (x / 28, y / 28) == pytest.approx((mass, mass), abs=0.01)


def test_a_small_drawing_is_centred_as_a_large_one():
    small = seven(200, 10, 60, 90, 10).resize((28, 28), Image.Resampling.BOX)
    assert centre_of(prepare(small, checkpoint()).pixels) == pytest.approx((14.5, 14.5), abs=0.75)


def test_a_picture_of_the_network_s_size_is_taken_as_it_is(digits):
    image = digits.test.images[0]
    prepared = prepare(Image.fromarray(image[0].numpy()), checkpoint("digits"))
    assert (prepared.pixels == image).all()
    assert [name for name, on in prepared.on.items() if on] == ["grey", "resize", "normalise"]
    assert (prepared.inputs == checkpoint("digits").scaling(image[None])).all()


@pytest.mark.parametrize("inverted", [False, True])
def test_black_on_white_and_white_on_black_give_the_same(inverted):
    page = seven()
    given = ImageOps.invert(page) if inverted else page
    prepared = prepare(given, checkpoint())
    assert (prepared.pixels == prepare(page, checkpoint()).pixels).all()
    assert prepared.on["invert"] is not inverted


@pytest.mark.parametrize("ink", ["black", "white"])
def test_a_thin_pen_on_a_large_page_is_still_ink(ink):
    page = Image.new("L", (400, 400), "white" if ink == "black" else "black")
    page.paste(ink, (200, 150, 202, 250))
    assert is_dark_on_light(page) == (ink == "black")


def test_a_photograph_is_fitted_as_in_training(tmp_path):
    dice = np.random.default_rng(0)
    picture = Image.fromarray(dice.integers(0, 256, (90, 120, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    prepared = prepare(picture, checkpoint("cifar10", 3, 32))
    assert (prepared.pixels.numpy() == decode(tmp_path / "a.png", 32, color=True)).all()
    assert [name for name, on in prepared.on.items() if on] == ["resize", "normalise"]


def test_a_shadow_on_the_paper_is_taken_away():
    page = seven(300, 80, 80, 130, 16).filter(ImageFilter.GaussianBlur(1.5))
    shade = np.linspace(0.45, 0.9, 300)[None] * np.linspace(0.8, 1, 300)[:, None]
    dice = np.random.default_rng(0)
    photo = np.asarray(page, float) * 0.8 * shade + 25 + dice.normal(0, 3, (300, 300))
    prepared = prepare(Image.fromarray(photo.clip(0, 255).astype(np.uint8)), checkpoint())
    clean = prepare(page, checkpoint())
    assert prepared.on["even"] and not clean.on["even"]
    a, b = prepared.pixels.flatten().float(), clean.pixels.flatten().float()
    assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.9
    assert prepared.pixels[0, :3].max() < 40


def test_steps_are_switched_and_each_has_its_picture():
    prepared = prepare(seven(), checkpoint(), {"centre": False, "normalise": False})
    assert [step.name for step in prepared.steps] == list(STEPS)
    assert not prepared.on["centre"] and prepared.on["crop"]
    assert (float(prepared.inputs.min()), float(prepared.inputs.max())) == pytest.approx((0, 1), abs=0.02)
    assert {step.name for step in prepared.steps if not step.switchable} == {"grey", "resize"}
    left, top, right, bottom = ink_box(prepared.steps[2].picture)
    assert prepared.steps[3].picture.size == (right - left, bottom - top)
    assert as_shown(prepared).shape == (28, 28)
    with pytest.raises(ValueError, match=r"Unknown step 'sharpen'. Available: grey, invert, even"):
        prepare(seven(), checkpoint(), {"sharpen": True})


def test_a_step_that_the_network_cannot_do_without_stays_on():
    prepared = prepare(seven().convert("RGB"), checkpoint(), {"grey": False, "resize": False})
    assert prepared.on["grey"] and prepared.on["resize"] and prepared.pixels.shape == (1, 28, 28)
    assert prepared.pixels.equal(prepare(seven(), checkpoint()).pixels)


def test_a_drawing_that_is_not_square_is_put_on_a_square_and_not_cut():
    square = seven(200, 5, 70)
    wide, as_given = square.crop((0, 50, 200, 150)), {"crop": False, "centre": False}
    assert prepare(wide, checkpoint(), as_given).pixels.equal(prepare(square, checkpoint(), as_given).pixels)


def test_thin_strokes_reach_the_white_of_the_digits_own_images():
    pixels = prepare(seven(pen=4), checkpoint("digits")).pixels
    assert (int(pixels.min()), int(pixels.max())) == (0, 255)


def blank_pages() -> Iterator[Image.Image]:
    yield Image.new("L", (200, 200), 255)
    yield Image.new("L", (200, 200), 0)
    yield Image.new("RGB", (1, 1), "white")
    yield Image.new("L", (3000, 2), 128)
    yield Image.new("L", (2, 3000), 200)


@pytest.mark.parametrize("dataset", ["mnist", "digits", "fashion_mnist", "kmnist", "folder:x"])
def test_empty_and_odd_pages_are_prepared_too(dataset):
    for page in blank_pages():
        prepared = prepare(page, checkpoint(dataset))
        grey_on_black = dataset == "fashion_mnist" and max(page.size) == 3000  # a narrow thing, for all one knows
        assert prepared.pixels.shape == (1, 28, 28) and prepared.blank != grey_on_black


def test_a_colour_network_takes_colours_and_a_drawing_keeps_them():
    red = Image.new("RGB", (60, 60), "red")
    assert prepare(red, checkpoint("cifar10", 3, 32)).pixels[:, 5, 5].tolist() == [255, 0, 0]
    grey = prepare(red, checkpoint("cifar10", 3, 32), {"grey": True}).pixels[:, 5, 5].tolist()
    assert grey[0] == grey[1] == grey[2]


@pytest.mark.parametrize(("low", "high", "blank"), [(7, 7, True), (7, 9, True), (7, 20, False)])
def test_one_colour_throughout_is_nothing_to_see(low, high, blank):
    pixels = torch.stack([torch.full((4, 4), value, dtype=torch.uint8) for value in (200, 10, low)])
    pixels[2, 0, 0] = high  # what a JPEG leaves
    assert Prepared(Image.new("RGB", (4, 4)), (), pixels, Scaling((0.0,) * 3, (1.0,) * 3)).blank == blank
