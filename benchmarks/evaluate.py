"""How fast the Evaluate page opens for a hundred classes, and what an evaluation costs beside its forward passes.

    CNNLAB_DATA=../shared/data python -m benchmarks.evaluate

Opening: to the matrix and its images drawn, from the address in a fresh browser session and by a click in the menu of
another page, with the server warm and the answers kept: 10,000 test images of 100 classes, 16×16 in colour, made for
it, in a network that was trained for an epoch. Evaluating: ``evaluate`` on the 10,000 test images of MNIST with
``simple_cnn``, images in memory, nothing kept, beside the bare forward passes of the same batches, already scaled, in
turn; the figure is the median of the ratios, pair by pair.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from cnnlab import datasets
from cnnlab.checkpoints import load_trained
from cnnlab.cli import main as cnnlab
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.inference import EVAL_BATCH
from cnnlab.runs import find_run
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

CLASSES, TEST, TRAIN = 100, 100, 10  # images of each class
OPENINGS, PASSES = 7, 20
DRAWN = "() => document.querySelectorAll('.lab-plot[data-painted] .main-svg').length >= 2"


def make_images(root: Path) -> None:
    """Noise around a colour for each class, as PNG files."""
    dice = np.random.default_rng(0)
    for label in range(CLASSES):
        colour = dice.integers(40, 216, 3)
        for split, count in (("train", TRAIN), ("test", TEST)):
            folder = root / split / f"kind {label:02d}"
            folder.mkdir(parents=True)
            for number in range(count):
                noise = dice.integers(-40, 40, (16, 16, 3))
                Image.fromarray((colour + noise).astype(np.uint8)).save(folder / f"{number}.png")


def open_page(browser: Browser, url: str) -> float:
    """Seconds until a fresh session sees the matrix and its images."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url + "/evaluate", wait_until="commit")
    page.wait_for_function(DRAWN, polling="raf", timeout=60_000)
    took = time.perf_counter() - started
    context.close()
    return took


def open_from_menu(browser: Browser, url: str) -> float:
    """Seconds from a click on Evaluate, on another page of the dashboard, until the matrix and its images are drawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url + "/filters")
    settled(page)
    page.wait_for_timeout(2000)
    started = time.perf_counter()
    page.get_by_role("link", name="Evaluate").click()
    page.wait_for_function(DRAWN, polling="raf", timeout=60_000)
    took = time.perf_counter() - started
    context.close()
    return took


def measure_opening(folder: Path) -> None:
    """A hundred classes, 10,000 images."""
    make_images(folder / "images")
    runs = folder / "runs"
    flags = ["--dataset", f"folder:{folder / 'images'}", "--image-size", "16", "--color"]
    recipe = ["--model", "simple_cnn", "--epochs", "1", "--name", "hundred", "--runs-dir", str(runs)]
    assert cnnlab(["train", *recipe, *flags]) == 0
    assert evaluate(find_run("hundred", runs), "test").scores.count == CLASSES * TEST
    with running_server(runs) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        first, *later = [open_page(browser, url) for _ in range(OPENINGS + 1)]
        inside = [open_from_menu(browser, url) for _ in range(OPENINGS)]
        browser.close()
    print(f"first visit, images not in the server's memory yet: {first:.2f} s")
    print(f"later visits: {statistics.median(later):.2f} s, {min(later):.2f} to {max(later):.2f} s (wanted: 2 s)")
    print(f"from the menu: {statistics.median(inside):.2f} s, {min(inside):.2f} to {max(inside):.2f} s (wanted: 2 s)")


def measure_evaluating(folder: Path) -> None:
    """Evaluation beside bare forward passes, in turn."""
    runs = folder / "runs"
    recipe = ["--recipe", "simple_cnn", "--epochs", "1", "--train-images", "6400"]
    assert cnnlab(["train", *recipe, "--name", "mnist", "--runs-dir", str(runs)]) == 0
    run = find_run("mnist", runs)
    _, saved = load_trained(run)
    network, dataset = saved.network(), datasets.load(saved.config)
    batches = [saved.scaling(part) for part in dataset.test.images[:].split(EVAL_BATCH)]

    def bare() -> None:
        with torch.inference_mode():
            for batch in batches:
                network(batch)

    def whole() -> None:
        for kept in run.path.glob("predictions-*"):
            kept.unlink()
        evaluate(run, "test", load=lambda config: dataset)

    pairs = []
    for number in range(PASSES + 2):
        order = (bare, whole) if number % 2 else (whole, bare)
        took = {what: seconds(what) for what in order}
        pairs.append((took[whole], took[bare]))
    pairs = pairs[2:]  # the first two warm up
    a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [one / other for one, other in pairs]
    print(
        f"evaluating {len(dataset.test):,} images: {1000 * a:.0f} ms, bare forward passes {1000 * b:.0f} ms; ratio, ",
        end="",
    )
    print(f"pair by pair: {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f} (wanted: 1.3)")


def seconds(what: Callable[[], None]) -> float:
    """How long ``what`` takes."""
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNNLAB_CACHE"] = str(Path(folder) / "cache")
        measure_evaluating(Path(folder))
        measure_opening(Path(folder))


if __name__ == "__main__":
    main()
