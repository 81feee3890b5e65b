"""Plan: what a sweep searches for.

>>> Plan(TrainConfig(), ("lr=1e-4..1e-1:log",), trials=20).varied[0].name
'lr'
"""

from dataclasses import dataclass

from cnnlab.config import TrainConfig
from cnnlab.sweeps.vary import Vary, parse_vary


@dataclass(frozen=True)
class Plan:
    """What a sweep searches for: ``vary`` as on the command line, all else as in ``config``; at most ``trials``."""

    config: TrainConfig
    vary: tuple[str, ...]
    trials: int
    recipe: str | None = None

    @property
    def varied(self) -> tuple[Vary, ...]:
        """What is varied. Raises ConfigError."""
        return tuple(parse_vary(text, self.config) for text in self.vary)
