"""The optimisers are torch's, and the learning rate follows torch's schedulers step by step."""

from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from cnnlab.config import TrainConfig
from cnnlab.optim import lr_at, make_optimizer
from cnnlab.parsing import parse

PER_EPOCH = 7


def followed(config: TrainConfig) -> list[float]:
    return [lr_at(step, config, PER_EPOCH) for step in range(config.epochs * PER_EPOCH)]


def reference(config: TrainConfig, scheduler: object) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], config.lr)
    schedule = scheduler(optimizer)
    rates = []
    for _ in range(config.epochs * PER_EPOCH):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("epochs", [1, 2, 10])
@pytest.mark.parametrize("lr", [0.1, 3e-4])
def test_the_rate_follows_torchs_schedulers(epochs, lr):
    total = epochs * PER_EPOCH
    for values, scheduler in (
        ({"schedule": "constant"}, lambda o: lr_scheduler.ConstantLR(o, 1.0)),
        (
            {"schedule": "step", "step_epochs": 3, "step_gamma": 0.5},
            lambda o: lr_scheduler.StepLR(o, 3 * PER_EPOCH, 0.5),
        ),
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, total)),
        ({"schedule": "one_cycle"}, lambda o: lr_scheduler.OneCycleLR(o, lr, total, cycle_momentum=False)),
    ):
        config = parse({"epochs": epochs, "lr": lr, **values})
        assert followed(config) == pytest.approx(reference(config, scheduler), rel=1e-6, abs=1e-12), values


def test_a_warm_up_of_one_cycle_is_where_its_peak_lies():
    config = TrainConfig(schedule="one_cycle", epochs=10, warmup_epochs=2, lr=0.1)
    total = 10 * PER_EPOCH
    theirs = reference(config, lambda o: lr_scheduler.OneCycleLR(o, 0.1, total, pct_start=0.2, cycle_momentum=False))
    assert followed(config) == pytest.approx(theirs, rel=1e-6, abs=1e-12)


def test_a_warm_up_of_less_than_a_step_is_not_taken_for_none():
    config = TrainConfig(schedule="one_cycle", epochs=10, warmup_epochs=0.001, lr=0.1)
    assert followed(config)[1] == pytest.approx(0.1) == max(followed(config))


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_a_warm_up_rises_in_equal_steps_to_the_schedules_start(schedule):
    config = TrainConfig(schedule=schedule, epochs=5, warmup_epochs=2, lr=0.3)
    rates = followed(config)
    rise = [b - a for a, b in pairwise(rates[: 2 * PER_EPOCH + 1])]
    assert rates[0] > 0 and rise == pytest.approx([rates[0]] * len(rise))
    assert rates[2 * PER_EPOCH] == 0.3 == max(rates)


@pytest.mark.parametrize(
    ("values", "scheduler"),
    [
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, 5 * PER_EPOCH)),
        (
            {"schedule": "step", "step_epochs": 2, "step_gamma": 0.5},
            lambda o: lr_scheduler.StepLR(o, 2 * PER_EPOCH, 0.5),
        ),
    ],
    ids=["cosine", "step"],
)
def test_after_its_warm_up_the_schedule_is_torchs(values, scheduler):
    config = TrainConfig(**values, epochs=6, warmup_epochs=1, lr=0.3)
    theirs = reference(config, scheduler)
    assert followed(config)[PER_EPOCH:] == pytest.approx(theirs[: 5 * PER_EPOCH], rel=1e-6)


def test_a_run_of_one_step_has_a_rate():
    for schedule in ("constant", "step", "cosine", "one_cycle"):
        assert 0 < lr_at(0, TrainConfig(schedule=schedule, epochs=1, lr=0.1), 1) <= 0.1


@pytest.mark.parametrize(
    ("values", "build"),
    [
        ({"optimizer": "sgd"}, lambda w: torch.optim.SGD(w, 0.01)),
        (
            {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
            lambda w: torch.optim.SGD(w, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
        ),
        ({"optimizer": "adam", "weight_decay": 0.1}, lambda w: torch.optim.Adam(w, 0.01, weight_decay=0.1)),
        ({"optimizer": "adamw", "weight_decay": 0.1}, lambda w: torch.optim.AdamW(w, 0.01, weight_decay=0.1)),
        ({"optimizer": "adamw"}, lambda w: torch.optim.AdamW(w, 0.01, weight_decay=0.0)),
    ],
    ids=["sgd", "sgd with all", "adam", "adamw", "adamw without decay"],
)
def test_an_optimiser_steps_as_torchs_does(values, build):
    ours, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, 9)) for _ in range(2))
    pair = (make_optimizer([ours], parse({"lr": 0.01, **values})), build([theirs]))
    for step in range(20):
        for weight, optimizer in zip((ours, theirs), pair, strict=True):
            weight.grad = torch.sin(weight.detach() * 7 + step)
            optimizer.step()
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-7)
