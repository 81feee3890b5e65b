"""How sure a network should say it is: one temperature, fitted on validation images and kept with the run.

>>> calibration = calibrate(find_run("my_run", runs_dir()), "best")       # doctest: +SKIP
>>> calibration.temperature                                               # doctest: +SKIP
1.31

Dividing the logits by it changes no answer, only the confidence. Guo et al., On calibration of modern neural networks,
2017, section 4.2.
"""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cnnlab import datasets
from cnnlab.checkpoints import checkpoint_mark
from cnnlab.config import TrainConfig
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.evaluation.calibration import calibration_error, reliability
from cnnlab.evaluation.evaluate import evaluate, have_changed
from cnnlab.paths import write_whole
from cnnlab.runs import Run

COLDEST, HOTTEST = 0.05, 20.0
HALVINGS = 30  # of the range of log T, which is 6: to eight digits
FORMAT = 3  # raise it when what is kept changes


@dataclass(frozen=True)
class Calibration:
    """A temperature above 0, the number of validation images behind it, and the calibration error without and with it.

    Without validation images the temperature is 1, ``images`` 0, and ``why`` says so.
    """

    temperature: float
    images: int
    error_before: float | None = None
    error_after: float | None = None
    why: str = ""


def calibrate(
    run: Run, checkpoint: str, load: Callable[[TrainConfig], ImageDataset] = datasets.load_if_here
) -> Calibration:
    """The Calibration of a run's checkpoint, kept in the run folder for the next time.

    Where there are no validation images, or not on this machine, it is no calibration, with the reason; that is not
    kept. Raises RunError or CheckpointError.
    """
    mark = f"{FORMAT} {checkpoint_mark(run, checkpoint)}"
    kept = run.calibration_path(checkpoint)
    try:
        found = json.loads(kept.read_text("utf-8"))
        if found.pop("mark") == mark:
            return Calibration(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # none kept yet, or a damaged one: it is made anew
    try:
        answers = evaluate(run, "val", checkpoint, load=load)
    except DatasetError as error:
        without = run.facts().get("images", {}).get("val") == 0
        return Calibration(1.0, 0, why="It was trained without validation images." if without else str(error))
    if have_changed(run, answers.version):
        return Calibration(1.0, 0, why="Its images have changed since it was trained: some may not be new to it.")
    calibration = fitted(torch.from_numpy(answers.log_probabilities), torch.from_numpy(answers.labels))
    with suppress(OSError):  # else it is made anew
        write_whole(kept, json.dumps({"mark": mark, **asdict(calibration)}).encode())
    return calibration


def fitted(log_probabilities: Tensor, labels: Tensor) -> Calibration:
    """The Calibration for answers (``log_probabilities`` float [N, K]) to images of ``labels`` (int64 [N]).

    Few images leave a range of temperatures: from what they say themselves to what they say with a doubt. The one that
    is nearest to 1 is taken, for it changes least; or 1, where the calibration error is no smaller with it.
    """
    logits = log_probabilities.double()  # up to a constant for each row
    certain = one_hot(labels, logits.shape[1]).double()
    low, high = sorted(fit_temperature(logits, targets) for targets in (certain, smoothed(labels, logits.shape[1])))
    temperature = min(max(1.0, low), high)
    before, after = _error(logits, labels), _error(logits / temperature, labels)
    if after >= before:
        temperature, after = 1.0, before
    return Calibration(temperature, len(labels), before, after)


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """The temperature T at which softmax(``logits`` / T) has the lowest cross-entropy with ``targets``.

    Both float64 [N, K]; the rows of ``targets`` sum to 1. The loss is convex in 1 / T, so its slope is halved in on,
    within COLDEST to HOTTEST; an optimiser of PyTorch's would take a second to import.
    """
    wanted = (targets * logits).sum()
    low, high = math.log(COLDEST), math.log(HOTTEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        slope = (torch.softmax(logits / math.exp(middle), 1) * logits).sum() - wanted  # along 1 / T
        low, high = (middle, high) if slope > 0 else (low, middle)
    return math.exp((low + high) / 2)


def smoothed(labels: Tensor, num_classes: int) -> Tensor:
    """Targets (float64 [N, K]) that leave 1 / (N + 2) to the other classes: N right answers don't prove certainty.

    Without them the temperature of a network that errs on no validation image would be 0. Platt, Probabilistic outputs
    for support vector machines, 1999, section 2.2.
    """
    doubt = 1 / (len(labels) + 2)
    targets = torch.full((len(labels), num_classes), doubt / max(1, num_classes - 1), dtype=torch.float64)
    return targets.scatter_(1, labels[:, None], 1 - doubt)


def _error(logits: Tensor, labels: Tensor) -> float:
    sure, answers = torch.softmax(logits, 1).max(1)
    return calibration_error(reliability(sure.numpy(), (answers == labels).numpy()))
