"""From raw values to a TrainConfig, and from what is wrong with them to sentences.

>>> parse({"epochs": "3"}).epochs
3
>>> parse({"epochs": 0})
Traceback (most recent call last):
cnnlab.parsing.ConfigError: epochs = 0 is not allowed: give a whole number from 1 to 1000, such as 5.
"""

from collections.abc import Collection, Mapping
from typing import Any

import annotated_types
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from cnnlab.config import ConvBlock, TrainConfig, applies, choices, limits, shown
from cnnlab.registry import did_you_mean


class ConfigError(ValueError):
    """Settings that cannot be used: a sentence for each problem, with the value, what is allowed and the fix.

    ``settings`` are those that the sentences are about, by name, where these are fields.
    """

    def __init__(self, *sentences: str, settings: Collection[str] = ()) -> None:
        super().__init__(" ".join(sentences))
        self.sentences, self.settings = sentences, frozenset(settings)


def parse(values: Mapping[str, Any]) -> TrainConfig:
    """Make a TrainConfig of raw values (strings will do); raises ConfigError, one sentence for each problem."""
    try:
        return TrainConfig.model_validate(dict(values))
    except ValidationError as error:
        found: list[dict[str, Any]] = [dict(e) for e in error.errors()]
        about = {str(e["loc"][0]) for e in found if e["loc"]}
        raise ConfigError(*dict.fromkeys(_sentence(e, values) for e in found), settings=about) from None


def adapt(base: TrainConfig, overrides: Mapping[str, Any]) -> TrainConfig:
    """``base`` with ``overrides``; what then no longer counts in the base goes back to its default.

    A recipe for SGD with momentum, say, gives up the momentum when the optimiser is overridden with Adam.
    Raises ConfigError like :func:`parse`, also for an override that has no effect itself.
    """
    values = base.model_dump() | dict(overrides)
    for name, info in TrainConfig.model_fields.items():
        if name not in overrides and not applies(name, values):
            values[name] = info.default
    if "nesterov" not in overrides and not values.get("momentum"):
        values["nesterov"] = False
    return parse(values)


def differences(config: TrainConfig, base: TrainConfig) -> dict[str, Any]:
    """The fields of ``config`` whose values differ from those of ``base``."""
    return {
        name: getattr(config, name) for name in TrainConfig.model_fields if getattr(config, name) != getattr(base, name)
    }


def _sentence(error: dict[str, Any], values: Mapping[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    if not path:
        return str(error["ctx"]["error"])
    fields = TrainConfig.model_fields
    name = path[0]
    if name not in fields:
        return f"Unknown setting '{name}'. Available: {', '.join(fields)}.{did_you_mean(name, fields)}"
    info, where, given = fields[name], name, error["input"]
    if name == "hidden":
        given = values[name]  # not one size of it alone
    if name == "blocks" and len(path) > 2:
        if path[2] not in ConvBlock.model_fields:
            known = ", ".join(ConvBlock.model_fields)
            return f"Unknown setting '{path[2]}' in block {int(path[1]) + 1}. Available: {known}."
        info, where = ConvBlock.model_fields[path[2]], f"{path[2]} of block {int(path[1]) + 1}"
    fix = "or leave it out" if info.default is None else f"such as {shown(info.default)}"
    return f"{where} = {shown(given)} is not allowed: give {allowed(name, info)}, {fix}."


def allowed(name: str, info: FieldInfo) -> str:
    """What the field ``name`` takes, in words, such as ``a whole number from 1 to 1000``."""
    if options := choices(info):
        return "one of " + ", ".join(options)
    kind = str(info.annotation)
    if "bool" in kind:
        return "true or false"
    if "tuple" in kind:
        most = next(rule.max_length for rule in info.metadata if isinstance(rule, annotated_types.MaxLen))
        if name == "blocks":
            return f"a JSON list of up to {most} blocks"
        return f"up to {most} whole numbers from 1 to 65536, separated by commas"
    low, high = limits(info)
    if low is None:
        return "a name"
    above = any(isinstance(rule, annotated_types.Gt) for rule in info.metadata)
    below = any(isinstance(rule, annotated_types.Lt) for rule in info.metadata)
    number = "a whole number" if "int" in kind and "float" not in kind else "a number"
    until = "and below" if below else "and up to" if above else "to"
    return f"{number} {'above' if above else 'from'} {low:g} {until} {high:.10g}"
