"""How a network sees images: what its last features and the channels of all its convolutions answer, in one pass.

>>> look(predictor, dataset.test.images[:5]).features.shape               # doctest: +SKIP
torch.Size([5, 64])
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab.datasets.view import Images
from cnnlab.explain.activations import twin_of
from cnnlab.inference import infer
from cnnlab.loader import Scaling
from cnnlab.prediction.predictor import Predictor

CHANNELS = 256  # of all convolutions, evenly spread: the covariance of 512 numbers takes 1 MB


@dataclass(frozen=True)
class Look:
    """How a network sees N images: its last ``features`` [N, D]; ``channels`` [N, S], S even and at most 2 CHANNELS,
    the mean and deviation over the image of channels of its convolutions (S is 0 where it has none); float32."""

    features: Tensor
    channels: Tensor


def look(predictor: Predictor, images: Images, scaling: Scaling | None = None) -> Look:
    """How the network sees ``images`` (uint8 [N, C, H, W]), by default scaled as in training."""
    saved, twin = predictor.checkpoint, twin_of(predictor.network)
    features: list[Tensor] = []
    channels: list[Tensor] = []
    heard: list[Tensor] = []

    def hear(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        heard.append(torch.stack((output.mean((2, 3)), output.std((2, 3), correction=0)), 2).float().cpu())

    def end(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        every = torch.cat(heard or [torch.zeros(len(output), 0, 2)], 1)
        count = every.shape[1]
        channels.append(every[:, torch.linspace(0, max(0, count - 1), min(count, CHANNELS)).long()].flatten(1))
        heard.clear()

    linear = [part for part in twin.modules() if isinstance(part, nn.Linear)][-1]
    linear.register_forward_pre_hook(lambda part, inputs: features.append(inputs[0].flatten(1).float().cpu()))
    for part in twin.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(hear)
    twin.register_forward_hook(end)
    with torch.inference_mode():
        infer(twin, images, saved.config, scaling or saved.scaling)
        return Look(torch.cat(features), torch.cat(channels))
