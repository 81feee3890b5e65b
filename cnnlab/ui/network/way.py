"""An image's way through the page's network, with its initial weights or those of the run."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from torch import Tensor, nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.explain.activations import IMAGE, Layer, activations
from cnnlab.loader import Scaling
from cnnlab.seeding import seeded
from cnnlab.ui import cache
from cnnlab.ui.network.choice import Subject

SIDES = ("Untrained", "Trained")


@dataclass(frozen=True)
class Way:
    """``inputs`` float32 [1, C, H, W], the image as scaled, and all layers' outputs; ``side`` is one of SIDES."""

    side: str
    scaling: Scaling
    inputs: Tensor
    layers: list[Layer]

    def output(self, index: int) -> Tensor:
        """What the layer at ``index``, or IMAGE, gives: [C, H, W]; a feature counts as a channel of one pixel."""
        values = self.inputs[0] if index == IMAGE else self.layers[index].output[0]
        return values if values.dim() == 3 else values[:, None, None]


def way_through(side: str, subject: Subject, pixels: Tensor, scaling: Scaling) -> Way:
    """The way of ``pixels`` (uint8 [1, C, H, W]); a trained network scales them as it was trained."""
    if side == "Trained" and subject.run is not None:
        changed = subject.run.checkpoint_time(subject.checkpoint)
        network, scaling = _trained(subject.run.path, subject.checkpoint, changed)
    else:
        network = _untrained(subject.config.model_dump_json(), subject.shape)
    inputs = scaling(pixels)
    return Way(side, scaling, inputs, activations(network, inputs))


@st.cache_resource(max_entries=4, show_spinner="Building the network …")
def _trained(run: Path, checkpoint: str, changed: int) -> tuple[nn.Module, Scaling]:
    """The network on the CPU, wherever the predictor has its own: all that is worked out by hand is computed there."""
    saved = cache.predictor(run, checkpoint, changed).checkpoint
    return saved.network(), saved.scaling


@st.cache_resource(max_entries=4, show_spinner="Building the network …")
def _untrained(settings: str, shape: models.Shape) -> nn.Module:
    config = TrainConfig.model_validate_json(settings)
    with seeded(config.seed):
        return models.build(config, *shape).eval()
