"""How fast the Predict page answers, in a real browser on a real server, and how many drawn digits are right.

    CNNLAB_DATA=../shared/data python -m benchmarks.predict RUN    # the folder of a finished quick_mnist

Pen up to answer: from the pointer's release to the bars drawn for the new picture, seen by a MutationObserver in the
page. Our code: preparing the picture, asking the network, and the parts of the page up to the bars. A thousand
pictures: 28×28 PNGs through the function behind the table, and in the browser as a zip and as so many files, from their
choice to the sentence that they are answered, which stands above the table.
"""

import argparse
import io
import shutil
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.page import row
from cnnlab.prediction.many import predict_many
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.preprocess import prepare
from cnnlab.prediction.sources import from_bytes
from cnnlab.runs import Run
from cnnlab.ui.predict.bars import panel
from cnnlab.ui.predict.strip import source
from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled
from tests.browser.test_predict import draw
from tests.drawn_digits import drawn_digits

STROKES = 24
WAIT = """
() => { window.answered = new Promise(resolve => {
  const bars = () => document.querySelector('.predict-bars')?.dataset.drawn ?? '';
  const before = bars();
  let up;
  document.addEventListener('pointerup', () => { up = performance.now(); }, { once: true, capture: true });
  document.addEventListener('mouseup', () => { up ??= performance.now(); }, { once: true, capture: true });
  new MutationObserver((_, observer) => {
    if (bars() !== before) { observer.disconnect(); resolve(performance.now() - up); }
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}); }
"""


def pen_up(page: Page) -> list[float]:
    """Seconds from pen up to the bars, for STROKES strokes one after the other."""
    took = []
    for number in range(STROKES):
        page.evaluate(WAIT)
        x = 60 + 9 * number
        draw(page, [(x, 60), (x + 8, 280 - 5 * number)])
        took.append(float(page.evaluate("() => window.answered")) / 1000)
        settled(page)
        page.wait_for_timeout(300)
    return took[2:]


def own_code(predictor: Predictor) -> list[float]:
    """Seconds of our code from the given drawing to the bars' and the strip's content."""
    took = []
    for picture, _ in drawn_digits():
        started = time.perf_counter()
        prepared = prepare(picture, predictor.checkpoint)
        panel("", predictor.answer_prepared(prepared), 5)
        for step in prepared.steps:
            source(step.picture)
        took.append(time.perf_counter() - started)
    return took


def thousand() -> list[tuple[str, bytes]]:
    """A thousand 28×28 PNGs: the drawn digits, ten times."""
    files = []
    for picture, digit in drawn_digits(100):
        buffer = io.BytesIO()
        picture.resize((28, 28), Image.Resampling.BOX).save(buffer, "PNG")
        files.append((f"{len(files):04d}-{digit}.png", buffer.getvalue()))
    return files


def zipped(files: list[tuple[str, bytes]], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def uploaded(page: Page, files: Path | list[Path]) -> float:
    """Seconds from the choice of a thousand pictures to their table; they are removed again."""
    started = time.perf_counter()
    page.set_input_files("input[type=file]", files)
    told = page.get_by_text("1,000 of 1,000 pictures answered")
    told.wait_for(timeout=120_000)
    took = time.perf_counter() - started
    settled(page)
    page.get_by_role("button", name="Remove").click()
    told.wait_for(state="detached")
    settled(page)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the Predict page.")
    parser.add_argument("run", type=Path, help="the folder of a finished run of quick_mnist")
    run = parser.parse_args().run
    predictor = load_predictor(Run(run))
    for name, switched in (("all steps", {}), ("without centring", {"centre": False}),
                           ("neither cropped nor centred", {"crop": False, "centre": False})):  # fmt: skip
        right = sum(predictor.answer(picture, switched).label == digit for picture, digit in drawn_digits())
        print(f"drawn digits, {name}: {right} of 100 right")
    files = thousand()
    print("| what | median | least to most | wanted |\n| --- | --- | --- | --- |")
    row("our code from drawing to answer", own_code(predictor), "60 ms")
    many = []
    for _ in range(5):
        started = time.perf_counter()
        predict_many(predictor, from_bytes(files), thumbnails=True)
        many.append(time.perf_counter() - started)
    row("1,000 PNGs of 28×28, the function", many, "5 s")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copytree(run, Path(folder) / "runs" / "measured")
        with running_server(Path(folder) / "runs") as url:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(url + "/predict")
            page.locator("canvas.upper-canvas").wait_for()
            settled(page)
            row("pen up to the answer on the screen", pen_up(page), "450 ms")
            packed = zipped(files, Path(folder) / "thousand.zip")
            single = [Path(folder) / name for name, _ in files]
            for path, (_, content) in zip(single, files, strict=True):
                path.write_bytes(content)
            page.get_by_text("Upload", exact=True).click()
            settled(page)
            row("1,000 PNGs as a zip, choice to table", [uploaded(page, packed) for _ in range(5)], "5 s")
            row("1,000 PNGs as 1,000 files, choice to table", [uploaded(page, single) for _ in range(5)], "5 s")
            browser.close()


if __name__ == "__main__":
    main()
