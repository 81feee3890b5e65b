"""Which settings are worth varying, and over which values, seen from the settings that one has.

>>> suggestion("lr", TrainConfig(lr=0.003)).text
'lr=0.0003..0.03:log'
>>> suggestion("batch_size", TrainConfig(batch_size=64)).text
'batch_size=32,64,128'
"""

from typing import Any

from cnnlab.config import TrainConfig, applies, choices, condition, limits
from cnnlab.models import MODELS
from cnnlab.sweeps.vary import Vary

RANGES: dict[str, tuple[float, float, bool]] = {
    "dropout": (0.0, 0.5, False),
    "momentum": (0.5, 0.99, False),
    "weight_decay": (1e-5, 0.1, True),
    "grad_clip": (0.1, 10.0, True),
    "step_gamma": (0.1, 0.5, False),
    "label_smoothing": (0.0, 0.2, False),
    "augment_rotation": (0.0, 20.0, False),
}
"""Setting -> lowest, highest, on a log scale: ranges that do not depend on the value that one has."""
WHOLE: dict[str, tuple[int, int]] = {"augment_shift": (0, 4), "augment_erase": (0, 8), "step_epochs": (1, 10)}
"""Setting -> lowest and highest whole number."""
VARIABLE = (
    "lr", "batch_size", "epochs", "optimizer", "momentum", "weight_decay", "grad_clip", "schedule",
    "warmup_epochs", "step_epochs", "step_gamma", "model", "dropout", "label_smoothing", "augment_shift",
    "augment_flip", "augment_rotation", "augment_erase", "scaling",
)  # fmt: skip
"""What changes how well a network learns; the images to judge by and the machine stay the same."""


def variable(config: TrainConfig, chosen: tuple[str, ...] = ()) -> list[str]:
    """The settings that can be varied: those that count with ``config`` or with another that is varied, ``chosen``."""
    values = config.model_dump()
    return [name for name in VARIABLE if applies(name, values) or condition(name)[0] in chosen]


def suggestion(name: str, config: TrainConfig) -> Vary:
    """Values of the setting ``name`` (of VARIABLE) to try around what ``config`` has."""
    if options := _options(name, config):
        return Vary(name, choices=options)
    if name in WHOLE:
        return Vary(name, low=WHOLE[name][0], high=WHOLE[name][1], whole=True)
    value = getattr(config, name)
    if name in RANGES and not (value and RANGES[name][2]):
        low, high, log = RANGES[name]
        return Vary(name, low=low, high=high, log=log)
    if name == "warmup_epochs":
        return Vary(name, low=0.0, high=min(5.0, config.epochs / 2))
    least, most = limits(TrainConfig.model_fields[name])
    low, high = max(value / 10, least or 0.0), min(value * 10, most or value * 10)
    return Vary(name, low=float(f"{low:.3g}"), high=float(f"{high:.3g}"), log=True)


def _options(name: str, config: TrainConfig) -> tuple[Any, ...]:
    info = TrainConfig.model_fields[name]
    value = getattr(config, name)
    if info.annotation is bool:
        return (False, True)
    if name == "model":
        return (value, next(other for other in MODELS if other != value))
    if name in ("batch_size", "epochs"):
        least, most = limits(info)
        return tuple(dict.fromkeys(int(min(max(value * factor, least or 1), most or value)) for factor in (0.5, 1, 2)))
    return choices(info)
