"""Accuracy and time of recipes on the real data, each by the command that a person would type.

    CNNLAB_DATA=../shared/data python -m benchmarks.recipes simple_cnn cnn_5x5 mlp quick_mnist
    CNNLAB_DATA=../shared/data python -m benchmarks.recipes conv_module --minutes 10
    python -m benchmarks.recipes cifar_cnn --dataset folder:/tmp/cifar10 --image-size 32

A run that is still going on after ``--minutes`` is stopped; what it had reached then is printed. Further flags go to
``cnnlab train``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnnlab.runs import Run

ROOT = Path(__file__).resolve().parents[1]


def measure(recipe: str, minutes: float, flags: list[str], runs: Path) -> str:
    """A row of the table for ``recipe``."""
    command = [
        sys.executable,
        "-m",
        "cnnlab",
        "train",
        "--recipe",
        recipe,
        "--name",
        recipe,
        "--runs-dir",
        str(runs),
        *flags,
    ]
    run = Run(runs / recipe)
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        process.wait(60 * minutes)
    except subprocess.TimeoutExpired:
        run.request_stop()
        process.wait()
    whole = time.perf_counter() - started
    epochs = [r for r in run.records() if r["event"] == "epoch"]
    seconds = sorted(r["seconds"] for r in epochs)
    answer = subprocess.run(
        [sys.executable, "-m", "cnnlab", "evaluate", str(run.path), "--json"], cwd=ROOT, capture_output=True, check=True
    )
    accuracy = json.loads(answer.stdout)["accuracy"]
    median = seconds[len(seconds) // 2]
    speed = epochs[-1]["images_per_second"]
    cells = (recipe, f"{len(epochs)} of {run.config.epochs}", f"{100 * accuracy:.2f} %", f"{median:.1f} s")
    return "| " + " | ".join((*cells, f"{speed:,.0f}", f"{whole:.1f} s")) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy and time of recipes.")
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--minutes", type=float, default=10)
    given, flags = parser.parse_known_args()
    print("| recipe | epochs | test accuracy | an epoch's training, median | images/s, last epoch | whole process |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for recipe in given.recipes:
            print(measure(recipe, given.minutes, flags, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
