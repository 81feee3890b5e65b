"""How fast the Filters page follows a person in a real browser.

    python -m benchmarks.filters

A 512×512 grey picture, uploaded; each figure is from an event in the page to the frame in which the new output is
drawn, seen by the count of paintings that the page keeps. *Slider*: a move of Gaussian blur's width; *weight*: one
digit typed into the grid; *stride*: a setting of the sidebar, which goes through the server. *Hover*: from one pixel to
another, with its arithmetic. *Large upload*: from giving a 4000×3000 JPEG to its filtered picture.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.page import row
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

REPEATS = 21

# Resolves with the milliseconds until the playground has painted once more and the frame is out
PAINTED = """
act => new Promise(resolve => {
  const root = document.querySelector('.playground'), before = root.dataset.paints, started = performance.now();
  const look = () => root.dataset.paints === before ? requestAnimationFrame(look)
                                                    : requestAnimationFrame(() => resolve(performance.now() - started));
  (new Function('root', act))(root);
  look();
})
"""
SLIDE = """const slider = root.querySelector('[data-name=sigma] input');
slider.value = (+slider.value + 7) % 38; slider.dispatchEvent(new Event('input'));"""
TYPE = """const cell = root.querySelectorAll('.grid input')[4];
cell.value = (Math.random() * 4 - 2).toFixed(2); cell.dispatchEvent(new Event('input'));"""
HOVER = """const canvas = root.querySelector('.output .hold canvas'), box = canvas.getBoundingClientRect();
const at = { clientX: box.left + 40 + Math.random() * 200, clientY: box.top + 10 + Math.random() * 200 };
canvas.dispatchEvent(new PointerEvent('pointermove', at));"""


def upload(page: Page, path: Path, size: str) -> float:
    """Seconds from giving a file to its picture's size above the input."""
    started = page.evaluate("performance.now()")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    page.wait_for_function(
        f"() => document.querySelector('.playground .input .size').textContent === '{size}'", polling="raf"
    )
    took = page.evaluate("performance.now()") - started
    settled(page)
    return float(took) / 1000


def first_page(browser: Browser, url: str) -> float:
    """Seconds until a fresh session sees the first output."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url + "/filters", wait_until="commit")
    page.wait_for_function("() => document.querySelector('.playground')?.dataset.paints", polling="raf")
    took = page.evaluate("performance.now()")
    context.close()
    return float(took) / 1000


def stride(page: Page, value: int) -> float:
    """Seconds from typing a stride to the smaller output."""
    box = page.locator(".st-key-filters-stride input")
    box.fill(str(value))
    wanted = f"{-(-512 // value)} × {-(-512 // value)}"
    started = page.evaluate("performance.now()")
    box.press("Enter")
    page.wait_for_function(
        f"() => document.querySelector('.playground .output .size').textContent === '{wanted}'", polling="raf"
    )
    took = page.evaluate("performance.now()") - started
    settled(page)
    return float(took) / 1000


def measure(browser: Browser, url: str, folder: Path) -> None:
    """All figures, in turn."""
    dice = np.random.default_rng(0)
    Image.fromarray(dice.integers(0, 256, (512, 512), dtype=np.uint8)).save(folder / "grey.png")
    Image.fromarray(dice.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000)).save(folder / "big.jpg")
    row("first output visible, warm server", [first_page(browser, url) for _ in range(7)], "2 s")
    page = browser.new_page(viewport={"width": 1440, "height": 900})

    def timed(act: str, pause: int = 400) -> list[float]:
        found = []
        for _ in range(REPEATS):
            found.append(page.evaluate(PAINTED, act) / 1000)
            page.wait_for_timeout(pause)  # as a person: Python is told in between
        return found

    for size in (5, 11):
        page.goto(f"{url}/filters?source=Upload&preset=gaussian&size={size}")
        page.locator(".playground[data-paints]").wait_for()
        settled(page)
        upload(page, folder / "grey.png", "512 × 512")
        row(f"slider moved, 512×512 grey, kernel {size}×{size}", timed(SLIDE), "150 ms")
    row("weight typed, kernel 11×11", timed(TYPE), "150 ms")
    row("hover, kernel 11×11", timed(HOVER, 50), "")
    row("stride changed in the sidebar", [stride(page, 1 + n % 5) for n in range(1, REPEATS)], "")
    row("4000×3000 JPEG given, to its filtered picture", [upload(page, folder / "big.jpg", "512 × 384")], "")
    row("weight typed after it, 512×384", timed(TYPE), "150 ms")


def main() -> None:
    print("| what | median | least to most | wanted |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        with running_server(Path(name) / "runs") as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            measure(browser, url, Path(name))
            browser.close()


if __name__ == "__main__":
    main()
