"""A real server and a real Chromium. Without a Chromium these tests skip, saying so; with CI=true they must run."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError, expect, sync_playwright

from cnnlab.runs import LIVE, Run, list_runs

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is slow, not wrong
BROKEN = "() => [...document.images].filter(i => i.complete && i.src && !i.naturalWidth).map(i => i.src)"
WARM = 60  # seconds for the server to import what pages need


def chromium() -> str | None:
    """Where Chromium is, if it is."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))  # a second failure counts; a first is told as RERUN
            if chromium() is None and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@contextmanager
def running_server(runs: Path) -> Iterator[str]:
    """A dashboard on a free port of this machine, over the runs in ``runs``; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    flags = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *flags]
    log = runs.parent / f"server-{port}.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "CNNLAB_RUNS": str(runs)}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(url + "/lab/warm", server, log)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + WARM
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of runs that the dashboard shows; no training outlives the tests."""
    folder = tmp_path_factory.mktemp("dashboard") / "runs"
    yield folder
    for run in list_runs(folder):
        if run.state() in LIVE:
            run.request_stop()
    for run in list_runs(folder):
        assert run.wait_until_ended(60), f"{run.id} did not stop"


@pytest.fixture
def shown_run(runs: Path, trained_run: Run) -> Iterator[Run]:
    """A finished run that the dashboard shows while the test lasts."""
    path = runs / "shown"
    shutil.copytree(trained_run.path, path)
    yield Run(path)
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server(runs: Path) -> Iterator[str]:
    with running_server(runs) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Callable[..., BrowserContext]:
    """Gives the browser's window of a kind, in whose cache Streamlit's and Plotly's code stay from test to test."""
    opened: dict[str, BrowserContext] = {}

    def of_kind(**options: object) -> BrowserContext:
        chosen = {"viewport": {"width": 1440, "height": 900}, **options}
        kind = json.dumps(chosen, sort_keys=True)
        if kind not in opened:
            opened[kind] = browser.new_context(**chosen)
        return opened[kind]

    return of_kind


@pytest.fixture
def new_page(window: Callable[..., BrowserContext], server: str) -> Iterator[Callable[..., Page]]:
    """Opens browser sessions, each a visitor of its own; at the end none may have complained or asked outside."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_page(**options: object) -> Page:
        page = window(**options).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        local = ("http://127.0.0.1", "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(local) else complaints.append(f"asked {r.url}"))
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        complaints += [f"shows no picture: {source}" for source in page.evaluate(BROKEN)]
        page.close()
    # a deep link probes for its page's own health route first, an interrupted poll is no error of ours, and a rerun may
    # replace a picture before it was fetched: those that are there at the end are looked at above
    harmless = ("404", "Image source error", "net::ERR_ABORTED", "net::ERR_CONNECTION", "WebSocket")
    assert [c for c in complaints if not any(h in c for h in harmless)] == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One visitor."""
    return new_page()


@pytest.fixture
def goto(page: Page, server: str) -> Callable[..., Page]:
    """Opens a path of the dashboard and waits until it is drawn."""

    def go(path: str = "/", visitor: Page | None = None) -> Page:
        chosen = visitor or page
        chosen.goto(server + path)
        settled(chosen)
        return chosen

    return go


def settled(page: Page) -> None:
    """Wait until the page's script has run."""
    app = page.get_by_test_id("stApp")
    app.wait_for()
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(app).to_have_attribute("data-test-script-state", "notRunning")


def take_photo(page: Page) -> None:
    """Press the camera's button until there was a picture to take: before, it does nothing."""
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    taken = page.get_by_role("button", name="Clear photo")
    for _ in range(5):
        page.get_by_role("button", name="Take Photo").click()
        with suppress(TimeoutError):
            return taken.wait_for(timeout=4_000)
    raise AssertionError("The camera gave no picture.")
