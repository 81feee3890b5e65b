"""A trained network as one file that needs PyTorch alone, not the lab: pixels in, calibrated probabilities out.

>>> export_network(load_predictor(run), Path("model.pt2"))                # doctest: +SKIP
>>> network = torch.export.load("model.pt2").module()                     # doctest: +SKIP
>>> network(torch.zeros(5, 1, 28, 28, dtype=torch.uint8)).shape           # doctest: +SKIP
torch.Size([5, 10])

What it takes is what a run learns from: pixels of the right size. What the Predict page does to a picture before
(:mod:`cnnlab.prediction.preprocess`) is not in the file.
"""

import copy
import io
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnlab.config import TrainConfig
from cnnlab.datasets import FOLDER_PREFIX
from cnnlab.explain.script_data import picture_function
from cnnlab.inference import autocast
from cnnlab.paths import written_whole
from cnnlab.prediction.predictor import Predictor

FACTS = "cnnlab.json"  # the name in the file under which the facts are
EXAMPLE = 2  # images to trace with: of one alone, PyTorch would take for granted that there is never another


class ExportError(Exception):
    """A network that was not written; the message is one sentence that says why."""


class Exported(nn.Module):
    """The network of ``predictor`` with what surrounds it, on the CPU: uint8 [N, C, H, W] -> float32 [N, K].

    The rows are probabilities, calibrated: softmax(logits / temperature).
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        scale, shift = predictor.checkpoint.scaling.factors()
        self.register_buffer("scale", torch.tensor(scale).view(1, -1, 1, 1))
        self.register_buffer("shift", torch.tensor(shift).view(1, -1, 1, 1))
        network = copy.deepcopy(predictor.network)  # weights in channels-last order would not be saved as they are
        self.network = network.cpu().to(memory_format=torch.contiguous_format)
        self.temperature, self.config = predictor.calibration.temperature, predictor.checkpoint.config
        self.eval().requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        inputs = pixels.float() * self.scale + self.shift
        with autocast(torch.device("cpu"), self.config):
            logits = self.network(inputs).float()
        return torch.softmax(logits / self.temperature, 1)


def export_network(predictor: Predictor, path: Path) -> None:
    """Write the network of ``predictor`` to ``path``, which ends in ``.pt2``: the whole file or none.

    ``torch.export.load(path, extra_files={FACTS: ""}).module()(pixels)`` gives the probabilities, float32 [N, K], of
    any number of images, uint8 [N, C, H, W]; it imports torch alone. See :func:`facts_of` for the ``extra_files``.
    PyTorch changes nn.Module for all threads while it traces: no other one should call a network then. Raises
    ExportError where it cannot be written.
    """
    shape = shape_of(predictor)
    pixels = torch.zeros(EXAMPLE, *shape, dtype=torch.uint8)
    several = {"pixels": {0: torch.export.Dim("batch")}}
    program = torch.export.export(Exported(predictor), (pixels,), dynamic_shapes=several)
    file = io.BytesIO()  # in memory first: where a disk is full, save() would end the whole process
    torch.export.save(program, file, extra_files={FACTS: json.dumps(facts_of(predictor), ensure_ascii=False)})
    try:
        with written_whole(path) as part:
            part.write_bytes(file.getbuffer())
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error


def shape_of(predictor: Predictor) -> tuple[int, int, int]:
    """(C, H, W) of an image that the network takes."""
    saved = predictor.checkpoint
    return saved.in_channels, saved.image_size, saved.image_size


def facts_of(predictor: Predictor) -> dict[str, object]:
    """What a reader of the file needs to know: classes in the order of the probabilities, and where they come from."""
    return {
        "run": predictor.run.name,
        "checkpoint": predictor.name,
        "class_names": predictor.checkpoint.class_names,
        "input_shape": shape_of(predictor),
        "temperature": predictor.calibration.temperature,
    }


def usage(file: str, config: TrainConfig) -> str:
    """The lines of Python that load ``file`` and use it; ``pixels`` are the caller's own.

    Where ``config`` has trained on a person's files, they also make pixels of one.
    """
    return (
        "import json\n\nimport torch\n"
        + (_pixels_of(config) if config.dataset.startswith(FOLDER_PREFIX) else "\n")
        + f'facts = {{"{FACTS}": ""}}  # gets the class names and more, as JSON\n'
        f"network = torch.export.load({json.dumps(file, ensure_ascii=False)}, extra_files=facts).module()\n"
        "probabilities = network(pixels)  # uint8 [N, C, H, W] -> float32 [N, classes]\n"
        f'names = json.loads(facts["{FACTS}"])["class_names"]\n'
        "print([names[label] for label in probabilities.argmax(1).tolist()])"
    )


def _pixels_of(config: TrainConfig) -> str:
    return (
        "from PIL import Image, ImageOps  # this and torchvision read the picture: the network needs PyTorch alone\n"
        "from torch import Tensor\nfrom torchvision.transforms.functional import pil_to_tensor\n\n\n"
        f"{picture_function(config.image_size, config.color)}\n\n"
        'pixels = picture("picture.jpg")[None]\n'
    )
