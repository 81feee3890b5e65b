"""What an image costs as the dataset grows, the memory beside the images, and reading from a file against memory.

    python -m benchmarks.growth             # about two minutes; needs 1 GB of memory, and of disk in CNNLAB_CACHE
    python -m benchmarks.growth --only large        # a file of more than half of this machine's memory, on a cold disk

Made-up grey images of 28×28. Each size trains in a process of its own; streamed and resident take turns in one.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset, ImageSet
from cnnlab.datasets.mapped import new_file, read_images
from cnnlab.datasets.memory import machine_memory, memory_budget
from cnnlab.datasets.view import ImageView
from cnnlab.engine import fit, new_state
from cnnlab.paths import cache_dir

SIZES = (1_000, 10_000, 100_000, 1_000_000)
NETWORKS = {  # name -> settings, images to train on
    "linear": ({"model": "custom", "blocks": (), "hidden": ()}, 400_000),
    "simple_cnn": ({"model": "simple_cnn"}, 60_000),
}
CHUNK = 50_000  # images that are made up at a time
ROUNDS = 3
LARGE = 0.52  # of the machine's memory: more than is read ahead
LONGER = 3  # times as many images are trained on from a large file, which is read ahead meanwhile
MB = 2**20


def made_up(path: Path, count: int) -> None:
    dice = np.random.default_rng(0)
    with new_file(path, (count, 28, 28, 1)) as write:
        for start in range(0, count, CHUNK):
            write(dice.integers(0, 256, (min(CHUNK, count - start), 28, 28, 1), dtype=np.uint8))


def dataset(path: Path, budget: int) -> ImageDataset:
    store = read_images(path, budget)
    ids = torch.arange(len(store))
    train = ImageSet(ImageView(store, ids), ids % 10, ids)
    return ImageDataset("made up", tuple("0123456789"), train, train.head(1000), (0.5,), (0.29,))


def config(network: str) -> TrainConfig:
    return TrainConfig(**NETWORKS[network][0], batch_size=100, epochs=1000, validation_fraction=0.1, lr=1e-4)


def seconds_per_image(images: ImageDataset, network: str, times: int = 1) -> float:
    """Of training alone, from the first step on, over ``times`` as many images as NETWORKS says."""
    settings, seen, took = config(network), 0, 0.0
    state = new_state(settings, images)
    for record in fit(state, images, settings):
        if record.event == "step":
            seen += settings.batch_size
            took += settings.batch_size / record.values["images_per_second"]
            if seen >= NETWORKS[network][1] * times:
                break
    return took / seen


def status(name: str) -> int:
    """Bytes that this process takes, by /proc: VmHWM, the most so far, VmRSS, now, or RssFile, of files now."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def forget(path: Path) -> None:
    """Take ``path`` out of the system's cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def one(path: Path, network: str) -> dict[str, float]:
    """What a process of its own measures: its memory beside the images at the most, and what an image costs."""
    before, files = status("VmRSS"), status("RssFile")
    images = dataset(path, memory_budget())
    held = 0 if images.in_file else images.train.images.shape.numel()
    seconds = seconds_per_image(images, network)
    return {"seconds": seconds, "beside": status("VmHWM") - before - held - (status("RssFile") - files)}


def compared(path: Path, network: str, cold: bool, beside: Path | None = None) -> dict[str, float]:
    """Speed streamed ÷ resident, in turns, and how much came from the disk. Of a large file, images ``beside`` it are
    the resident ones.
    """
    resident, ratios, read = dataset(beside or path, 1 << 62), [], 0
    seconds_per_image(resident, network)
    for _ in range(ROUNDS):
        streamed = None  # what a process maps stays in the cache
        gc.collect()
        if cold:
            forget(path)
        streamed, before = dataset(path, 0), disk_bytes()
        took = seconds_per_image(streamed, network, LONGER if beside else 1)
        read = disk_bytes() - before
        ratios.append(seconds_per_image(resident, network) / took)
    return {"ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios), "read": read}


def disk_bytes() -> int:
    (line,) = (x for x in Path("/proc/self/io").read_text().splitlines() if x.startswith("read_bytes:"))
    return int(line.split()[1])


def ask(what: str, path: Path, network: str, *more: str, **environment: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--what", what, "--file", str(path), "--network", network]
    command += more
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def grow(files: dict[int, Path]) -> None:
    print("| network | images | µs an image | memory beside the images |\n| --- | --- | --- | --- |")
    for network in NETWORKS:
        for count, path in files.items():
            found = ask("one", path, network, CNNLAB_MEMORY_GB="64")
            row = f"{network} | {count:,} | {found['seconds'] * 1e6:.1f} | {found['beside'] / MB:.0f} MB"
            print(f"| {row} |", flush=True)
        found = ask("one", path, network, CNNLAB_MEMORY_GB="0.25")
        print(
            f"| {network} | {count:,} streamed | {found['seconds'] * 1e6:.1f} | {found['beside'] / MB:.0f} MB |",
            flush=True,
        )


def stream(path: Path, *more: str, hows: Sequence[str] = ("warm", "cold")) -> None:
    print("\n| network | the file | streamed ÷ resident | least to most | read from disk |")
    print("| --- | --- | --- | --- | --- |")
    for network in NETWORKS:
        for how in hows:
            r = ask(how, path, network, *more)
            row = f"{r['ratio']:.2f} | {r['least']:.2f} to {r['most']:.2f} | {r['read'] / MB:.0f} MB"
            print(f"| {network} | {how} | {row} |", flush=True)


def large(beside: Path) -> None:
    path = cache_dir() / "growth-large.npy"
    try:
        made_up(path, int(LARGE * machine_memory()) // (28 * 28))
        stream(path, "--beside", str(beside), hows=["cold"])
    finally:
        path.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=("one", "warm", "cold"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--beside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--network", choices=NETWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=("grow", "stream", "large"), help="one of the tables")
    given = parser.parse_args()
    if given.what:
        found = one(given.file, given.network) if given.what == "one" else None
        print(json.dumps(found or compared(given.file, given.network, given.what == "cold", given.beside)))
        return
    files = {count: cache_dir() / f"growth-{count}.npy" for count in SIZES}
    began = time.monotonic()
    try:
        for count, path in files.items():
            made_up(path, count)
        tables = [given.only] if given.only else ["grow", "stream"]
        if "grow" in tables:
            grow(files)
        if "stream" in tables:
            stream(files[SIZES[-1]])
        if "large" in tables:
            large(files[SIZES[-1]])
        print(f"\n{time.monotonic() - began:.0f} s in all.")
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
