"""Checkpoints as safetensors: weights, and in ``last`` the optimiser's state; facts as JSON in the file's header.

>>> saved = read_checkpoint(run.checkpoint_path("last"))           # doctest: +SKIP
>>> saved.step, saved.class_names                                  # doctest: +SKIP
(938, ('0', '1', '2', …))

Random state needs no place in them: what is drawn depends on (seed, epoch, step) alone.
"""

import hashlib
import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.engine import COUNTERS, TrainState
from cnnlab.loader import Scaling, scaling_of
from cnnlab.parsing import ConfigError, parse
from cnnlab.paths import written_whole
from cnnlab.runs import Run, RunError

MODEL, OPTIMIZER = "model.", "optimizer."


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds: all that rebuilds its network and reads its answers."""

    config: TrainConfig
    class_names: tuple[str, ...]
    in_channels: int
    image_size: int
    scaling: Scaling
    counters: dict[str, Any]
    tensors: dict[str, Tensor]
    path: Path | None = None  # of the file

    @property
    def shape(self) -> models.Shape:
        """What its network is built from."""
        return self.in_channels, self.image_size, len(self.class_names)

    @property
    def step(self) -> int:
        """After which step it was saved."""
        return int(self.counters["step"])

    def network(self) -> nn.Module:
        """The trained network, set to evaluation, on the CPU; raises CheckpointError if weights and network differ."""
        model = models.unfilled(self.config, *self.shape)
        _load_weights(model, self)
        return model.to(memory_format=torch.channels_last).eval()


def save_checkpoint(path: Path, state: TrainState, dataset: ImageDataset, config: TrainConfig, optimizer: bool) -> None:
    """Write ``state`` to ``path``, with the optimiser's state if ``optimizer``: the old file or the new.

    Raises OSError where there is no room, say.
    """
    tensors = {MODEL + name: value for name, value in state.model.state_dict().items()}
    if optimizer:
        for number, values in state.optimizer.state_dict()["state"].items():
            tensors |= {f"{OPTIMIZER}{number}.{key}": value for key, value in values.items() if value is not None}
    facts = {
        "config": config.model_dump(mode="json"),
        "class_names": dataset.class_names,
        "in_channels": dataset.in_channels,
        "image_size": dataset.image_size,
        "scaling": vars(scaling_of(config, dataset)),
        "counters": {name: getattr(state, name) for name in COUNTERS},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        with written_whole(path) as part:
            save_file(whole, part, {"cnnlab": json.dumps(facts)})
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written ({error})") from error


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in ``path``; raises CheckpointError where it is missing, cut short or of another kind."""
    try:
        path.open("rb").close()  # safetensors takes one that it may not read for one that is not there
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["cnnlab"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        scaling = Scaling(tuple(facts["scaling"]["mean"]), tuple(facts["scaling"]["std"]))
        names = tuple(facts["class_names"])
        config = parse(facts["config"])
        shape = facts["in_channels"], facts["image_size"]
        counters = {name: facts["counters"][name] for name in COUNTERS}
        return Checkpoint(config, names, *shape, scaling, counters, tensors, path)
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint {path}: the run saved none yet.") from None
    except PermissionError:
        raise CheckpointError(f"The checkpoint {path} cannot be read: look at its permissions.") from None
    except (OSError, SafetensorError, ConfigError) as error:
        raise CheckpointError(
            f"The checkpoint {path} cannot be read ({error}): it is damaged or not of cnnlab."
        ) from error
    except (KeyError, TypeError, ValueError) as error:  # their words are Python's
        raise CheckpointError(f"The checkpoint {path} cannot be read: it is damaged or not of cnnlab.") from error


def load_trained(run: Run, name: str | None = None) -> tuple[str, Checkpoint]:
    """The checkpoint ``name`` of ``run`` (by default best, else last) with its name.

    Raises RunError where there is none, CheckpointError where it cannot be read.
    """
    chosen = name or run.chosen_checkpoint()
    if chosen is None:
        raise RunError(f"{run.name} has no checkpoint yet: wait for its first epoch, or resume it.")
    return chosen, read_checkpoint(run.checkpoint_path(chosen))


def checkpoint_mark(run: Run, name: str) -> str:
    """What tells the checkpoint ``name`` of ``run`` from any other, wherever the folder is copied to.

    It is of all facts in the file, such as the seconds that its training took; "" where they cannot be read.
    """
    try:
        with safe_open(run.checkpoint_path(name), framework="pt") as file:
            return hashlib.sha256(file.metadata()["cnnlab"].encode()).hexdigest()[:20]
    except (OSError, SafetensorError, KeyError, TypeError):
        return ""


def restore(state: TrainState, saved: Checkpoint) -> None:
    """Bring ``state`` (fresh, of the same config) to where ``saved`` was; raises CheckpointError if they don't fit."""
    _load_weights(state.model, saved)
    for number, weight in enumerate(state.optimizer.param_groups[0]["params"]):
        prefix = f"{OPTIMIZER}{number}."
        state.optimizer.state[weight] = {
            key.removeprefix(prefix): _like(value, weight)
            for key, value in saved.tensors.items()
            if key.startswith(prefix)
        }
    for name in COUNTERS:
        setattr(state, name, saved.counters[name])


def _like(value: Tensor, weight: Tensor) -> Tensor:
    """``value`` on the weight's device, and in its memory order where it has its shape: fused optimisers need both."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value.to(weight.device)


def _load_weights(model: nn.Module, saved: Checkpoint) -> None:
    weights = {key.removeprefix(MODEL): value for key, value in saved.tensors.items() if key.startswith(MODEL)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        first = textwrap.shorten(str(error).splitlines()[-1], 100, placeholder=" …")  # it names every weight
        raise CheckpointError(f"The checkpoint {saved.path} is of another network ({first}).") from error
