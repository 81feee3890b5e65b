"""The plain script has the lab's parameters and, for the same seed on the CPU, its first losses."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn.functional import relu

from cnnlab import datasets, recipes
from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.datasets import DATASETS, ImageDataset
from cnnlab.datasets.base import channel_statistics
from cnnlab.engine import fit, new_state
from cnnlab.explain.script import network_script, script
from cnnlab.explain.script_data import SCALING, STATISTICS
from cnnlab.explain.source import helper_source, network_source
from cnnlab.loader import scaling_of
from cnnlab.machine import THREADS, computing_threads
from cnnlab.models import MODELS, build, count_parameters
from cnnlab.parsing import adapt
from tests.conftest import REAL_DATA

SHORT = {"epochs": 1, "device": "cpu", "train_images": 400, "eval_every": 0, "eval_images": 0}
LOSSES = ((r"step \d+", "loss"), (r"epoch \d+", "validation loss"))
ODD = {
    "custom": {
        "model": "custom", "blocks": (ConvBlock(channels=4, kernel=5, stride=2), ConvBlock(pool="avg")),
        "hidden": (20,), "dropout": 0.3, "optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True,
        "grad_clip": 0.5,
        "schedule": "cosine", "warmup_epochs": 0.5, "label_smoothing": 0.1, "batch_size": 33, "seed": 7,
        "scaling": "unit",
    },
    "augmented, in half": {
        "augment_flip": True, "augment_rotation": 15.0, "augment_erase": 5, "schedule": "step", "warmup_epochs": 0.2,
        "validation_fraction": 0.0, "precision": "bfloat16", "batch_size": 16,
        "train_images": 96,
    },
}  # fmt: skip


def printed(text: str, folder: Path) -> tuple[int, list[float], list[float]]:
    """Parameters, first losses and validation losses that the script, run as it is, prints."""
    assert "cnnlab" not in text
    (folder / "train.py").write_text(text, "utf-8")
    if REAL_DATA:
        (folder / "data").symlink_to(Path(REAL_DATA).resolve())
    command = [sys.executable, "-W", "error", "train.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    count = re.search(r"([\d,]+) parameters", done.stdout)
    assert count and "test: loss" in done.stdout
    found = (re.findall(rf"{of}: {name} ([\d.]+)", done.stdout) for of, name in LOSSES)
    losses, val_losses = ([float(loss) for loss in some] for some in found)
    return int(count[1].replace(",", "")), losses, val_losses


def assert_same(config: TrainConfig, dataset: ImageDataset, folder: Path) -> None:
    count, losses, val_losses = printed(script(config, dataset.shape), folder)
    state = new_state(config, dataset)
    assert count == count_parameters(state.model)
    with computing_threads(THREADS):  # as in the script's own process, whatever was trained here before
        records = list(fit(state, dataset, config))
    ours = [record.values["train/loss"] for record in records[:5]]
    assert losses[:5] == pytest.approx(ours, abs=2e-6)  # to the last digit that is printed
    ours = [r.values["val/loss"] for r in records if r.event == "epoch" and "val/loss" in r.values]
    assert val_losses == pytest.approx(ours, abs=2e-4)


@pytest.mark.parametrize("name", ["as it is", *ODD])
def test_a_script_on_the_digits_trains_as_the_lab_does(name: str, digits: ImageDataset, tmp_path: Path) -> None:
    config = adapt(recipes.get("quick_digits").config, SHORT | ODD.get(name, {}))
    assert max(map(len, script(config, digits.shape).splitlines())) <= 120
    assert_same(config, digits, tmp_path)


@pytest.mark.parametrize("recipe", ["simple_cnn"])
def test_a_tutorials_script_trains_as_the_lab_does(recipe: str, real_mnist: ImageDataset, tmp_path: Path) -> None:
    assert_same(adapt(recipes.get(recipe).config, SHORT), real_mnist, tmp_path)


def test_the_cifar_recipes_script_trains_as_the_lab_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not REAL_DATA or not datasets.is_here("cifar10"):
        pytest.skip("CNNLAB_DATA names no folder with CIFAR-10.")
    config = adapt(recipes.get("cifar_cnn").config, SHORT)
    assert_same(config, datasets.load(config), tmp_path)


@pytest.mark.parametrize("recipe", recipes.RECIPES)
def test_every_recipes_script_is_valid_and_about_a_screen(recipe: str) -> None:
    config = recipes.get(recipe).config
    text = script(config, DATASETS.get(config.dataset).shape)
    compile(text, recipe, "exec")
    ours = recipe.startswith(("quick", "fast", "accurate"))  # with a residual block, augmentation, statistics
    assert len(text.splitlines()) <= (130 if ours else 80)


@pytest.mark.parametrize("values", [{"early_stopping": 2}, {"validation_fraction": 0.0}], ids=str)
def test_a_script_is_valid_with_and_without_validation_images(values: dict[str, object]) -> None:
    compile(script(adapt(TrainConfig(), values), (1, 28, 10)), "script", "exec")


@pytest.mark.parametrize("scaling", ["unit", "half"])
def test_a_constant_scaling_is_the_labs(scaling: str, digits: ImageDataset) -> None:
    space: dict[str, float] = {}
    exec("\n".join(SCALING[scaling]), space)
    (scale,), (shift,) = scaling_of(TrainConfig(scaling=scaling), digits).factors()
    assert (space["SCALE"], space["SHIFT"]) == (scale, shift)


def test_the_scripts_statistics_are_the_labs(colour_squares: ImageDataset) -> None:
    space = {"torch": torch, "Tensor": torch.Tensor}
    exec(STATISTICS, space)
    for images in (colour_squares.train.images[:], torch.full((2, 1, 4, 4), 7, dtype=torch.uint8)):
        mean, std = space["statistics"](images)
        assert (tuple(mean.flatten().tolist()), tuple(std.flatten().tolist())) == channel_statistics(images)


def test_a_network_alone_is_a_script_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(network_script(TrainConfig(model="tiny_resnet"), (1, 28, 10)), "utf-8")
    command = [sys.executable, "-W", "error", "network.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == "116,602 parameters\n", done.stderr
    assert network_script(TrainConfig(model="vgg16"), (3, 224, 1000)).count("import") == 2


@pytest.mark.parametrize("name", [n for n in MODELS if n != "vgg16"])
@pytest.mark.parametrize("shape", [(1, 28, 10), (3, 72, 4)], ids=str)
def test_a_networks_source_draws_the_labs_weights(name: str, shape: tuple[int, int, int]) -> None:
    config = TrainConfig(model=name)
    space = {"torch": torch, "torchvision": torchvision, "nn": nn, "relu": relu, "Tensor": torch.Tensor}
    network = network_source(config, shape)
    exec(helper_source(network), space)
    torch.manual_seed(3)
    exec(network, space)
    torch.manual_seed(3)
    ours = build(config, *shape).state_dict()
    theirs = space["model"].state_dict()
    assert list(ours) == list(theirs) and all(ours[key].equal(theirs[key]) for key in ours)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of JPEGs and PNGs, larger than the network's images and not square, some lying on their side."""
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    dice = np.random.default_rng(0)
    root = tmp_path / "flowers"
    for number in range(60):
        folder = root / ("daisy" if number % 2 else "rose")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = dice.integers(0, 256, (40 + number, 90, 3), dtype=np.uint8)
        turned = Image.Exif()
        turned[0x0112] = 6  # the camera lay on its side
        file = folder / f"{number}.{'jpg' if number % 3 else 'png'}"
        Image.fromarray(pixels).save(file, exif=turned if number % 5 == 0 else Image.Exif())
    return root


@pytest.mark.parametrize(("split", "color"), [(False, True), (True, False)], ids=["one folder", "three splits, grey"])
def test_an_image_folders_script_trains_as_the_lab_does(
    split: bool, color: bool, pictures: Path, tmp_path: Path
) -> None:
    root = pictures
    if split:
        root = tmp_path / "split"
        for part in ("train", "val", "test"):
            shutil.copytree(pictures, root / part)
    changes = {"dataset": f"folder:{root}", "image_size": 20, "color": color, "batch_size": 8, "epochs": 2}
    config = adapt(recipes.get("quick_digits").config, changes | {"model": "cnn_5x5", "device": "cpu"})
    assert_same(config, datasets.load(config), tmp_path)


def test_a_folder_that_is_gone_gets_a_sentence() -> None:
    with pytest.raises(datasets.DatasetError, match="There is no folder"):
        script(TrainConfig(dataset="folder:/nowhere/flowers"), (3, 32, 2))
