"""One training by one process and by two, one thread each: how much of the second process is gained.

    CNNLAB_DATA=../shared/data python -m benchmarks.distributed simple_cnn conv_module quick_mnist --repeats 2

Each is started as a person would, in turn; an epoch's seconds are those of training alone, after a first one that warms
up. The efficiency is images per second of two processes over twice those of one: 1 would be a core for a core.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from cnnlab.launch import torchrun_arguments
from cnnlab.runs import Run

ROOT = Path(__file__).resolve().parents[1]
EPOCHS = 4  # of which the first warms up
HEAD = "| recipe | one process | two processes | times as fast | efficiency |\n| --- | --- | --- | --- | --- |"


def speed(runs: Path, recipe: str, processes: int, images: int, name: str) -> float:
    """Images per second of the median epoch."""
    engine = ["-m", "torch.distributed.run", *torchrun_arguments(processes)] if processes > 1 else []
    settings = ["--train-images", str(images), "--epochs", str(EPOCHS), "--validation-fraction", "0", "--no-watch-test"]
    subprocess.run(
        [sys.executable, *engine, "-m", "cnnlab", "train", "--recipe", recipe, "--runs-dir", str(runs), "--name", name,
         "--device", "cpu", "--eval-every", "0", *settings],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, check=True,
    )  # fmt: skip
    epochs = [r for r in Run(runs / name).records() if r["event"] == "epoch"]
    return statistics.median(r["images_per_second"] for r in epochs[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description="One process and two.")
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--images", type=int, default=6400)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for recipe in given.recipes:
            pairs = [
                [speed(Path(folder), recipe, n, given.images, f"{recipe}-{n}-{repeat}") for n in (1, 2)]
                for repeat in range(given.repeats)
            ]
            one, two = (statistics.median(speeds) for speeds in zip(*pairs, strict=True))
            gain = statistics.median(b / a for a, b in pairs)
            print(f"| {recipe} | {one:,.0f} images/s | {two:,.0f} images/s | {gain:.2f} | {gain / 2:.0%} |", flush=True)


if __name__ == "__main__":
    main()
