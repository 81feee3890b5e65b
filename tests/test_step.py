"""One training step, opened, is the engine's own step; the arithmetic by hand is torch's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from cnnlab import models, recipes
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.engine import fit, new_state
from cnnlab.explain import footprint
from cnnlab.explain import step as step_module
from cnnlab.explain.depth import gradient_norms
from cnnlab.explain.footprint import TooLarge
from cnnlab.explain.numbers import shown
from cnnlab.explain.step import Step, open_step, repeat_steps
from cnnlab.explain.update import constants, update_lines
from cnnlab.loader import scaling_of
from cnnlab.parsing import adapt
from cnnlab.seeding import seeded

OPTIMISERS = {
    "sgd": {"optimizer": "sgd", "lr": 0.05},
    "momentum": {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "adam": {"optimizer": "adam", "lr": 0.001},
    "adam with decay": {"optimizer": "adam", "lr": 0.001, "weight_decay": 0.1},
    "adamw": {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.1},
    "clipped": {"optimizer": "sgd", "lr": 0.05, "grad_clip": 0.1},
}


def config_of(**settings: object) -> TrainConfig:
    return TrainConfig(model="cnn_5x5", batch_size=16, validation_fraction=0, **settings)


def by_hand(step: Step, config: TrainConfig, name: str, index: int) -> float:
    w = step.weights[name]
    state = {key: float(value[min(index, len(value) - 1)]) for key, value in w.state.items()}
    return update_lines(config, float(w.before[index]), float(w.gradient[index]), step.lr, state, step.clip)[-1].value


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_arithmetic_by_hand_is_torchs_to_every_digit_shown(
    name: str, number: int, grey_squares: ImageDataset
) -> None:
    config = config_of(**OPTIMISERS[name])
    step = open_step(config, grey_squares, number)
    for weight in step.weights.values():
        for index in (0, len(weight.before) // 2):
            ours, torchs = by_hand(step, config, weight.name, index), float(weight.after[index])
            assert ours == pytest.approx(torchs, rel=1e-10, abs=1e-15)
            assert shown(ours) == shown(torchs)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("sgd", ""),
        ("nesterov", "μ = 0.9: momentum, λ = 0.01: weight decay"),
        ("adamw", "β₁ = 0.9, β₂ = 0.999, ε = 1e−8, λ = 0.1: weight decay"),
    ],
)
def test_the_letters_in_the_arithmetic_are_told(name: str, letters: str) -> None:
    assert constants(config_of(**OPTIMISERS[name])) == letters


@pytest.mark.parametrize("recipe", ["quick_digits", "cnn_5x5", "mlp", "cifar_cnn"])
def test_the_opened_steps_are_those_of_the_training(
    recipe: str, grey_squares: ImageDataset, colour_squares: ImageDataset
) -> None:
    dataset = colour_squares if recipe == "cifar_cnn" else grey_squares
    config = adapt(recipes.get(recipe).config, {"epochs": 1, "device": "cpu", "eval_every": 0})
    records = [r for r in fit(new_state(config, dataset), dataset, config) if r.event == "step"]
    for number in (1, 2, 4):
        step = open_step(config, dataset, number)
        real = records[number - 1].values
        assert step.loss == pytest.approx(real["train/loss"], rel=1e-3)
        assert step.lr == real["lr"]
        assert step.gradient_norm == pytest.approx(real["grad_norm"], rel=1e-2)


def test_a_step_may_begin_with_other_weights(grey_squares: ImageDataset) -> None:
    config = config_of(optimizer="sgd", lr=0.05)
    state = new_state(config, grey_squares)
    first = open_step(config, grey_squares)
    assert open_step(config, grey_squares, weights=state.model.state_dict()).loss == first.loss
    for _ in fit(state, grey_squares, adapt(config, {"epochs": 2, "device": "cpu"})):
        pass
    step = open_step(config, grey_squares, weights=state.model.state_dict())
    assert step.loss < first.loss and step.left_over == 0
    losses = repeat_steps(config, grey_squares, 1, weights=state.model.state_dict())
    assert losses == [step.loss, step.loss_after]


def test_each_loss_is_minus_log_p(grey_squares: ImageDataset) -> None:
    step = open_step(config_of(), grey_squares)
    p = step.probabilities[torch.arange(16), step.labels]
    assert torch.allclose(step.losses, -p.log()) and step.loss == pytest.approx(float(step.losses.mean()))
    assert torch.allclose(step.probabilities.sum(1), torch.ones(16, dtype=torch.float64))
    assert step.loss_after < step.loss


def test_gradients_are_left_over_until_they_are_cleared(grey_squares: ImageDataset) -> None:
    assert open_step(config_of(), grey_squares, 1).left_over == 0
    assert open_step(config_of(), grey_squares, 2).left_over > 0


def test_the_whole_gradient_is_the_root_of_the_layers_squares(grey_squares: ImageDataset) -> None:
    step = open_step(config_of(), grey_squares)
    squares = sum(w.gradient_norm**2 for w in step.weights.values())
    assert step.gradient_norm == pytest.approx(squares**0.5)
    assert step.first_kernels is not None and step.first_kernels.shape == (16, 1, 5, 5)
    for w in step.weights.values():  # all are written down, so the largest is among them
        assert w.gradient.norm().item() == pytest.approx(w.gradient_norm)


def test_repeating_a_step_lowers_the_loss_and_a_great_rate_blows_it_up(grey_squares: ImageDataset) -> None:
    config = config_of(optimizer="sgd", lr=0.05)
    calm, wild = repeat_steps(config, grey_squares, 8), repeat_steps(config, grey_squares, 8, lr=50.0)
    assert len(calm) == 9 and calm[-1] < calm[0]
    assert not wild[-1] < 3 * wild[0]  # far above, or not a number


def test_the_repeated_step_is_the_opened_one(grey_squares: ImageDataset) -> None:
    config = config_of(optimizer="adam", lr=0.01)
    for number, lr in ((1, None), (3, None), (3, 0.02)):
        step = open_step(config, grey_squares, number, lr)
        losses = repeat_steps(config, grey_squares, 1, step.lr, number=number, earlier_lr=lr)
        assert losses == pytest.approx([step.loss, step.loss_after], abs=1e-12)


def test_a_network_too_large_is_refused_in_a_sentence(grey_squares: ImageDataset) -> None:
    with pytest.raises(TooLarge, match=r"134,\d+,\d+ parameters takes 4\.3 GB .* such as ResNet-18"):
        open_step(TrainConfig(model="vgg16"), grey_squares)


def test_a_batch_too_large_is_refused_with_one_that_fits(grey_squares, monkeypatch):
    monkeypatch.setattr(footprint, "MOST_BYTES", 5_000_000)
    with pytest.raises(TooLarge, match=r"A step of \d+ images takes about .* choose a batch size of at most \d+, or"):
        open_step(TrainConfig(model="simple_cnn", batch_size=10_000), grey_squares)


def test_a_step_is_the_same_while_other_threads_draw_weights(grey_squares):
    config = TrainConfig(model="mlp", dataset="digits", dropout=0.2, batch_size=16)
    alone, stop = open_step(config, grey_squares).loss, threading.Event()

    def draw() -> None:
        while not stop.is_set():
            gradient_norms(2, False, torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
            with seeded(3):
                models.build(config, 1, 28, 10)

    others = [threading.Thread(target=draw) for _ in range(3)]
    for other in others:
        other.start()
    try:
        assert [open_step(config, grey_squares).loss for _ in range(20)] == [alone] * 20
    finally:
        stop.set()
        for other in others:
            other.join()


def draw_elsewhere() -> None:
    def draw() -> None:
        with seeded(0):
            torch.rand(1)

    ThreadPoolExecutor(1).submit(draw).result(timeout=10)


def test_others_may_draw_while_a_step_computes(grey_squares, monkeypatch):
    waited, update = [], step_module._Training.update

    def update_slowly(training: step_module._Training, number: int) -> None:
        draw_elsewhere()
        waited.append(number)
        update(training, number)

    monkeypatch.setattr(step_module._Training, "update", update_slowly)
    config = TrainConfig(model="mlp", dropout=0.2, batch_size=16)
    open_step(config, grey_squares, 2)
    repeat_steps(config, grey_squares, 2)
    assert waited == [1, 2, 1, 2]


def test_a_network_without_dropout_leaves_the_dice_to_others_altogether(grey_squares):
    config = TrainConfig(model="cnn_5x5", batch_size=16)
    training = step_module._Training(config, grey_squares, None, None)
    training.model.register_forward_hook(lambda *_: draw_elsewhere())
    training.forward(next(training.batches()), 1)


def test_the_pictures_are_those_that_the_network_saw(grey_squares):
    config = recipes.get("quick_digits").config  # which shifts them
    step = open_step(config, grey_squares, 2)
    assert config.augment_shift and step.pixels.dtype == torch.uint8
    scaled = scaling_of(config, grey_squares)(step.pixels)
    torch.testing.assert_close(scaled.double(), step.inputs, rtol=0, atol=1e-5)
