"""What a training on a small network takes alone, and beside one busy program, by niceness and how long threads spin.

    python -m benchmarks.busy

``GOMP_SPINCOUNT`` is how long PyTorch's threads wait awake for each other: the library's own value is 300,000; where
``cnnlab`` is nice, as are trainings that a page starts, it sets 1000. A training that takes over a minute is ended.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from cnnlab.runs import Run

ROOT = Path(__file__).resolve().parents[1]
NICENESS = ("0", "5")
SPINS = ("300000", "30000", "5000", "1000")
BUSY = "while True: pass"
EPOCHS = 4  # of quick_digits, 41 steps each
MOST = 60  # seconds


def epoch_seconds(runs: Path, name: str, nice: str, spin: str) -> float | None:
    """Median training seconds of an epoch; None if the training took too long."""
    command = [sys.executable, "-m", "cnnlab", "train", "--recipe", "quick_digits", "--epochs", str(EPOCHS)]
    try:
        subprocess.run(
            ["nice", "-n", nice, *command, "--name", name, "--runs-dir", str(runs)],
            cwd=ROOT, env={**os.environ, "GOMP_SPINCOUNT": spin}, capture_output=True, check=True, timeout=MOST,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    return statistics.median(r["seconds"] for r in Run(runs / name).records() if r["event"] == "epoch")


def main() -> None:
    print("| niceness | spin count | alone | beside a busy program |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        for nice, spin in itertools.product(NICENESS, SPINS):
            alone = epoch_seconds(runs, f"alone-{nice}-{spin}", nice, spin)
            with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
                beside = epoch_seconds(runs, f"beside-{nice}-{spin}", nice, spin)
                busy.kill()
            cells = ["over a minute in all" if s is None else f"{s:.2f} s an epoch" for s in (alone, beside)]
            print(f"| {nice} | {int(spin):,} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
