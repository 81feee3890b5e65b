"""Seconds from the start of a process to the accuracy with which a tutorial ends, by it and by a recipe of our own.

    CNNLAB_DATA=../shared/data python -m benchmarks.reach mnist
    python -m benchmarks.reach cifar10 --cifar10 folder:/tmp/cifar10 --epochs 1

The tutorial's process runs all its epochs and evaluations, then is over; ours counts from the command's start until its
log shows the first evaluation, on images held out, that is as good. ``--epochs``: let the tutorial train only so many;
the others are reckoned at the pace of these, and the accuracy to reach is the one that its full run ended with once.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tutorials import ROOT, apart, configured
from cnnlab.runs import Run


@dataclass(frozen=True)
class Goal:
    """A tutorial's recipe, ours on the same images, and the accuracy with which a full run of the tutorial's ended."""

    dataset: str
    tutorial: str
    ours: str
    accuracy: float


GOALS = (Goal("mnist", "simple_cnn", "quick_mnist", 0.988), Goal("cifar10", "cifar_cnn", "fast_cifar10", 0.64))


def compare(goal: Goal, cifar10: str, epochs: int = 0) -> str:
    """A row: accuracy, seconds by the tutorial's process, seconds by ours, and their ratio."""
    flags = ["--dataset", cifar10] if goal.dataset == "cifar10" else []
    all_ = configured(goal.tutorial, []).epochs
    started = time.perf_counter()
    took, _ = apart("tutorial", goal.tutorial, [*flags, "--epochs", str(epochs or all_)])
    tutorial = time.perf_counter() - started + (all_ - len(took)) * sum(whole for _, whole, _ in took) / len(took)
    accuracy = goal.accuracy if epochs else took[-1][2]
    seconds, test = reached(goal.ours, flags, accuracy)
    ratio = f"{tutorial / seconds:.1f}" if seconds else "not reached"
    cells = (
        goal.dataset,
        f"{100 * accuracy:.2f} %",
        f"{tutorial:.0f} s",
        f"{seconds:.1f} s",
        ratio,
        f"{100 * test:.2f} %",
    )
    return "| " + " | ".join(cells) + " |"


def reached(recipe: str, flags: list[str], accuracy: float) -> tuple[float, float]:
    """Seconds from the start of ``cnnlab train`` to ``accuracy`` on images held out (0: never), and test accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "ours")
        command = [sys.executable, "-m", "cnnlab", "train", "--recipe", recipe, "--name", run.id, "--runs-dir", folder]
        began, seconds = time.perf_counter(), 0.0
        with subprocess.Popen(
            [*command, *flags], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            log, size = run.path / "metrics.jsonl", 0
            while process.poll() is None and not seconds:
                if log.exists() and log.stat().st_size > size:
                    size = log.stat().st_size
                    if any(r.get("val/accuracy", 0) >= accuracy for r in run.records()):
                        seconds = time.perf_counter() - began
                time.sleep(0.02)
            process.wait()
        assert process.returncode == 0, f"the training ended with {process.returncode}"
        test = subprocess.run(
            [sys.executable, "-m", "cnnlab", "evaluate", str(run.path), "--json"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    return seconds, json.loads(test.stdout)["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time to the accuracy with which a tutorial ends.")
    parser.add_argument("datasets", nargs="*", default=[goal.dataset for goal in GOALS])
    parser.add_argument("--cifar10", default="cifar10", help="where CIFAR-10 comes from, such as folder:DIR")
    parser.add_argument("--epochs", type=int, default=0, help="epochs of the tutorial to measure; all if not given")
    given = parser.parse_args()
    print("| dataset | accuracy to reach | tutorial | ours | ratio | ours at its end, test images |")
    print("|" + " --- |" * 6)
    for goal in GOALS:
        if goal.dataset in given.datasets:
            print(compare(goal, given.cifar10, given.epochs), flush=True)


if __name__ == "__main__":
    main()
