"""What a trained run says about one image file.

>>> predict(checkpoint, network, Path("seven.png"), top=1)               # doctest: +SKIP
[Answer(name='7', probability=0.998)]
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from cnnlab.checkpoints import Checkpoint
from cnnlab.datasets.folder import decode
from cnnlab.engine import infer


@dataclass(frozen=True)
class Answer:
    """A class and how probable the network finds it, in [0, 1]."""

    name: str
    probability: float


def predict(checkpoint: Checkpoint, network: nn.Module, path: Path, top: int) -> list[Answer]:
    """The ``top`` most probable classes of the image in ``path``, the most probable first.

    The image is made what the network was trained on: upright, grey or colour, square, resized and scaled. Raises
    UnreadableImage with the reason where ``path`` is no image.
    """
    pixels = decode(path, checkpoint.image_size, color=checkpoint.in_channels == 3)
    logits = infer(network, torch.from_numpy(pixels).unsqueeze(0), checkpoint.config, checkpoint.scaling)
    best = torch.softmax(logits[0].double(), 0).sort(descending=True)
    ranked = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Answer(checkpoint.class_names[label], share) for label, share in ranked][:top]
