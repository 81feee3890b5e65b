"""The optimiser's arithmetic for one weight, line by line, with the numbers put in.

>>> from cnnlab.config import TrainConfig
>>> lines = update_lines(TrainConfig(optimizer="sgd", lr=0.1), weight=0.5, gradient=2.0, lr=0.1)
>>> print(lines[-1].symbols, "|", lines[-1].numbers, "=", lines[-1].value)
w ← w − lr·g | 0.5 − 0.1·2 = 0.3

Sources: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, as torch's SGD does
it; Kingma and Ba, Adam, 2015; Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.config import TrainConfig
from cnnlab.explain.numbers import inside, shown

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # torch's defaults, which the lab keeps


@dataclass(frozen=True)
class Line:
    """One line of the arithmetic: in letters, with the numbers put in, and what comes out."""

    symbols: str
    numbers: str
    value: float
    meaning: str


def update_lines(
    config: TrainConfig,
    weight: float,
    gradient: float,
    lr: float,
    state: Mapping[str, float] | None = None,
    clip: float = 1.0,
) -> list[Line]:
    """What the optimiser of ``config`` does to ``weight``; the last line's value is the new weight.

    ``state`` is what it remembered before, by torch's names (momentum_buffer; exp_avg, exp_avg_sq, step), empty at the
    first step; ``clip`` is the factor of gradient clipping.
    """
    lines: list[Line] = []
    if clip != 1.0:
        lines.append(
            Line("g ← c·g", f"{shown(clip)}·{inside(gradient)}", clip * gradient, "gradient clipping shortens it")
        )
        gradient *= clip
    kind = _sgd if config.optimizer == "sgd" else _adam
    return lines + kind(config, weight, gradient, lr, state or {})


def constants(config: TrainConfig) -> str:
    """What the other letters in the lines stand for, with their values; empty where there are none."""
    said = [f"λ = {shown(config.weight_decay)}: weight decay"] if config.weight_decay else []
    if config.optimizer != "sgd":
        said = [f"β₁ = {BETA1}", f"β₂ = {BETA2}", f"ε = {shown(EPSILON)}", *said]
    elif config.momentum:
        said = [f"μ = {shown(config.momentum)}: momentum", *said]
    return ", ".join(said)


def _decayed(config: TrainConfig, weight: float, gradient: float) -> list[Line]:
    if not config.weight_decay:
        return []
    numbers = f"{inside(gradient)} + {shown(config.weight_decay)}·{inside(weight)}"
    value = gradient + config.weight_decay * weight
    return [Line("g ← g + λ·w", numbers, value, "weight decay pulls the weight towards 0")]


def _sgd(config: TrainConfig, w: float, g: float, lr: float, state: Mapping[str, float]) -> list[Line]:
    lines = _decayed(config, w, g)
    g = lines[-1].value if lines else g
    direction, name = g, "g"
    if config.momentum:
        mu, kept = config.momentum, state.get("momentum_buffer")
        if kept is None:
            lines.append(Line("v ← g", shown(g), g, "the first step has no momentum yet"))
        else:
            numbers = f"{shown(mu)}·{inside(kept)} + {inside(g)}"
            lines.append(Line("v ← μ·v + g", numbers, mu * kept + g, "momentum: part of the last step goes on"))
        direction, name = lines[-1].value, "v"
        if config.nesterov:
            numbers = f"{inside(g)} + {shown(mu)}·{inside(direction)}"
            lines.append(Line("d ← g + μ·v", numbers, g + mu * direction, "Nesterov looks ahead along the momentum"))
            direction, name = lines[-1].value, "d"
    numbers = f"{inside(w)} − {shown(lr)}·{inside(direction)}"
    return [*lines, Line(f"w ← w − lr·{name}", numbers, w - lr * direction, "the step, against the slope")]


def _adam(config: TrainConfig, w: float, g: float, lr: float, state: Mapping[str, float]) -> list[Line]:
    lines: list[Line] = []
    if config.optimizer == "adamw" and config.weight_decay:
        decay = config.weight_decay
        numbers = f"{inside(w)} − {shown(lr)}·{shown(decay)}·{inside(w)}"
        lines.append(Line("w ← w − lr·λ·w", numbers, w - lr * decay * w, "weight decay, apart from the gradient"))
        w = lines[-1].value
    elif config.weight_decay:
        lines += _decayed(config, w, g)
        g = lines[-1].value
    t = int(state.get("step", 0)) + 1
    m0, v0 = state.get("exp_avg", 0.0), state.get("exp_avg_sq", 0.0)
    m, v = BETA1 * m0 + (1 - BETA1) * g, BETA2 * v0 + (1 - BETA2) * g * g
    m_hat, v_hat = m / (1 - BETA1**t), v / (1 - BETA2**t)
    new = w - lr * m_hat / (math.sqrt(v_hat) + EPSILON)
    return [
        *lines,
        Line("m ← β₁·m + (1 − β₁)·g", f"0.9·{inside(m0)} + 0.1·{inside(g)}", m, "a moving mean of the gradient"),
        Line("v ← β₂·v + (1 − β₂)·g²", f"0.999·{inside(v0)} + 0.001·{inside(g)}²", v, "and of its square"),
        Line("m̂ = m/(1 − β₁ᵗ)", f"{inside(m)}/(1 − 0.9^{t})", m_hat, "m began at 0: this makes up for it"),
        Line("v̂ = v/(1 − β₂ᵗ)", f"{inside(v)}/(1 − 0.999^{t})", v_hat, "and so did v"),
        Line(
            "w ← w − lr·m̂/(√v̂ + ε)", f"{inside(w)} − {shown(lr)}·{inside(m_hat)}/(√{inside(v_hat)} + 1e−8)", new,
            "a step of about lr, whatever the gradient's size",
        ),
    ]  # fmt: skip
