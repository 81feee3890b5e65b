"""A sweep in a real browser: started, watched to its end, its best settings taken over."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from cnnlab.sweeps.folder import list_sweeps
from cnnlab.sweeps.study import best_of, load_sweep

PATIENCE = 20_000  # milliseconds, on a busy machine


def test_a_sweep_is_started_and_watched_and_its_best_settings_are_taken_over(
    goto: Callable[..., Page], runs: Path
) -> None:
    page = goto("/?view=sweeps&recipe=quick_digits&model=simple_cnn&epochs=1&train_images=128")
    trials = page.get_by_role("spinbutton", name="Trials")
    trials.fill("2")
    trials.press("Enter")
    expect(page.get_by_text("--trials 2 --name quick_digits-sweep")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Start the sweep").click()
    expect(page.get_by_role("button", name="Go on to 12 trials")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("2 of 2 trials are done").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".lab-plot[data-painted] .plot")).to_have_count(2, timeout=PATIENCE)
    best = best_of(load_sweep(list_sweeps(runs)[0]).trials())
    assert best
    page.get_by_role("button", name="Use the best settings").click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(re.compile(f"lr={best.settings['lr']:g}"), timeout=PATIENCE)
