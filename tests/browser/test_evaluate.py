"""The Evaluate page in a real browser: a cell is clicked, and exactly its images are there."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from cnnlab.cli import main
from cnnlab.evaluation.confusions import confused_pairs
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.runs import Run
from tests.browser.conftest import settled

GALLERY = "[class*='st-key-evaluate-cell-gallery']"


@pytest.fixture
def answers(shown_run: Run) -> Evaluation:
    """The test answers of a run that the dashboard shows while the test lasts."""
    return evaluate(shown_run, "test")


def evaluate_page(goto: Callable[..., Page]) -> Page:
    page = goto("/evaluate")
    expect(page.get_by_role("heading", name="Evaluate")).to_be_visible()
    expect(page.get_by_text("test images are recognised")).to_be_visible()
    settled(page)
    return page


def click_cell(page: Page, true: int, predicted: int, classes: int) -> None:
    """Click into the middle of a cell of the confusion matrix, its classes in the dataset's order."""
    drag = page.locator(".js-plotly-plot .nsewdrag").first
    drag.scroll_into_view_if_needed()
    box = drag.bounding_box()
    assert box
    x = box["x"] + (predicted + 0.5) * box["width"] / classes
    y = box["y"] + (true + 0.5) * box["height"] / classes
    page.mouse.move(x, y, steps=5)
    page.wait_for_timeout(300)  # Plotly answers a click with what it last hovered over
    page.mouse.click(x, y)


def test_a_clicked_cell_shows_exactly_its_images(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    pair = confused_pairs(answers.confusion)[-1]
    places = answers.cell(pair.true, pair.predicted)
    click_cell(page, pair.true, pair.predicted, len(answers.class_names))
    expect(page.get_by_text(f"{len(places)} of {pair.total} images of {pair.true}")).to_be_visible()
    settled(page)
    gallery = page.locator(GALLERY)
    for place in places[:16]:
        expect(gallery.get_by_text(f"#{answers.ids[place]}", exact=True)).to_be_visible()
    expect(gallery.get_by_text(f"✗ {pair.predicted} ({pair.true})").first).to_be_visible()


def test_a_clicked_diagonal_cell_shows_what_was_recognised(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    click_cell(page, 3, 3, len(answers.class_names))
    expect(page.get_by_text("images of 3 are recognised")).to_be_visible()
    expect(page.locator(GALLERY).get_by_text("✓ 3").first).to_be_visible()


def clicked(page: Page, figure: str, x: float, y: float) -> None:
    """Click into a figure, ``x`` and ``y`` pixels from its left upper corner."""
    box = page.locator(f"[class*='st-key-{figure}'] .nsewdrag").bounding_box()
    assert box
    page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + x, box["y"] + y)


def show(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).first.click()
    settled(page)


def test_a_clicked_image_opens_with_its_reasons_and_neighbours(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    click_cell(page, 3, 3, len(answers.class_names))
    expect(page.get_by_text("images of 3 are recognised")).to_be_visible()
    settled(page)
    first, second = answers.ids[answers.cell(3, 3)[:2]]
    clicked(page, "evaluate-cell-gallery", 50, 50)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"Id {first};")).to_be_visible()
    expect(dialog.get_by_text("Why 3? (true and predicted)")).to_be_visible()
    expect(dialog.get_by_text("numbers), among")).to_be_visible()
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_text(f"Id {second};")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_images_are_shuffled_and_picked_by_arrow_keys_and_enter(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    show(page, "Images")
    sample = page.locator("[class*='st-key-evaluate-sample-gallery'] .plot")
    before = sample.get_attribute("aria-label")
    page.get_by_role("button", name="Shuffle").click()
    expect(sample).not_to_have_attribute("aria-label", before or "")
    show(page, "Least sure right answers")
    unsure = page.locator("[class*='st-key-evaluate-unsure-gallery'] .plot")
    unsure.locator(".main-svg").first.wait_for()
    unsure.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    second = answers.ids[answers.surest(answers.right)[::-1][1]]
    told = page.locator("[class*='st-key-evaluate-unsure-gallery'] .told")
    assert "✓" in told.inner_text() and f"#{second}" in told.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text(f"Id {second};")).to_be_visible()


def test_arrow_keys_go_on_from_the_cell_that_enter_opened(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    matrix = page.locator("[class*='st-key-evaluate-matrix']")
    matrix.locator(".plot .main-svg").first.wait_for()
    matrix.locator(".plot").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    before, painted = matrix.locator(".told").inner_text(), matrix.locator(".lab-plot").get_attribute("data-painted")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(matrix.locator(".lab-plot")).not_to_have_attribute("data-painted", painted or "")
    settled(page)
    expect(matrix.locator(".ring")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(matrix.locator(".told")).to_have_text(before)


def test_a_gallery_with_less_room_is_smaller_as_a_whole(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    show(page, "Images")
    plot = page.locator("[class*='st-key-evaluate-sample-gallery'] .plot")
    plot.locator("image").wait_for()
    filled = "p => Math.abs(p.querySelector('image').getBoundingClientRect().height - p.clientHeight) < 4"
    page.wait_for_function(filled, arg=plot.element_handle())
    style = plot.get_attribute("style") or ""
    page.set_viewport_size({"width": 1024, "height": 768})
    expect(plot).not_to_have_attribute("style", style)
    page.wait_for_function(filled, arg=plot.element_handle())


def test_a_gallery_of_fewer_images_shows_them_as_large(goto: Callable[..., Page], answers: Evaluation) -> None:
    counts = answers.confusion.diagonal().tolist()
    label = min(range(len(counts)), key=lambda c: (counts[c] - 1) % 16)  # its last page holds the fewest
    page = goto(f"/evaluate?evaluate.run=shown&evaluate.cell={label},{label}")
    expect(page.get_by_text(f"images of {label} are recognised")).to_be_visible()
    gallery, last = page.locator(GALLERY), answers.cell(label, label)[-1]
    gallery.locator("image").wait_for()
    settled(page)
    page.get_by_role("button", name=f"Page {-(-counts[label] // 16)}", exact=True).click()
    expect(gallery.get_by_text(f"#{answers.ids[last]}", exact=True)).to_be_visible()
    page.wait_for_timeout(1000)  # it takes its new width
    box = gallery.locator("image").bounding_box()
    columns = min(4, (counts[label] - 1) % 16 + 1)
    assert box and abs(box["width"] - 108 * columns) < 4


def test_a_row_of_the_pairs_opens_its_images(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    pair = confused_pairs(answers.confusion)[0]
    click_cell(page, 3, 3, len(answers.class_names))
    expect(page.get_by_text("images of 3 are recognised")).to_be_visible()
    click_row(page, "evaluate-pairs", 0)
    expect(page.get_by_text(f"{pair.count} of {pair.total} images of {pair.true}")).to_be_visible()
    expect(page.locator(GALLERY).get_by_text(f"✗ {pair.predicted} ({pair.true})").first).to_be_visible()


def test_a_class_opens_by_its_name_at_the_matrix_and_by_its_row(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    page.locator("[class*='st-key-evaluate-matrix'] .ytick text").nth(4).click()
    expect(page.get_by_text("Choose a row to look into its class")).to_be_visible()
    chosen = page.locator(".st-key-evaluate-class")
    expect(chosen.get_by_role("combobox")).to_have_value("4")
    click_row(page, "evaluate-classes", 6)
    expect(chosen.get_by_role("combobox")).to_have_value("6")


def click_row(page: Page, table: str, row: int) -> None:
    """Choose a row of a table, by the box at its left."""
    settled(page)
    page.wait_for_timeout(1000)  # figures above it take their height
    canvas = page.locator(f"[class*='st-key-{table}'] canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = canvas.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 35 * (row + 1) + 17)
    settled(page)


@pytest.fixture
def many_classes(runs: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a run with more classes than have squares to step on, most of which it never answers."""
    for label in range(21):
        folder = tmp_path / "images" / f"{label:02}"
        folder.mkdir(parents=True)
        for grey in range(5):
            Image.new("L", (8, 8), 12 * label + grey).save(folder / f"{grey}.png")
    trained = ["train", "--dataset", f"folder:{tmp_path / 'images'}", "--epochs", "1", "--name", "many"]
    assert main([*trained, "--runs-dir", str(runs)]) == 0
    yield "/evaluate?evaluate.run=many"
    shutil.rmtree(runs / "many")


def test_arrow_keys_are_promised_where_they_answer(goto: Callable[..., Page], answers: Evaluation) -> None:
    matrix = evaluate_page(goto).locator("[class*='st-key-evaluate-matrix'] .plot")
    expect(matrix).to_have_attribute("role", "application")
    expect(matrix).to_have_attribute("aria-label", re.compile("Arrow keys"))


def test_no_arrow_keys_are_promised_among_many_classes(goto: Callable[..., Page], many_classes: str) -> None:
    matrix = goto(many_classes).locator("[class*='st-key-evaluate-matrix'] .plot")
    expect(matrix).to_have_attribute("role", "img")
    expect(matrix).not_to_have_attribute("aria-label", re.compile("Arrow keys"))


def test_a_class_never_answered_has_figures_of_one_height(goto: Callable[..., Page], many_classes: str) -> None:
    page = goto(many_classes)
    show(page, "Classes")
    expect(page.get_by_text("was never predicted")).to_be_visible()
    precision = page.get_by_test_id("stMetric").filter(has_text="Precision")
    boxes = [tile.bounding_box() for tile in (precision, page.get_by_test_id("stMetric").filter(has_text="F1").last)]
    assert boxes[0] and boxes[1] and boxes[0]["height"] == boxes[1]["height"]


def test_figures_are_saved_as_png_svg_and_html(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    matrix = page.locator("[class*='st-key-evaluate-matrix']")
    matrix.locator(".main-svg").first.wait_for()
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("HTML", b"<!doctype html>")):
        with page.expect_download() as waiting:
            matrix.get_by_role("button", name=kind).click()
        path = waiting.value.path()
        content = path.read_bytes()
        assert content.startswith(start)
        assert waiting.value.suggested_filename.endswith(kind.lower())
    assert b"plotly.js v" in content and b"Confusion matrix: " in content


def test_the_network_is_taken_away_and_answers(goto: Callable[..., Page], answers: Evaluation, digits) -> None:
    page = evaluate_page(goto)
    show(page, "Take away")
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_role("button", name="Trained network (PT2)").click()
    assert waiting.value.suggested_filename == "shown-best.pt2"
    with Path(waiting.value.path()).open("rb") as file:  # a download's own name has no ending, which torch wants
        network = torch.export.load(file).module()
    assert network(digits.test.images[:]).argmax(1).tolist() == answers.predicted.tolist()
    page.get_by_text("How to use the network").click()
    expect(page.get_by_text("shown-best.pt2").first).to_be_visible()


def test_a_lasso_shows_its_images_and_hovering_a_thumbnail(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = evaluate_page(goto)
    show(page, "Feature map")
    chart = page.locator("[class*='st-key-evaluate-map'] .nsewdrag")
    chart.scroll_into_view_if_needed()
    settled(page)
    box = chart.bounding_box()
    assert box
    point = page.locator("[class*='st-key-evaluate-map'] .points path").first.bounding_box()
    assert point
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2, steps=3)
    thumb = page.locator("[class*='st-key-evaluate-map'] .thumb")
    expect(thumb).to_be_visible()
    sheet = thumb.evaluate("element => element.style.backgroundImage.slice(5, -2)")
    assert page.evaluate("async url => (await fetch(url)).headers.get('content-type')", sheet) == "image/png"
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.03)]
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    expect(
        page.get_by_text(f"{len(answers.labels)} images, {int((~answers.right).sum())} of them wrong")
    ).to_be_visible()
    settled(page)


def test_figures_come_after_a_load_of_plotly_that_failed(
    goto: Callable[..., Page], page: Page, answers: Evaluation
) -> None:
    page.route("**/lab/plotly.js", lambda route: route.abort("connectionreset"), times=1)
    goto("/evaluate?evaluate.run=shown")
    expect(page.locator("[class*='st-key-evaluate-matrix'] .main-svg").first).to_be_visible()


def test_a_figure_that_was_left_is_forgotten(goto: Callable[..., Page], answers: Evaluation) -> None:
    page = goto("/?view=run")
    page.locator(".live-plot .main-svg").first.wait_for()
    browser = page.context.new_cdp_session(page)

    def leave(link: str, there: str) -> None:
        remembered = "[...document.querySelectorAll('.js-plotly-plot')].map((plot) => new WeakRef(plot))"
        assert page.evaluate(f"(window.plots = {remembered}).length") > 0
        page.get_by_role("link", name=link).click()
        page.locator(there).first.wait_for()
        settled(page)
        page.wait_for_timeout(1500)  # the old figure's last timers
        browser.send("HeapProfiler.collectGarbage")
        assert page.evaluate("window.plots.filter((plot) => plot.deref()).length") == 0

    leave("Evaluate", ".lab-plot[data-painted]")
    page.get_by_text("Errors only").click()  # drawn anew
    settled(page)
    leave("Network", "text=Anatomy")
