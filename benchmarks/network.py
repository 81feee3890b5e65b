"""How fast the Network page shows another network, in a real browser.

    python -m benchmarks.network

From the press on a network's name in the sidebar to its numbers, drawing and table on the page and the page's script at
rest, seen in the page frame by frame. *First* is the server's first sight of the network, *again* a later choice;
each on several fresh servers. The aim is for networks of up to 20 million parameters.
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.models import MODELS
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

SERVERS = 3
MOST = 20_000_000
IMAGES = (1, 28, 10)  # the built-in digits, which the page begins with
BETWEEN = "cnn_5x5"  # what the page shows before each choice

STAMP_PRESS = """
() => document.addEventListener('pointerdown', () => { window.pressedAt = performance.now(); },
                                { once: true, capture: true })
"""
WAIT_FOR_NETWORK = """
parameters => new Promise(resolve => {
  const seen = () => document.querySelector('[data-testid=stMetricValue]')?.textContent.trim() === parameters
    && document.querySelector('.network svg') && document.querySelector('[data-testid=stDataFrame] canvas')
    && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
  const look = () => seen() ? resolve(performance.now() - window.pressedAt) : requestAnimationFrame(look);
  look();
})
"""


def parameters(name: str) -> int:
    """Of the network ``name`` for IMAGES."""
    return models.count_parameters(models.outline(TrainConfig(model=name), *IMAGES))


def switch(page: Page, name: str) -> float:
    """Seconds from the press on ``name`` to the page drawn."""
    page.get_by_test_id("stSidebar").get_by_label("Network").first.click()
    option = page.get_by_role("option", name=MODELS.get(name).title, exact=True)
    option.wait_for()
    page.evaluate(STAMP_PRESS)
    page.evaluate(f"() => {{ window.shown = ({WAIT_FOR_NETWORK})('{parameters(name):,}'); }}")
    option.click()
    took = page.evaluate("() => window.shown")
    settled(page)
    return float(took) / 1000


def main() -> None:
    names = sorted((n for n in MODELS if n not in (BETWEEN, "custom")), key=parameters)
    first: dict[str, list[float]] = {name: [] for name in names}
    again: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for number in range(SERVERS):
            with running_server(Path(folder) / f"runs-{number}") as url:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(url + "/network")
                settled(page)
                for times in (first, again):
                    for name in names:
                        times[name].append(switch(page, name))
                        switch(page, BETWEEN)
                page.close()
        browser.close()
    print("| network | parameters | first | again | wanted |\n| --- | --- | --- | --- | --- |")
    for name in names:
        small = parameters(name) <= MOST
        print(f"| {name} | {parameters(name):,} | {_told(first[name])} | {_told(again[name])} | {'1 s' * small} |")


def _told(seconds: list[float]) -> str:
    middle, least, most = statistics.median(seconds), min(seconds), max(seconds)
    return f"{1000 * middle:,.0f} ms ({1000 * least:,.0f} to {1000 * most:,.0f})"


if __name__ == "__main__":
    main()
