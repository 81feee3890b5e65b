"""The Predict page in a real browser: digits are drawn with the mouse, and the answer is read from the page."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from safetensors import safe_open
from safetensors.torch import save_file

from cnnlab.datasets.base import ImageDataset
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.temperature import calibrate
from cnnlab.runs import Run
from tests.browser.conftest import ARGUMENTS, FAKE_CAMERA, chromium, settled, take_photo
from tests.conftest import HAS_MNIST
from tests.drawn_digits import drawn_digits

ANSWER = "[class*='st-key-predict-answer'] h1"
SEVEN = [(80, 70), (230, 70), (140, 280)]
PASTE = """bytes => {
  const brought = new DataTransfer();
  brought.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: brought }));
}"""
COPY = """bytes => navigator.clipboard.write(
  [new ClipboardItem({ "image/png": new Blob([new Uint8Array(bytes)], { type: "image/png" }) })])"""
ONE = [(170, 60), (170, 290)]


@pytest.fixture
def predictor(runs: Path, request: pytest.FixtureRequest) -> Iterator[Predictor]:
    """A network that the dashboard shows while the test lasts: of MNIST, else of the built-in digits."""
    trained: Run = request.getfixturevalue("mnist_run" if HAS_MNIST else "trained_run")
    path = runs / "artist"
    shutil.copytree(trained.path, path)
    yield load_predictor(Run(path))
    shutil.rmtree(path)


@pytest.fixture
def opened(goto: Callable[..., Page], predictor: Predictor) -> Page:
    """The page with an empty canvas."""
    page = goto("/predict")
    expect(page.get_by_text("Draw, and lift the pen")).to_be_visible()
    page.locator("canvas.upper-canvas").wait_for()
    settled(page)
    return page


def draw(page: Page, points: list[tuple[int, int]], canvas: int = 0) -> None:
    """One stroke on the drawing canvas (or another), with the mouse."""
    box = page.locator("canvas.upper-canvas").nth(canvas).bounding_box()
    assert box
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=10)
    page.mouse.up()


def expect_class(answer: Locator, label: str) -> None:
    """``answer`` names the class of what was drawn. The built-in digits are too few to be sure of a mouse's strokes."""
    expect(answer).to_contain_text(label if HAS_MNIST else "")


def drawn_for(page: Page) -> str:
    """Which picture the bars were drawn for."""
    bars = page.locator(".predict-bars").first
    expect(bars).to_have_attribute("data-drawn", re.compile("."))  # the answer's name is there before them
    return bars.get_attribute("data-drawn") or ""


def send(page: Page, files: Path | list[Path]) -> None:
    page.set_input_files("input[type=file]", files)


def recognised(predictor: Predictor, count: int) -> list[tuple[Image.Image, str]]:
    """Drawings of different digits that the network recognises, and what they are."""
    found = {d: p for p, d in drawn_digits() if (a := predictor.answer(p)).label == d and a.confidence > 0.6}
    return [(picture, str(digit)) for digit, picture in found.items()][:count]


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def switch(page: Page, way: str) -> None:
    page.get_by_role("radio", name=way).or_(page.get_by_text(way, exact=True)).first.click()
    settled(page)
    if way == "Upload":
        expect(page.get_by_text("or drop them here")).to_be_visible()  # from then on it hears


def test_a_drawn_digit_is_answered_and_all_of_it_fits_the_screen(opened: Page) -> None:
    draw(opened, SEVEN)
    expect_class(opened.locator(ANSWER), "7")
    bars = opened.locator(".predict-bars").first
    expect(bars.locator("tbody tr")).to_have_count(5)
    expect_class(bars.locator("tbody th").first, "7")
    expect(opened.locator(".predict-strip figure")).to_have_count(8)
    expect(opened.get_by_text("28×28×1 numbers")).to_be_visible()
    expect(opened.get_by_text("Orange speaks for").first).to_be_visible()
    bottom = opened.get_by_text("Orange speaks for").first.bounding_box()
    assert bottom and bottom["y"] + bottom["height"] < 900


def test_strokes_add_up_are_undone_cleared_and_outlive_another_page(opened: Page) -> None:
    draw(opened, ONE)
    expect(opened.locator(ANSWER)).to_be_visible()
    first = drawn_for(opened)
    draw(opened, [(60, 290), (280, 290)])
    expect(opened.locator(".predict-bars").first).not_to_have_attribute("data-drawn", first)
    opened.locator(".st-key-predict-undo button").click()
    expect(opened.locator(".predict-bars").first).to_have_attribute("data-drawn", first)
    settled(opened)
    opened.get_by_role("link", name="Evaluate").click()
    expect(opened.get_by_role("heading", name="Evaluate")).to_be_visible()
    settled(opened)
    opened.get_by_role("link", name="Predict").click()
    expect(opened.locator(".predict-bars").first).to_have_attribute("data-drawn", first)
    settled(opened)
    opened.locator(".st-key-predict-clear button").click()
    expect(opened.get_by_text("Draw, and lift the pen")).to_be_visible()


def test_a_step_is_switched_off_in_the_strip(opened: Page) -> None:
    draw(opened, SEVEN)
    expect(opened.locator(ANSWER)).to_be_visible()
    settled(opened)
    opened.locator(".predict-strip label", has_text="Scaled").locator("input").press("Space")
    expect(opened.get_by_text("from 0.00 to")).to_be_visible()
    expect(opened.locator(".predict-strip figure.off", has_text="Scaled")).to_be_visible()
    expect(opened.locator(".predict-strip label", has_text="Scaled").locator("input")).to_be_focused()


def test_painting_out_a_stroke_moves_the_bars(opened: Page) -> None:
    draw(opened, SEVEN)
    expect_class(opened.locator(ANSWER), "7")
    settled(opened)
    switch(opened, "Paint out")
    painted = opened.locator(".predict-bars").nth(1).locator("section").last
    expect_class(painted.locator("tbody th").first, "7")
    before = painted.inner_text()
    opened.locator("canvas.upper-canvas").nth(1).scroll_into_view_if_needed()
    draw(opened, [(20, 80), (320, 80), (320, 120), (20, 120)], canvas=1)
    expect(opened.get_by_text("Paint over a stroke")).to_have_count(0)
    assert painted.inner_text() != before


def test_a_narrow_window_has_the_answer_below_the_canvas_and_nothing_over_the_switch(
    goto: Callable[..., Page], new_page: Callable[..., Page], predictor: Predictor
) -> None:
    page = goto("/predict", new_page(viewport={"width": 1024, "height": 768}))
    draw(page, SEVEN)
    fill = page.locator(".predict-bars .rail").first
    expect(fill).to_be_visible()
    room = fill.bounding_box()
    assert room and room["width"] > 100
    page.locator("canvas.upper-canvas").first.hover()
    page.get_by_text("Upload", exact=True).click()
    expect(page.get_by_role("button", name="Paste a picture")).to_be_visible()


def test_uploaded_pictures_and_a_zip_become_a_table(
    opened: Page, predictor: Predictor, runs: Path, digits: ImageDataset, tmp_path: Path
) -> None:
    for number in range(4):
        Image.fromarray(digits.test.images[number, 0].numpy()).save(tmp_path / f"{number}.png")
    (tmp_path / "words.png").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(tmp_path / "0.png", "inside/0.png")
        archive.write(tmp_path / "1.png", "../outside.png")
    switch(opened, "Upload")
    send(opened, sorted(tmp_path.glob("*.*")))
    run = Run(runs / "artist")
    asked = load_predictor(run, calibration=calibrate(run, "best"))
    unsure = sum(asked.answer(Image.open(tmp_path / f"{number}.png")).confidence < 0.5 for number in (0, 1, 2, 3, 0))
    doubts = f", {unsure} of them less than 50 % sure" if unsure else ""
    without = "2 without an answer: the table says why."
    expect(opened.get_by_text(f"5 of 7 pictures answered{doubts}; {without}")).to_be_visible()
    expect(opened.get_by_test_id("stDataFrame")).to_be_visible()
    opened.get_by_text("No answer", exact=True).click()
    settled(opened)


def test_one_uploaded_drawing_is_answered_as_the_same_drawing_in_the_core(
    opened: Page, predictor: Predictor, tmp_path: Path
) -> None:
    ((picture, digit),) = recognised(predictor, 1)
    picture.save(tmp_path / "mine.png")
    switch(opened, "Upload")
    send(opened, tmp_path / "mine.png")
    expect(opened.locator(ANSWER)).to_contain_text(digit)


def test_too_many_files_are_refused_before_they_are_sent_and_removed_ones_leave_the_page(
    opened: Page, tmp_path: Path
) -> None:
    switch(opened, "Upload")
    sent: list[str] = []
    opened.on("request", lambda request: sent.append(request.url) if "/lab/inbox/" in request.url else None)
    opened.evaluate(
        "() => { const input = document.querySelector('.predict-drop input'), chosen = new DataTransfer();"
        "for (let i = 0; i < 20_000; i++) chosen.items.add(new File([], i + '.png'));"
        "input.files = chosen.files; input.dispatchEvent(new Event('change')); }"
    )
    expect(opened.get_by_role("alert")).to_have_text(
        "There are more than 10,000 files, the most at a time: choose fewer."
    )
    (tmp_path / "notes.txt").write_text("no picture")
    send(opened, tmp_path / "notes.txt")
    expect(opened.get_by_role("alert")).to_contain_text("notes.txt has no ending of a picture or a zip")
    assert not sent
    Image.new("L", (30, 30), 255).save(tmp_path / "white.png")
    send(opened, [tmp_path / "white.png", tmp_path / "notes.txt"])
    expect(opened.get_by_text("white.png, 1 KB")).to_be_visible()
    expect(opened.get_by_text("Left out 1 file whose name does not end as a picture")).to_be_visible()
    expect(opened.locator(ANSWER)).to_be_visible()
    settled(opened)
    opened.get_by_role("button", name="Remove").click()
    expect(opened.locator(ANSWER)).to_have_count(0)


def test_a_pasted_picture_is_answered_by_key_and_by_button(
    goto: Callable[..., Page], new_page: Callable[..., Page], predictor: Predictor
) -> None:
    page = goto("/predict", new_page(permissions=["clipboard-read", "clipboard-write"]))
    switch(page, "Upload")
    (first, said), (second, other) = recognised(predictor, 2)
    page.evaluate(PASTE, [*png(first)])
    expect(page.locator(ANSWER)).to_contain_text(said)
    settled(page)
    page.evaluate(COPY, [*png(second)])
    page.get_by_role("button", name="Paste a picture").click()
    expect(page.locator(ANSWER)).to_contain_text(other)


def test_a_photograph_is_answered(browser: Browser, server: str, predictor: Predictor) -> None:
    filming = browser.browser_type.launch(executable_path=chromium(), args=(*ARGUMENTS, *FAKE_CAMERA))
    page = filming.new_context(permissions=["camera"], viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(20_000)
    page.goto(server + "/predict")
    page.locator("canvas.upper-canvas").wait_for()
    switch(page, "Camera")
    take_photo(page)
    expect(page.locator(ANSWER)).to_be_visible()
    expect(page.get_by_text("28×28×1 numbers")).to_be_visible()
    page.get_by_role("button", name="Clear photo").click()
    expect(page.locator(ANSWER)).to_have_count(0)
    filming.close()


def copy_that_spells(run: Run, path: Path) -> None:
    """The same network in another run, whose classes are called zero to nine."""
    shutil.copytree(run.path, path)
    file = Run(path).checkpoint_path("best")
    with safe_open(file, framework="pt") as opened:
        facts = json.loads(opened.metadata()["cnnlab"])
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}
    facts["class_names"] = "zero one two three four five six seven eight nine".split()
    save_file(tensors, file, {"cnnlab": json.dumps(facts)})


def test_switching_the_run_asks_the_other_network(goto: Callable[..., Page], runs: Path, predictor: Predictor) -> None:
    other = runs / "speller"
    copy_that_spells(predictor.run, other)
    try:
        page = goto("/predict")
        choose_run(page, "artist")
        page.locator("canvas.upper-canvas").wait_for()
        draw(page, SEVEN)
        expect_class(page.locator(ANSWER), "7")
        settled(page)
        choose_run(page, "speller")
        expect_class(page.locator(ANSWER), "seven")
    finally:
        shutil.rmtree(other)


def choose_run(page: Page, name: str) -> None:
    page.locator(".st-key-predict-run").get_by_role("combobox").click()
    page.get_by_role("option", name=name).click()
    settled(page)
