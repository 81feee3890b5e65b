"""Which values of a hyperparameter a sweep tries.

>>> parse_vary("lr=1e-4..1e-1:log", TrainConfig())
Vary(name='lr', choices=(), low=0.0001, high=0.1, whole=False, log=True)
>>> parse_vary("batch_size=32,64,128", TrainConfig()).choices
(32, 64, 128)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from cnnlab.config import TrainConfig, applies, condition, shown
from cnnlab.parsing import ConfigError, adapt
from cnnlab.registry import did_you_mean

JUDGES = ("dataset", "validation_fraction", "seed")
"""They decide by which images a trial is judged; only what is judged by the same can be compared."""
FORMS = "give NAME=A,B,C or NAME=LOW..HIGH, with :log at the end for a log scale"


@dataclass(frozen=True)
class Vary:
    """The values of the setting ``name``: ``choices``, or else all from ``low`` to ``high`` (only whole ones)."""

    name: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The choices, or the two ends: if these are allowed, so is what lies between."""
        return self.choices or (self.low, self.high)

    @property
    def text(self) -> str:
        """What :func:`parse_vary` reads this from."""
        if self.choices:
            return f"{self.name}=" + ",".join(shown(choice) for choice in self.choices)
        return f"{self.name}={shown(self.low)}..{shown(self.high)}" + (":log" if self.log else "")


def parse_vary(text: str, base: TrainConfig) -> Vary:
    """Read ``NAME=A,B,C`` or ``NAME=LOW..HIGH[:log]``, values with which ``base`` can be overridden.

    Raises ConfigError with what is wrong and what is allowed.
    """
    name, sign, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not sign or not values.strip():
        raise ConfigError(f"--vary {text} is not allowed: {FORMS}.")
    if name not in TrainConfig.model_fields:
        known = TrainConfig.model_fields
        raise ConfigError(f"Unknown setting '{name}'. Available: {', '.join(known)}.{did_you_mean(name, known)}")
    if isinstance(TrainConfig.model_fields[name].default, tuple):
        raise ConfigError(f"{name} cannot be varied, for it is a list: begin a sweep for each.")
    if name in JUDGES:
        raise ConfigError(f"{name} cannot be varied: with another, trials would be judged by other validation images.")
    if ".." in values:
        return _range(name, values, text, base)
    return Vary(name, choices=tuple(_value(name, value.strip(), base) for value in values.split(",")))


def _range(name: str, values: str, text: str, base: TrainConfig) -> Vary:
    bounds, _, scale = values.partition(":")
    low, high = (_value(name, bound.strip(), base) for bound in bounds.split("..", 1))
    numbers = all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (low, high))
    if not numbers or low >= high or scale not in ("", "log"):
        raise ConfigError(f"--vary {text} is not allowed: {FORMS}, LOW below HIGH.")
    if scale == "log" and low <= 0:
        raise ConfigError(f"--vary {text} is not allowed: powers begin above 0, so give a LOW such as 0.001.")
    return Vary(name, low=low, high=high, whole=isinstance(low, int) and isinstance(high, int), log=scale == "log")


def _value(name: str, text: str, base: TrainConfig) -> Any:
    """``text`` as the setting's own type, in its range, also where the setting does not count with ``base``."""
    needed = {} if applies(name, base.model_dump()) else {condition(name)[0]: condition(name)[1]}
    return getattr(adapt(base, {**needed, name: text}), name)


def combinations(base: TrainConfig, varied: Sequence[Vary]) -> Iterator[dict[str, Any]]:
    """All that ``varied`` allows, without ranges of other than whole numbers; what does not count is left out."""
    values = [setting.choices or range(int(setting.low), int(setting.high) + 1) for setting in varied]
    seen: list[dict[str, Any]] = []
    for chosen in product(*values):
        settings = dict(zip((setting.name for setting in varied), chosen, strict=True))
        counting = {name: value for name, value in settings.items() if applies(name, base.model_dump() | settings)}
        if counting == settings:
            yield settings
        elif counting not in seen:
            seen.append(counting)
            yield counting
