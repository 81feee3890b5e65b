"""The same recipe by the tutorial's own loop, by a bare loop over resident tensors, and by ``cnnlab train``.

    CNNLAB_DATA=../shared/data python -m benchmarks.tutorials --cifar10 folder:/tmp/cifar10      everything
    python -m benchmarks.tutorials simple_cnn mlp --images 12800 --repeats 1                     some recipes, short

Each of the three is a process of its own, in turn, so often as ``--repeats`` says; the figures are medians. *tutorial*:
a DataLoader that makes a Pillow image of each picture, ``ToTensor`` and ``Normalize`` it, as torchvision's MNIST and
CIFAR10 do, networks and optimisers with PyTorch's defaults. *floor*: normalised once, indexed by batch, channels last,
fused optimiser, nothing else. *ours*: ``cnnlab train`` as a person starts it. An epoch's seconds are those of training
alone; *with all else* is ours / floor with evaluations, records and checkpoints, beside a floor that evaluates too.
Without the names of recipes all of them are measured, and benchmarks.reach after them.
"""

import argparse
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each way imports what it needs itself
    from cnnlab.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
WARM = 1  # first epochs that do not count: memory is being claimed, processors wake up
EPOCHS = 4
RECIPES = ("simple_cnn", "cnn_5x5", "cnn_5x5_steps", "conv_module", "mlp", "cifar_cnn")
HEAD = (
    "| recipe | tutorial | floor | ours | images/s, tutorial | ours | tutorial / ours | ours / floor | with all else "
    "| memory ratio |\n"
)


Epochs = list[tuple[float, float, float]]
"""Seconds of training, seconds of everything, and accuracy on what is watched, for each epoch."""


def tutorial(recipe: str, flags: list[str]) -> Epochs:
    """The epochs by the tutorial's own loop."""
    import torch
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision.transforms import Compose, Normalize, ToTensor

    from cnnlab import datasets, models
    from cnnlab.datasets import ImageSet
    from cnnlab.loader import scaling_of

    config = configured(recipe, flags)
    dataset = datasets.load(config)
    scaling = scaling_of(config, dataset)
    plain = config.scaling == "unit"
    transform = ToTensor() if plain else Compose([ToTensor(), Normalize(scaling.mean, scaling.std)])

    class Pictures(Dataset[tuple[torch.Tensor, int]]):
        def __init__(self, images: ImageSet) -> None:
            self.arrays = images.images[:].permute(0, 2, 3, 1).squeeze(3).numpy()
            self.labels = images.labels

        def __len__(self) -> int:
            return len(self.arrays)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return transform(Image.fromarray(self.arrays[index])), int(self.labels[index])

    torch.manual_seed(config.seed)
    splits = dataset.splits(config)
    loader = DataLoader(Pictures(splits.train), config.batch_size, shuffle=True)
    watched = DataLoader(Pictures(splits.val if len(splits.val) else splits.test), config.batch_size)
    model = models.build(config, *dataset.shape)
    loss_of = torch.nn.CrossEntropyLoss()
    if config.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), config.lr, config.momentum)
    else:
        optimizer = torch.optim.Adam(model.parameters(), config.lr)

    def train() -> None:
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()  # each of them adds it to its running loss

    def evaluate() -> float:
        model.eval()
        with torch.no_grad():
            right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in watched)
        return right / len(watched.dataset)  # type: ignore[arg-type]

    return timed(train, evaluate, config.epochs)


def floor(recipe: str, flags: list[str]) -> Epochs:
    """The epochs by a bare loop over resident tensors."""
    import torch
    from torch.nn.functional import cross_entropy

    from cnnlab import datasets, models
    from cnnlab.loader import scaling_of

    config = configured(recipe, flags)
    dataset = datasets.load(config)
    scaling = scaling_of(config, dataset)
    splits = dataset.splits(config)
    images, labels = scaling(splits.train.images[:]), splits.train.labels
    held_out = splits.val if len(splits.val) else splits.test
    unseen, answers = scaling(held_out.images[:]), held_out.labels
    torch.manual_seed(config.seed)
    model = models.build(config, *dataset.shape)
    model.to(memory_format=torch.channels_last)
    if config.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), config.lr, config.momentum, fused=True)
    else:
        optimizer = torch.optim.Adam(model.parameters(), config.lr, fused=True)

    def train() -> None:
        model.train()
        for chosen in torch.randperm(len(images)).split(config.batch_size):
            optimizer.zero_grad()
            cross_entropy(model(images[chosen]), labels[chosen]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def evaluate() -> float:
        model.eval()
        parts = zip(unseen.split(1000), answers.split(1000), strict=True)
        with torch.inference_mode():
            return sum((model(part).argmax(1) == right).sum().item() for part, right in parts) / len(answers)

    return timed(train, evaluate, config.epochs)


def timed(train: Callable[[], None], evaluate: Callable[[], float], epochs: int) -> Epochs:
    """``epochs`` times ``train``, then ``evaluate``."""
    took = []
    for _ in range(epochs):
        started = time.perf_counter()
        train()
        trained = time.perf_counter()
        accuracy = evaluate()
        took.append((trained - started, time.perf_counter() - started, accuracy))
    return took


def ours(recipe: str, flags: list[str]) -> tuple[Epochs, float]:
    """The epochs by ``cnnlab train``, and its peak memory in MiB."""
    from cnnlab.runs import Run

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cnnlab", "train", "--recipe", recipe, *flags]
        process = subprocess.Popen(
            [*command, "--name", "ours", "--runs-dir", folder],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, f"the training ended with {status}"
        epochs = [r for r in Run(Path(folder) / "ours").records() if r["event"] == "epoch"]
    ends = [0.0, *(r["elapsed"] for r in epochs)]
    whole = [after - before for before, after in itertools.pairwise(ends)]
    accuracies = [r.get("test/accuracy", r.get("val/accuracy", 0.0)) for r in epochs]
    return [(r["seconds"], *rest) for r, *rest in zip(epochs, whole, accuracies, strict=True)], usage.ru_maxrss / 1024


def apart(way: str, recipe: str, flags: list[str]) -> tuple[Epochs, float]:
    """What ``tutorial`` or ``floor`` says in a process of its own, and its peak memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.tutorials", recipe, "--way", way, *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    answer = json.loads(done.stdout)
    return answer["epochs"], answer["memory"]


def configured(recipe: str, flags: list[str]) -> "TrainConfig":
    """The config that ``cnnlab train --recipe recipe flags`` would train."""
    from cnnlab import recipes
    from cnnlab.parsing import adapt

    names = (flag.removeprefix("--").replace("-", "_") for flag in flags[::2])
    return adapt(recipes.get(recipe).config, dict(zip(names, flags[1::2], strict=True)))


def row(recipe: str, repeats: int, flags: list[str]) -> tuple[str, float]:
    """A row of the table for ``recipe``, and how many times as fast as the tutorial's loop we are."""
    from cnnlab import recipes
    from cnnlab.datasets import DATASETS

    ways: dict[str, Callable[[], tuple[Epochs, float]]] = {
        "tutorial": lambda: apart("tutorial", recipe, flags),
        "floor": lambda: apart("floor", recipe, flags),
        "ours": lambda: ours(recipe, flags),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    whole: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            epochs, peak = run()
            seconds[way] += [train for train, _, _ in epochs[WARM:]]
            whole[way] += [all_ for _, all_, _ in epochs[WARM:]]
            memory[way].append(peak)
    config = configured(recipe, flags)
    source = DATASETS.get(recipes.get(recipe).config.dataset)
    images = config.train_images or round(source.train_count * (1 - config.validation_fraction))
    middle = {way: statistics.median(s) for way, s in seconds.items()}
    all_ = {way: statistics.median(s) for way, s in whole.items()}
    gain, above = middle["tutorial"] / middle["ours"], all_["ours"] / all_["floor"]
    peak_ratio = statistics.median(memory["ours"]) / statistics.median(memory["tutorial"])
    cells = [
        recipe,
        *(f"{middle[way]:.2f} s" for way in ways),
        *(f"{images / middle[way]:,.0f}" for way in ("tutorial", "ours")),
        f"{gain:.2f}",
        f"{middle['ours'] / middle['floor']:.2f}",
    ]
    return "| " + " | ".join([*cells, f"{above:.2f}", f"{peak_ratio:.2f}"]) + " |", gain


def main() -> None:
    parser = argparse.ArgumentParser(description="Our training beside the tutorials' loops and the floor.")
    parser.add_argument("recipes", nargs="*", help="all of the tutorials', and benchmarks.reach, if none is given")
    parser.add_argument("--way", choices=["tutorial", "floor"], help="run this one here and print its times")
    parser.add_argument("--images", type=int, help="training images of each epoch; all if not given")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cifar10", default="cifar10", help="the dataset for cifar_cnn, such as folder:DIR")
    given, flags = parser.parse_known_args()
    if given.images:
        flags += ["--train-images", str(given.images)]
    if given.way:
        epochs = {"tutorial": tutorial, "floor": floor}[given.way](given.recipes[0], flags)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"epochs": epochs, "memory": peak}))
        return
    flags += ["--epochs", str(EPOCHS)]
    print(HEAD + "|" + " --- |" * 10)
    gains = []
    for recipe in given.recipes or RECIPES:
        data = ["--dataset", given.cifar10] if recipe == "cifar_cnn" else []
        line, gain = row(recipe, given.repeats, flags + data)
        gains.append(gain)
        print(line, flush=True)
    print(f"\ngeometric mean of tutorial / ours: {math.exp(statistics.fmean(map(math.log, gains))):.2f}\n")
    if not given.recipes:
        from benchmarks import reach

        for goal in reach.GOALS:
            print(reach.compare(goal, given.cifar10), flush=True)


if __name__ == "__main__":
    main()
