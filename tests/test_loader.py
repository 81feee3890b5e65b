"""Batches: their order, their scaling and their augmentation, each a function of (seed, epoch, step) alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import v2

from cnnlab import loader
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageSet
from cnnlab.datasets.base import image_set
from cnnlab.datasets.view import picked
from cnnlab.loader import Dice, Scaling, augment, epoch_batches, scaling_of, steps_per_epoch

PLAIN = Scaling((0.0,), (1.0,))
AUGMENTED = {"augment_shift": 2, "augment_flip": True, "augment_rotation": 15, "augment_erase": 6}


@pytest.fixture(scope="module")
def numbered() -> ImageSet:
    """103 images whose label is their number."""
    return image_set(torch.randint(0, 256, (103, 1, 12, 12), dtype=torch.uint8), torch.arange(103))


def batches(images: ImageSet, epoch: int = 1, first: int = 0, **values: object) -> list[tuple[Tensor, Tensor]]:
    config = TrainConfig(**{"batch_size": 10} | values)
    return [(b.inputs, b.labels) for b in epoch_batches(images, config, epoch, PLAIN, first)]


def order(*arguments: object, **values: object) -> list[int]:
    return torch.cat([labels for _, labels in batches(*arguments, **values)]).tolist()


def dice() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def test_an_epoch_shows_every_image_once(numbered):
    assert sorted(order(numbered)) == list(range(103)) != order(numbered)
    for inputs, labels in batches(numbered):
        assert torch.allclose(inputs, numbered.images[labels] / 255)


def test_the_order_depends_on_seed_and_epoch_alone(numbered):
    first = order(numbered)
    torch.manual_seed(99)
    assert order(numbered) == first == order(numbered, batch_size=7)
    assert order(numbered, 2) != first != order(numbered, seed=1)
    assert order(numbered, 2) == order(numbered, 2, lr=0.5, epochs=9)


@pytest.mark.parametrize("first", [0, 1, 7, 10, 11])
def test_beginning_at_a_batch_equals_skipping_those_before(numbered, first):
    from_start = batches(numbered, first=0, **AUGMENTED)[first:]
    begun = batches(numbered, first=first, **AUGMENTED)
    assert len(begun) == len(from_start)
    for (x, y), (u, v) in zip(begun, from_start, strict=True):
        assert x.equal(u) and y.equal(v)


@pytest.mark.parametrize("values", [{}, AUGMENTED], ids=["plain", "augmented"])
@pytest.mark.parametrize("first", [0, 4])
def test_batches_picked_together_are_those_picked_one_by_one(numbered, monkeypatch, values, first):
    together = batches(numbered, first=first, **values)
    monkeypatch.setattr(loader, "AT_ONCE", 0)
    alone = batches(numbered, first=first, **values)
    assert len(together) == len(alone)
    for (x, y), (u, v) in zip(together, alone, strict=True):
        assert x.equal(u) and y.equal(v) and x.stride() == u.stride()


@given(images=st.integers(1, 500), batch_size=st.integers(1, 200))
def test_steps_count_the_batches_without_a_lonely_last_image(images, batch_size):
    sizes = [len(chunk) for chunk in torch.arange(images).split(batch_size)]
    if len(sizes) > 1 and sizes[-1] == 1 and batch_size > 1:
        sizes.pop()  # batch norm cannot use a batch of one
    assert steps_per_epoch(images, batch_size) == len(sizes)
    numbers = image_set(torch.zeros(images, 1, 1, 1, dtype=torch.uint8), torch.arange(images))
    config = TrainConfig(batch_size=batch_size)
    assert [len(b.labels) for b in epoch_batches(numbers, config, 1, PLAIN)] == sizes


# ── scaling ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scaling", ["unit", "half", "dataset"])
@pytest.mark.parametrize("squares", ["grey_squares", "colour_squares"])
def test_scaling_is_torchvisions_to_tensor_and_normalize(request, scaling, squares):
    dataset = request.getfixturevalue(squares)
    ours = scaling_of(TrainConfig(scaling=scaling), dataset)
    mean, std = {"unit": (0.0, 1.0), "half": (0.5, 0.5)}.get(scaling, (dataset.mean, dataset.std))
    to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    channels = dataset.in_channels
    spread = [list(v) if isinstance(v, tuple) else [v] * channels for v in (mean, std)]
    theirs = torch.stack(
        [v2.functional.normalize(to_tensor(image.permute(1, 2, 0).numpy()), *spread) for image in dataset.train.images]
    )
    assert (ours(dataset.train.images) - theirs).abs().max() <= 1e-6 * max(1, theirs.abs().max())


def test_the_datasets_own_scaling_gives_mean_0_and_deviation_1(colour_squares):
    scaled = scaling_of(TrainConfig(scaling="dataset"), colour_squares)(colour_squares.train.images)
    assert scaled.mean((0, 2, 3)).abs().max() < 1e-4
    assert (scaled.std((0, 2, 3)) - 1).abs().max() < 1e-3


# ── augmentation ──────────────────────────────────────────────────────────────────────────────────────────────────


def augmented(images: Tensor, **values: object) -> Tensor:
    return augment(images, TrainConfig(**values), Dice(7, len(images)))


@pytest.fixture(scope="module")
def bright() -> Tensor:
    """64 random images of 3×12×12 without any black."""
    return torch.rand(64, 3, 12, 12, generator=dice()) * 0.9 + 0.1


def test_each_share_of_a_batch_is_augmented_as_in_the_whole(bright):
    whole = augmented(bright, **AUGMENTED)
    for mine in (slice(0, 21), slice(21, 64), slice(30, 30)):
        assert augment(bright[mine], TrainConfig(**AUGMENTED), Dice(7, 64, mine)).equal(whole[mine])


def test_without_augmentation_nothing_changes(bright):
    assert augmented(bright) is bright


@pytest.mark.parametrize("name", AUGMENTED)
def test_each_augmentation_changes_images_but_neither_shape_nor_the_next_throw(bright, name):
    values = {name: AUGMENTED[name]}
    changed = augmented(bright, **values)
    assert changed.shape == bright.shape and not changed.equal(bright)
    assert changed.equal(augmented(bright, **values))


def test_a_shifted_image_is_the_image_moved_by_whole_pixels_on_black(bright):
    found = set()
    for image, moved in zip(bright, augmented(bright, augment_shift=2), strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        places = [(r, c) for r in range(5) for c in range(5) if padded[:, r : r + 12, c : c + 12].allclose(moved)]
        assert len(places) == 1
        found |= set(places)
    assert len(found) > 15  # of 25 places


def test_about_half_of_the_images_are_flipped_and_the_others_left_alone(bright):
    flipped = augmented(bright, augment_flip=True)
    mirrored = [new.allclose(old.flip(2)) for old, new in zip(bright, flipped, strict=True)]
    same = [new.allclose(old) for old, new in zip(bright, flipped, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True)) and 16 < sum(mirrored) < 48


def test_rotation_turns_about_the_middle_by_no_more_than_asked():
    bar = torch.zeros(200, 1, 41, 41)
    bar[:, :, 20, 21:] = 1  # from the middle to the right
    turned = augmented(bar, augment_rotation=30)[:, 0]
    rows = torch.arange(41.0)
    height = (turned * rows[:, None]).sum((1, 2)) / turned.sum((1, 2)) - 20
    width = (turned * rows).sum((1, 2)) / turned.sum((1, 2)) - 20
    angle = torch.atan2(height, width).rad2deg()
    assert angle.abs().max() < 31 and angle.max() > 25 and angle.min() < -25
    assert (turned[:, 20, 20] <= 1).all() and (turned.sum((1, 2)) - 20).abs().max() < 2


def test_a_rotation_by_nothing_leaves_every_pixel(bright):
    assert torch.allclose(loader.rotate(bright, 1e-9, Dice(7, len(bright))), bright, atol=1e-4)


@pytest.mark.parametrize("side", [1, 4, 6])
def test_erase_blacks_one_square_of_its_side(bright, side):
    erased = augmented(bright, augment_erase=side)
    for old, new in zip(bright, erased, strict=True):
        gone = (new == 0).all(0)
        rows, columns = gone.any(1).nonzero().flatten(), gone.any(0).nonzero().flatten()
        assert gone.sum() == len(rows) * len(columns)  # a rectangle …
        assert 1 <= len(rows) <= side and 1 <= len(columns) <= side  # … cut at the edge at most
        assert new[:, ~gone].allclose(old[:, ~gone])
    assert max(int((new == 0).all(0).sum()) for new in erased) == side * side


@settings(max_examples=20, deadline=None)
@given(mean=st.floats(0.0, 1.0), std=st.floats(0.1, 1.0))
def test_what_comes_in_from_outside_is_black_whatever_the_scaling(mean, std):
    scaling = Scaling((mean,), (std,))
    white = torch.full((32, 1, 8, 8), 255, dtype=torch.uint8)
    shifted = scaling(augmented(white, augment_shift=3))
    black = torch.tensor(-mean / std)
    outside = (shifted - black).abs() < 1e-4
    assert outside.any() and ((shifted - scaling(white)[0, 0, 0, 0]).abs() < 1e-4)[~outside].all()


@pytest.mark.parametrize("name", AUGMENTED)
def test_bytes_are_augmented_as_their_values_are(name):
    pixels = torch.randint(0, 256, (16, 3, 12, 12), dtype=torch.uint8, generator=dice())
    values = {name: AUGMENTED[name]}
    assert augmented(pixels, **values).float().equal(augmented(pixels.float(), **values))


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_picked_as_by_an_index_and_come_in_channels_last_order(channels, memory):
    images = torch.randint(0, 256, (20, channels, 5, 5), dtype=torch.uint8).contiguous(memory_format=memory)
    index = torch.tensor([3, 0, 19, 3])
    found = picked(images, index)
    assert found.equal(images[index]) and found.is_contiguous(memory_format=torch.channels_last)


def test_every_seed_that_is_allowed_can_draw_augmentations(numbered):
    first, again = (batches(numbered, 9, seed=2**31 - 1, **AUGMENTED) for _ in range(2))
    assert all(x.equal(u) for (x, _), (u, _) in zip(first, again, strict=True))
