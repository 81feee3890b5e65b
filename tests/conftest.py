"""What tests share: folders of their own, small datasets, trained runs and real training processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from xdist.scheduler import LoadScopeScheduling

from cnnlab import datasets
from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.datasets.base import ImageDataset, image_set, make_dataset
from cnnlab.paths import written_whole
from cnnlab.runs import Run, find_run

PROJECT = Path(__file__).resolve().parents[1]
REAL_DATA = os.environ.get("CNNLAB_DATA", "")
PATIENCE = 60  # seconds that a process may take on a busy machine


def wait_until(true: Callable[[], object], what: str) -> None:
    """Wait until ``true()``; fails the test, saying ``what`` did not happen, after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE} s"
        time.sleep(0.02)


class BrowserBesideTheRest(LoadScopeScheduling):
    """With ``-n 2`` one process runs what needs a browser, on one server, while the other runs file after file."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowserBesideTheRest:
    return BrowserBesideTheRest(config, log)


@pytest.fixture
def fresh_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data, no runs, nothing kept: the environment points into an empty folder. Gives the folder of runs."""
    for name in ("data", "runs", "cache"):
        monkeypatch.setenv(f"CNNLAB_{name.upper()}", str(tmp_path / name))
    monkeypatch.delenv("CNNLAB_MAX_TRAININGS", raising=False)
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def digits() -> ImageDataset:
    return datasets.load(TrainConfig(dataset="digits"))


HAS_MNIST = bool(REAL_DATA) and (Path(REAL_DATA) / "MNIST/raw/train-images-idx3-ubyte").is_file()


@pytest.fixture(scope="session")
def real_mnist() -> ImageDataset:
    """The whole of MNIST, from the folder CNNLAB_DATA."""
    if not HAS_MNIST:
        pytest.skip("CNNLAB_DATA names no folder with MNIST: the real images are not tested.")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CNNLAB_DATA", REAL_DATA)
        return datasets.load(TrainConfig(dataset="mnist"))


def coloured_squares(count: int, channels: int, size: int, classes: int = 10) -> ImageDataset:
    """Noise with a bright square whose place tells the class: learnable, and made in no time."""
    dice = torch.Generator().manual_seed(1)
    labels = torch.randint(classes, (count,), generator=dice)
    labels[:classes] = torch.arange(classes)
    images = torch.randint(0, 120, (count, channels, size, size), generator=dice, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 4)
        image[:, 6 * row + 2 : 6 * row + 7, 6 * column + 2 : 6 * column + 7] = 255
    train, test = count * 3 // 4, count - count * 3 // 4
    return make_dataset(
        "squares",
        tuple(str(c) for c in range(classes)),
        image_set(images[:train], labels[:train]),
        image_set(images[-test:], labels[-test:], train),
    )


@pytest.fixture(scope="session")
def grey_squares() -> ImageDataset:
    """240 training and 80 test images of 28×28×1, as small as they come."""
    return coloured_squares(320, 1, 28)


@pytest.fixture(scope="session")
def colour_squares() -> ImageDataset:
    """240 training and 80 test images of 32×32×3."""
    return coloured_squares(320, 3, 32)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of the recipe quick_digits. It is shared: look, don't change."""
    return trained_once("trained", tmp_path_factory, "--recipe", "quick_digits")


def trained_once(name: str, folders: pytest.TempPathFactory, *settings: str) -> Run:
    """A copy of a run that is trained by whichever of the processes that run the tests asks first."""
    own = folders.mktemp(name)
    shared = (own.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else own.parent) / f"{name}-of-all"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            assert main(["train", *settings, "--name", name, "--runs-dir", str(shared)]) == 0
    shutil.copytree(shared, own, dirs_exist_ok=True)
    return find_run(name, own)


@pytest.fixture
def own_run(trained_run: Run, fresh_folders: Path) -> Run:
    """A copy of the trained run in the folder of runs, free to be changed; it has not been asked anything."""
    asked_before = shutil.ignore_patterns("predictions-*", "calibration-*", "features-*")
    return Run(shutil.copytree(trained_run.path, fresh_folders / "own", ignore=asked_before))


def save_again(checkpoint: Path, change: Callable[[Tensor], Tensor] = lambda weight: weight) -> None:
    """Write the file as a training does an epoch later, with what ``change`` makes of its weights."""
    with safe_open(checkpoint, framework="pt") as file:
        facts = {"cnnlab": file.metadata()["cnnlab"].replace('"elapsed": ', '"elapsed": 1')}
    changed = {name: change(w) if w.is_floating_point() else w for name, w in load_file(checkpoint).items()}
    with written_whole(checkpoint) as part:
        save_file(changed, part, facts)


@pytest.fixture(scope="session")
def mnist_run(real_mnist: ImageDataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of the recipe quick_mnist on a third of the images, unless QUICK_MNIST_RUN names one.

    It is shared: look, don't change.
    """
    if named := os.environ.get("QUICK_MNIST_RUN"):
        return Run(Path(named))
    return trained_once("quick", tmp_path_factory, "--recipe", "quick_mnist", "--train-images", "20000")


@pytest.fixture
def until() -> Callable[[Callable[[], object], str], None]:
    return wait_until


class Trainer:
    """Starts ``python -m cnnlab …`` as real processes, and ends those that the test left."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """One process; its working directory is the project, so that ``cnnlab`` is found."""
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnlab", *arguments],
            cwd=PROJECT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a command that ends by itself."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=2 * PATIENCE)
        return process.returncode, output, errors

    def clean_up(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def trainer(fresh_folders: Path) -> Iterator[Trainer]:
    trainer = Trainer()
    yield trainer
    trainer.clean_up()
