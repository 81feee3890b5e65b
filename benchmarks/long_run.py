"""How fast a run of 200,000 steps opens on the Train page, and whether its live page grows in memory over an hour.

    python -m benchmarks.long_run

The log is simulated: no network is trained. Opening: from the choice of the run to its curves, on a page that is open;
each run is opened once, so that the server reads its whole log. The hour: the page's timers run 50 times as fast
while as many records are appended as a training of 60 steps a second writes in an hour. Memory: the server's resident
set, and the browser's heap after its garbage is collected.
"""

import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from playwright.sync_api import Page, expect, sync_playwright

from cnnlab import recipes
from cnnlab.curves import CurveReader
from cnnlab.new_runs import create_run
from cnnlab.runs import Run
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

STEPS, PER_EPOCH = 200_000, 1000
OPENED = 5  # runs
HASTE = 50  # times as fast as the clock
HOUR, RATE = 3600, 60  # seconds, steps in each
LOOKS = 4  # at the memory
PLOT = "[class*=st-key-curves] .plot"

HASTEN = f"(() => {{ const slow = window.setTimeout; window.setTimeout = (f, ms) => slow(f, ms / {HASTE}); }})()"
STAMP = "() => addEventListener('keydown', () => { window.pressedAt = performance.now(); }, { capture: true })"
OPEN = """
name => new Promise(resolve => {
  const look = () => +(document.querySelector(`[class*=st-key-curves-${name}-] .plot`)?.dataset.points ?? 0) > 1000
    ? resolve(performance.now() - window.pressedAt) : requestAnimationFrame(look);
  look();
})
"""


def records(first: int, count: int) -> Iterator[bytes]:
    """Lines of a log, from step ``first`` on."""
    draw = random.Random(first)
    for step in range(first, first + count):
        loss, epoch = 2.3 * (1 + step / 300) ** -0.6 * draw.uniform(0.8, 1.2), (step - 1) // PER_EPOCH + 1
        figures = {"train/loss": loss, "train/accuracy": max(0.0, 1 - loss / 2.5)}
        rest = {"lr": 0.001, "grad_norm": draw.random(), "images_per_second": draw.uniform(8000, 9000)}
        yield json.dumps({"event": "step", "step": step, "epoch": epoch, **figures, **rest}).encode() + b"\n"
        if step % PER_EPOCH == 0:
            scores = {"val/loss": loss, "val/accuracy": draw.random(), "val/class_accuracy": [0.9] * 10}
            best = {
                "best/epoch": epoch,
                "best/loss": loss,
                "best/accuracy": 0.9,
                "seconds": 16.0,
                "elapsed": 17 * epoch,
            }
            yield (
                json.dumps({"event": "epoch", "step": step, "epoch": epoch, **figures, **scores, **best}).encode()
                + b"\n"
            )


def append(run: Run, first: int, count: int) -> None:
    """Write so many steps."""
    with run.metrics_path.open("ab") as file:
        file.write(b"".join(records(first, count)))


def live_run(runs: Path, name: str) -> tuple[Run, FileLock]:
    """A run that seems to be training."""
    config = recipes.get("simple_cnn").config.model_copy(update={"epochs": 1000})
    run, lock = create_run(runs / name, {"config": config.model_dump(mode="json"), "recipe": "simple_cnn"})
    images = {"train": PER_EPOCH * config.batch_size, "val": 500, "test": 500}
    run.add_facts({"images": images, "class_names": list("0123456789")})
    run.append([{"event": "start", "step": 0, "time": time.time(), "elapsed": 0.0}])
    return run, lock


def opening(page: Page, name: str) -> float:
    """Seconds from the choice of the run ``name`` to its curves."""
    settled(page)
    box = page.get_by_role("combobox", name="Run")
    expect(box).to_have_count(1)
    box.click()
    box.fill(name)
    expect(page.get_by_role("option")).to_have_count(1)
    page.evaluate(STAMP)
    box.press("Enter")
    return float(page.evaluate(OPEN, name)) / 1000


def server_memory() -> int:
    """Bytes of the dashboard's resident set."""
    for process in Path("/proc").glob("[0-9]*"):
        stat, command = (process / "stat").read_text(), (process / "cmdline").read_bytes()
        if int(stat.rsplit(")")[-1].split()[1]) == os.getpid() and b"streamlit" in command:
            return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    raise RuntimeError("the server is gone")


def page_memory(page: Page) -> float:
    """Bytes of the page's heap, its garbage collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"])


def an_hour(page: Page, run: Run) -> None:
    """Print the memory as the log grows by what an hour writes."""
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "/lab/runs/" in request.url else None)
    print("| minutes | steps in the log | questions of the page | server | page |\n| --- | --- | --- | --- | --- |")
    written, tick = STEPS, 0.25  # seconds
    for look in range(LOOKS + 1):
        until = time.monotonic() + HOUR / HASTE / LOOKS
        while look and time.monotonic() < until:
            append(run, written + 1, round(RATE * HASTE * tick))
            written += round(RATE * HASTE * tick)
            page.wait_for_timeout(1000 * tick)
        memory = f"{server_memory() / 1e6:,.0f} MB | {page_memory(page) / 1e6:.1f} MB"
        print(f"| {60 * look // LOOKS} | {written:,} | {len(polls):,} | {memory} |", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        names = [f"long{number}" for number in range(OPENED)]
        made = [live_run(runs, name) for name in ["short", *names]]
        append(made[0][0], 1, 20)
        for run, _ in made[1:]:
            append(run, 1, STEPS)
        started = time.process_time()
        CurveReader(made[1][0]).read()
        print(f"a log of {STEPS:,} steps is read in {time.process_time() - started:.2f} s of processor time")
        with running_server(runs) as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}/?view=run&run=short")
            settled(page)
            page.wait_for_function(f"() => +(document.querySelector('{PLOT}')?.dataset.points ?? 0) > 0")
            times = [opening(page, name) for name in names]
            print(f"opened in {statistics.median(times):.2f} s, {min(times):.2f} to {max(times):.2f} s")
            page.add_init_script(HASTEN)
            page.goto(f"{url}/?view=run&run={names[0]}")
            settled(page)
            an_hour(page, made[1][0])
            browser.close()
        for _, lock in made:
            lock.release()


if __name__ == "__main__":
    main()
