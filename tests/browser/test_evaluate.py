"""The Evaluate page in a real browser: a cell is clicked, and exactly its images are there."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.confusions import confused_pairs
from cnnlab.evaluate import Evaluation, evaluate
from cnnlab.runs import Run
from tests.browser.conftest import settled

GALLERY = "[class*='st-key-evaluate-cell-gallery']"


@pytest.fixture
def answers(runs: Path, trained_run: Run) -> Iterator[Evaluation]:
    """The test answers of a run that the dashboard shows while the test lasts."""
    path = runs / "evaluated"
    shutil.copytree(trained_run.path, path)
    yield evaluate(Run(path), "test")
    shutil.rmtree(path)


def evaluate_page(goto: Callable[..., Page]) -> Page:
    page = goto("/")
    page.get_by_role("link", name="Evaluate").click()
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
    expect(page.locator(GALLERY).get_by_text("✓ 3 (3)").first).to_be_visible()
