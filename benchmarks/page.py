"""How fast the Train page is in a real browser, and what it costs a training to be watched.

    python -m benchmarks.page                                              # all but the last
    CNNLAB_DATA=../shared/data python -m benchmarks.page --watch 5         # training speed with and without a page

First page: from the address to the page drawn, in a fresh browser session, with the server warm. Widget change: from
the key press to the new command line on the page, seen by a MutationObserver in the page, without a training and with
one that was started as the page starts it. First point: from pressing Start to the first point on the chart. Watching:
one training of ``simple_cnn`` on 12,800 MNIST images and a page that shows it, with the browser's processes stopped,
stopped again, and going on; the figures are the ratios of an epoch's mean time, turn by turn: watched to stopped, and
stopped to stopped, which tells how much of that is the machine's own wavering. Beside them stands the share of one core
that browser and server took while it was watched. What opening the page costs is not in it.
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
BLOCK, OPENING = 10, 1  # epochs of 12,800 images; the first one is neither watched nor unwatched
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
    """Mean training seconds of the epochs that pass now."""
    first = done(run) + OPENING
    wait_for_epochs(run, first + BLOCK)
    seconds = [record["seconds"] for record in run.records() if record["event"] == "epoch"]
    return statistics.fmean(seconds[first : first + BLOCK])


def processor_seconds(processes: list[int]) -> float:
    """How long ``processes`` have computed so far."""
    fields = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in processes]
    return sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK")  # user and system, proc(5)


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
    parser.add_argument("--watch", type=int, default=0, metavar="TURNS", help="measure watching only, so many turns")
    turns = parser.parse_args().watch
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        with running_server(runs) as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            if turns:
                measure_watching(browser, url, runs, turns)
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


def measure_watching(browser: Browser, url: str, runs: Path, turns: int) -> None:
    """Ratios of an epoch's time, watched to unwatched and unwatched to unwatched, within one training."""
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
    watchers = [*processes, server_process(url)]
    watched_by_alone, alone_by_alone, shares = [], [], []
    try:
        for number in range(turns):
            signal_all(processes, signal.SIGSTOP)
            before, alone = epoch_seconds(run), epoch_seconds(run)
            signal_all(processes, signal.SIGCONT)
            started, computed = time.monotonic(), processor_seconds(watchers)
            watched = epoch_seconds(run)
            shares.append((processor_seconds(watchers) - computed) / (time.monotonic() - started))
            watched_by_alone.append(watched / alone)
            alone_by_alone.append(alone / before)
            print(
                f"turn {number + 1}: alone {before:.3f} and {alone:.3f} s, watched {watched:.3f} s, "
                f"{shares[-1]:.1%} of a core",
                flush=True,
            )
    finally:
        signal_all(processes, signal.SIGCONT)
    for what, ratios in (("watched / alone", watched_by_alone), ("alone / alone", alone_by_alone)):
        quarters = statistics.quantiles(ratios, n=4)
        print(f"{what}: median {quarters[1]:.3f}, half of them from {quarters[0]:.3f} to {quarters[2]:.3f}")
    print(f"browser and server: {statistics.median(shares):.1%} of a core")
    run.request_stop()
    process.wait()


def server_process(url: str) -> int:
    """The dashboard's process, by its port on the command line."""
    port = url.rpartition(":")[2]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0")
        if b"streamlit" in words and port.encode() in words:
            return int(path.parent.name)
    raise LookupError(f"no server on port {port}")


if __name__ == "__main__":
    main()
