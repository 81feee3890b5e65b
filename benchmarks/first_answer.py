"""How soon a person without any run gets an answer on the Predict page, in a real browser on a real server.

    python -m benchmarks.first_answer                 # three times

From the click on "Train one now" to the bars for the first stroke, which the mouse draws as soon as the canvas is
there; the folder of runs is empty each time. Of that: until the training's process begins, until it has ended, until
the canvas can be drawn on, and the answer to the stroke.
"""

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.page import row
from cnnlab.runs import Run, list_runs
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled
from tests.browser.test_predict import ONE, draw

PARTS = ("click to the training's first line", "training", "its end to a canvas", "canvas to the first answer")


def first_answer(browser: Browser, url: str, runs: Path) -> tuple[list[float], float]:
    """Seconds of each of PARTS, and the best accuracy on the validation images."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(url + "/predict")
    settled(page)
    button = page.get_by_role("button", name="Train one now")
    button.wait_for()
    stamps = [time.time()]
    button.click()
    page.locator("canvas.upper-canvas").wait_for(timeout=120_000)
    page.wait_for_function("() => document.querySelector('.st-key-predict-clear button')", polling=20)
    canvas = time.time()
    draw(page, ONE)
    page.wait_for_function("() => document.querySelector('.predict-bars')?.dataset.drawn", polling=20)
    answered = time.time()
    (run,) = list_runs(runs)
    stamps += [_started(run), _ended(run), canvas, answered]
    page.context.close()
    return [b - a for a, b in pairwise(stamps)], run.last_record("epoch")["best/accuracy"]


def _started(run: Run) -> float:
    return next(float(record["time"]) for record in run.records() if record["event"] == "start")


def _ended(run: Run) -> float:
    return run.metrics_path.stat().st_mtime


def main() -> None:
    parser = argparse.ArgumentParser(description="From no run to the first answer.")
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    took = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "runs") as url:
                parts, accuracy = first_answer(browser, url, Path(folder) / "runs")
                print(", ".join(f"{name} {part:.2f} s" for name, part in zip(PARTS, parts, strict=True)),
                      f"(best validation accuracy {100 * accuracy:.2f} %)", flush=True)  # fmt: skip
                took.append(parts)
        browser.close()
    print("| what | median | least to most | wanted |\n| --- | --- | --- | --- |")
    row("click to the first answer", [sum(parts) for parts in took], "10 s")
    for name, parts in zip(PARTS, zip(*took, strict=True), strict=True):
        row(name, list(parts), "")


if __name__ == "__main__":
    main()
