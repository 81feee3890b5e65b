"""The optimiser that a TrainConfig asks for, and its learning rate at every step.

>>> lr_at(0, TrainConfig(lr=0.1), steps_per_epoch=10)
0.1
"""

import inspect
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import Parameter

from cnnlab.config import TrainConfig

ONE_CYCLE_RISE = 0.3  # share of the run; this and the next two are OneCycleLR's own defaults
ONE_CYCLE_START = 1 / 25  # of the peak
ONE_CYCLE_END = 1 / 25 / 1e4  # of the peak

WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def _bare(kind: type[torch.optim.Optimizer]) -> type[Any]:
    """``kind`` without torch.compile's wrappers, which import a compiler at the first call: a second of each start.

    Nor does each step look for hooks and a profiler, which takes some 10 µs; a perceptron's whole step takes 450.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    step: Any = torch.no_grad()(inspect.unwrap(kind.step))
    step.hooked = True  # else the optimiser wraps it
    return type(kind.__name__, (kind,), {**methods, "step": step})


SGD, Adam, AdamW = map(_bare, (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW))


def make_optimizer(parameters: Iterable[Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW with the settings of ``config``, fused: one pass over the weights for each step."""
    weights = list(parameters)
    made: torch.optim.Optimizer
    if config.optimizer == "sgd":
        made = SGD(
            weights, config.lr, config.momentum, weight_decay=config.weight_decay, nesterov=config.nesterov, fused=True
        )
    else:
        kind = Adam if config.optimizer == "adam" else AdamW
        made = kind(weights, config.lr, weight_decay=config.weight_decay, fused=True)
    return made


def lr_at(step: int, config: TrainConfig, steps_per_epoch: int) -> float:
    """The learning rate of step ``step`` (from 0 on): a function of the step alone, so nothing need be remembered.

    step, cosine: as torch's StepLR and CosineAnnealingLR, after a linear warm-up. one_cycle: Smith and Topin,
    Super-convergence, 2018, as torch's OneCycleLR with its defaults: cosine up, then cosine down.
    """
    total = config.epochs * steps_per_epoch
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if config.schedule == "one_cycle":
        return config.lr * _one_cycle(step, total, max(2, warmup) if config.warmup_epochs else ONE_CYCLE_RISE * total)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    if config.schedule == "cosine":
        return config.lr * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup))) / 2
    if config.schedule == "step":
        return config.lr * config.step_gamma ** ((step - warmup) // (config.step_epochs * steps_per_epoch))
    return config.lr


def _one_cycle(step: int, total: int, rise: float) -> float:
    top = max(rise - 1, 1e-9)  # the step of the peak
    if step <= top:
        return _between(ONE_CYCLE_START, 1.0, step / top)
    return _between(1.0, ONE_CYCLE_END, (step - top) / max(total - 1 - top, 1e-9))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
