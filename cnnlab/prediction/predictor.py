"""A trained run that answers: pictures in, classes with their probabilities out.

>>> predictor = load_predictor(find_run("my_run", runs_dir()))            # doctest: +SKIP
>>> predictor.answer(open_picture(Path("seven.png"))).top(1)              # doctest: +SKIP
[Share(name='7', probability=0.998, confidence=0.991)]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor, nn

from cnnlab.checkpoints import Checkpoint, load_trained
from cnnlab.inference import infer, pick_device
from cnnlab.loader import Scaling
from cnnlab.prediction.preprocess import Prepared, prepare
from cnnlab.prediction.temperature import Calibration
from cnnlab.runs import Run

UNCALIBRATED = Calibration(1.0, 0)


@dataclass(frozen=True)
class Share:
    """A class, how probable the network finds it, and how sure that is once calibrated, both in [0, 1]."""

    name: str
    probability: float
    confidence: float


@dataclass(frozen=True)
class Answer:
    """What a network says to one picture: ``probabilities`` and ``confidences`` float64 [K], each summing to 1."""

    class_names: tuple[str, ...]
    probabilities: Tensor
    confidences: Tensor

    @property
    def label(self) -> int:
        """The most probable class."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """How sure the answer is, calibrated, in [0, 1]."""
        return float(self.confidences[self.label])

    def top(self, count: int) -> list[Share]:
        """The ``count`` most probable classes, the most probable first."""
        order = self.probabilities.argsort(descending=True, stable=True)[:count].tolist()
        return [Share(self.class_names[c], float(self.probabilities[c]), float(self.confidences[c])) for c in order]


@dataclass(frozen=True)
class Predictor:
    """The network of a run's checkpoint, ready to answer; it is never changed, so that threads may share it."""

    run: Run
    name: str
    checkpoint: Checkpoint
    network: nn.Module
    calibration: Calibration = field(default=UNCALIBRATED)

    def answer(self, picture: Image.Image, switched: Mapping[str, bool] | None = None) -> Answer:
        """The Answer to ``picture`` (mode L or RGB) through the page's own preprocessing."""
        return self.answer_prepared(prepare(picture, self.checkpoint, switched))

    def answer_prepared(self, prepared: Prepared) -> Answer:
        """The Answer to a picture that is made ready already."""
        return self.answers(prepared.pixels[None], prepared.scaling)[0]

    def answers(self, images: Tensor, scaling: Scaling | None = None) -> list[Answer]:
        """An Answer to each of ``images`` (uint8 [N, C, H, W]), by default scaled as in training.

        Raises ValueError for images of another type or shape.
        """
        if not len(images):
            return []
        saved = self.checkpoint
        wanted = [saved.in_channels, saved.image_size, saved.image_size]
        if images.dtype != torch.uint8 or list(images.shape[1:]) != wanted:
            given, sizes = str(images.dtype).removeprefix("torch."), ", ".join(map(str, wanted))
            raise ValueError(f"Images of {given} {list(images.shape)} are not allowed: give uint8 [N, {sizes}].")
        logits = infer(self.network, images, saved.config, scaling or saved.scaling).cpu().double()
        plain, calm = torch.softmax(logits, 1), torch.softmax(logits / self.calibration.temperature, 1)
        return [Answer(self.checkpoint.class_names, p, c) for p, c in zip(plain, calm, strict=True)]


def load_predictor(run: Run, checkpoint: str | None = None, calibration: Calibration = UNCALIBRATED) -> Predictor:
    """The Predictor of a run's checkpoint (by default best, else last).

    Raises RunError where there is none, CheckpointError where it cannot be used.
    """
    name, saved = load_trained(run, checkpoint)
    return Predictor(run, name, saved, saved.network().to(pick_device("auto")), calibration)
