"""How fast the Train page is in a real browser, and what it costs a training to be watched.

    python -m benchmarks.page                                              # all but the last
    CNNLAB_DATA=../shared/data python -m benchmarks.page --watch 5         # training speed with and without a page

First page: from the address to the page drawn, in a fresh browser session, with the server warm. Widget change: from
the key press to the new command line on the page, seen by a MutationObserver in the page, without a training and with
one that was started as the page starts it. First point: from pressing Start to the first point on the chart. Watching:
one training of ``simple_cnn`` on 12,800 MNIST images and a page that shows it, in turn with the browser's processes
stopped and going on; the figure is the ratio of an epoch's median time, pair by pair. What opening the page costs is
not in it.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from cnnlab import launch, recipes
from cnnlab.runs import LIVE, Run, list_runs
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 9
BLOCK, OPENING = 6, 2  # epochs of 12,800 images; the first ones are neither watched nor unwatched
SETTLING = 20  # seconds in which a page is opened
PLOT = "[class*=st-key-curves] .plot"

STAMP_PRESS = """
() => document.addEventListener('pointerdown', () => { window.pressedAt = performance.now(); },
                                { once: true, capture: true })
"""
WAIT_FOR_CHANGE = """
text => new Promise(resolve => {
  const seen = () => [...document.querySelectorAll('code')].some(c => c.textContent.includes(text));
  new MutationObserver((_, observer) => {
    if (seen()) { observer.disconnect(); resolve(performance.now() - window.pressedAt); }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
})
"""


def first_page(browser: Browser, url: str) -> float:
    """Seconds until a fresh session sees the page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url + "/?view=new", wait_until="commit")
    page.wait_for_function("() => document.querySelector('.st-key-start button')", polling="raf")
    took = time.perf_counter() - started
    context.close()
    return took


def widget_change(page: Page, epochs: int) -> float:
    """Seconds from the + of the epochs to the command that says so."""
    page.evaluate(STAMP_PRESS)
    page.evaluate(f"() => {{ window.change = ({WAIT_FOR_CHANGE})('--epochs {epochs}'); }}")
    page.locator(".st-key-field-epochs").get_by_test_id("stNumberInputStepUp").click()
    took = page.evaluate("() => window.change")
    settled(page)
    return float(took) / 1000


def first_point(page: Page, url: str, runs: Path) -> float:
    """Seconds from Start to the first point on the chart, on the built-in digits."""
    page.goto(url + "/?view=new&recipe=quick_digits")
    settled(page)
    started = time.perf_counter()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_function(f"() => +(document.querySelector('{PLOT}')?.dataset.points ?? 0) > 0", polling=20)
    took = time.perf_counter() - started
    run = list_runs(runs)[0]
    assert run.wait_until_ended(120)
    return took


def epoch_seconds(run: Run) -> float:
    """Median training seconds of the epochs that pass now."""
    first = done(run) + OPENING
    wait_for_epochs(run, first + BLOCK)
    seconds = [record["seconds"] for record in run.records() if record["event"] == "epoch"]
    return statistics.median(seconds[first : first + BLOCK])


def wait_for_epochs(run: Run, count: int) -> None:
    """Wait until so many epochs are done."""
    while done(run) < count:
        assert run.state() in LIVE, "the training ended"
        time.sleep(0.5)


def done(run: Run) -> int:
    """How many epochs are done; asked of the end of the file, for reading it whole would slow what is measured."""
    return int((run.last_record("epoch") or {}).get("epoch", 0))


def row(what: str, seconds: list[float], limit: str) -> None:
    """Print a row of the table."""
    middle, least, most = statistics.median(seconds), min(seconds), max(seconds)
    print(f"| {what} | {1000 * middle:,.0f} ms | {1000 * least:,.0f} to {1000 * most:,.0f} ms | {limit} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the Train page.")
    parser.add_argument("--watch", type=int, default=0, metavar="PAIRS", help="measure watching only, so many pairs")
    pairs = parser.parse_args().watch
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        with running_server(runs) as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            if pairs:
                measure_watching(browser, url, runs, pairs)
            else:
                measure_page(browser, url, runs)
            browser.close()
        assert not [r for r in list_runs(runs) if r.state() in LIVE]


def measure_page(browser: Browser, url: str, runs: Path) -> None:
    """First page, widget change, first point."""
    print("| what | median | least to most | wanted |\n| --- | --- | --- | --- |")
    row("first page visible, warm server", [first_page(browser, url) for _ in range(REPEATS)], "2 s")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url + "/?view=new")
    settled(page)
    changes = [widget_change(page, 13 + n) for n in range(REPEATS + 2)]
    row("widget change repainted", changes[2:], "150 ms")
    config = recipes.get("quick_digits").config.model_copy(update={"epochs": 1000})
    run = launch.start(config, "quick_digits", runs)
    wait_for_epochs(run, 1)
    changes = [widget_change(page, 13 + len(changes) + n) for n in range(REPEATS)]
    row("the same while a training uses both cores", changes, "150 ms")
    run.request_stop()
    assert run.wait_until_ended(60)
    row("Start to the first point, digits", [first_point(page, url, runs) for _ in range(5)], "3 s")


def signal_all(processes: list[int], number: signal.Signals) -> None:
    """Stop the browser's processes, or let them go on."""
    for process in processes:
        os.kill(process, number)


def measure_watching(browser: Browser, url: str, runs: Path, pairs: int) -> None:
    """Ratios of an epoch's time, watched to unwatched, within one training."""
    shape = ["--recipe", "simple_cnn", "--train-images", "12800", "--epochs", "1000"]
    command = [sys.executable, "-m", "cnnlab", "train", *shape, "--name", "watched", "--runs-dir", str(runs)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = Run(runs / "watched")
    while not done(run):
        assert process.poll() is None, "the training did not start"
        time.sleep(0.1)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/?view=run&run=watched")
    time.sleep(SETTLING)
    session = browser.new_browser_cdp_session()
    processes = [process["id"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"]]
    ratios = []
    try:
        for number in range(pairs):
            signal_all(processes, signal.SIGSTOP)
            alone = epoch_seconds(run)
            signal_all(processes, signal.SIGCONT)
            watched = epoch_seconds(run)
            ratios.append(watched / alone)
            print(
                f"pair {number + 1}: alone {alone:.3f} s, watched {watched:.3f} s, ratio {ratios[-1]:.3f}", flush=True
            )
    finally:
        signal_all(processes, signal.SIGCONT)
    print(f"ratio watched / alone: median {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")
    run.request_stop()
    process.wait()


if __name__ == "__main__":
    main()
