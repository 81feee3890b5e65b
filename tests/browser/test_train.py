"""The Train page in a real browser: from Start to the end, and all that may happen in between."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.config import TrainConfig
from cnnlab.new_runs import create_run
from cnnlab.runs import Run, list_runs
from tests.browser.conftest import running_server, settled
from tests.conftest import wait_until
from tests.test_pages import ended_run

Goto = Callable[..., Page]

LONG = "/?view=new&recipe=quick_digits&epochs=300"
PLOT = "[class*=st-key-curves] .plot"


def start(page: Page) -> None:
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=30_000)


def points(page: Page) -> int:
    return int(page.locator(PLOT).first.get_attribute("data-points") or 0)


def wait_for_points(page: Page, more_than: int) -> None:
    page.wait_for_function(
        f"n => +(document.querySelector('{PLOT}')?.dataset.points ?? 0) > n", arg=more_than, timeout=60_000
    )


def newest(runs: Path) -> Run:
    return list_runs(runs)[0]


def logged_steps(run: Run) -> list[int]:
    return [record["step"] for record in run.records() if record["event"] == "step"]


def test_a_first_visitor_starts_the_default_recipe_and_sees_it_finish(goto: Goto, runs: Path) -> None:
    page = goto("/")
    expect(page.get_by_text("python -m cnnlab train --recipe quick_digits", exact=True)).to_be_visible()
    start(page)
    wait_for_points(page, 0)
    names = page.locator("[class*=st-key-classes] .xtick text")
    expect(names.first).to_be_visible()
    assert names.all_text_contents() == list("0123456789")
    expect(page.get_by_text("All 12 epochs are done.").first).to_be_visible(timeout=60_000)
    expect(page.locator(".live-status").get_by_role("status")).to_contain_text("All 12 epochs are done.")
    run = newest(runs)
    assert run.state() == "finished"
    best = run.last_record("epoch")["best/accuracy"]
    expect(page.locator(".live-status dd").filter(has_text=f"{100 * best:.2f} %").first).to_be_visible()
    assert best > 0.9


def test_the_live_curve_moves_and_keeps_its_node_and_its_zoom(goto: Goto) -> None:
    page = goto(LONG)
    start(page)
    wait_for_points(page, 20)
    plot = page.locator(PLOT).first
    plot.evaluate("node => { node.mine = true; }")
    area = plot.locator(".nsewdrag.drag").first.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.2, area["y"] + area["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + area["height"] * 0.8, steps=5)
    page.mouse.up()
    zoomed = plot.evaluate("node => [...node.layout.xaxis.range, ...node.layout.yaxis.range]")
    before = points(page)
    wait_for_points(page, before + 20)
    assert plot.evaluate("node => node.mine") is True
    assert plot.evaluate("node => [...node.layout.xaxis.range, ...node.layout.yaxis.range]") == zoomed
    stop(page)


def test_a_stopped_run_resumes_and_logs_each_step_once(goto: Goto, runs: Path) -> None:
    page = goto(LONG)  # else it may end before it is stopped
    start(page)
    wait_for_points(page, 10)
    stop(page)
    run = newest(runs)
    assert run.state() == "stopped"
    before = logged_steps(run)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)
    wait_until(lambda: len(logged_steps(run)) > len(before), "A further step")
    stop(page)
    steps = logged_steps(run)
    assert len(steps) > len(before) and steps == list(range(1, len(steps) + 1))


def test_a_reload_finds_the_training_and_a_second_visitor_can_stop_it(
    goto: Goto, new_page: Callable[..., Page], server: str, runs: Path
) -> None:
    page = goto(LONG)
    start(page)
    wait_for_points(page, 10)
    page.reload()
    settled(page)
    wait_for_points(page, 10)
    other = goto("/", visitor=new_page())
    expect(other.get_by_role("button", name="Stop")).to_be_visible()
    wait_for_points(other, 10)
    stop(other)
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=30_000)
    assert newest(runs).state() == "stopped"


def test_a_second_training_waits_for_its_turn(goto: Goto, new_page: Callable[..., Page], runs: Path) -> None:
    page = goto(LONG)
    start(page)
    wait_for_points(page, 10)
    other = goto("/?view=new&recipe=quick_digits&epochs=1", visitor=new_page())
    expect(other.get_by_text("this one will wait for its turn")).to_be_visible()
    start(other)
    expect(other.get_by_text("Waiting for its turn").first).to_be_visible(timeout=30_000)
    assert newest(runs).state() == "queued"
    stop(page)
    expect(other.get_by_text("The epoch is done.").first).to_be_visible(timeout=60_000)


def test_a_training_outlives_the_server(goto: Goto, page: Page, runs: Path) -> None:
    with running_server(runs) as url:
        page.goto(url + LONG)
        settled(page)
        start(page)
        wait_for_points(page, 10)
        page.goto("about:blank")  # the tab is closed before the server goes
    run = newest(runs)
    assert run.state() == "running"
    goto("/")  # of another server
    wait_for_points(page, 10)
    stop(page)
    assert run.state() == "stopped"


def test_dark_theme_paints_light_text_on_charts(goto: Goto, new_page: Callable[..., Page], shown_run: Run) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page = goto(f"/?view=run&run={shown_run.id}", visitor=new_page(color_scheme=scheme))
        wait_for_points(page, 0)
        colours[scheme] = page.locator(PLOT).first.evaluate("node => node.layout.font.color")
    brightness = {k: sum(int(v.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)) for k, v in colours.items()}
    assert brightness["dark"] > 600 > 200 > brightness["light"]


def test_settings_are_in_the_address_and_survive_a_reload(goto: Goto) -> None:
    page = goto("/?view=new")
    rate = page.get_by_role("spinbutton", name="Learning rate")
    rate.fill("0.02")
    rate.press("Enter")
    expect(page.get_by_text("python -m cnnlab train --recipe quick_digits --lr 0.02")).to_be_visible()
    expect(page).to_have_url(re.compile("lr=0.02"))
    page.reload()
    settled(page)
    expect(page.get_by_text("python -m cnnlab train --recipe quick_digits --lr 0.02")).to_be_visible()
    page.get_by_role("button", name="Learning rate: 0.003 → 0.02").click()
    expect(page.get_by_text("python -m cnnlab train --recipe quick_digits", exact=True)).to_be_visible()


@pytest.mark.parametrize("way", ["link", "hand-over"])
def test_back_leads_to_the_page_before(goto: Goto, way: str) -> None:
    page = goto("/network")
    settled(page)
    if way == "link":
        page.get_by_role("link", name="Train").click()
    else:
        page.get_by_role("button", name="Train this network").click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Network", exact=True)).to_be_visible()
    expect(page.get_by_text("encountered an error")).to_have_count(0)


def test_a_block_that_is_opened_late_shows_its_own_values_and_groups_stay_open(goto: Goto) -> None:
    page = goto("/?view=new&recipe=quick_digits&model=custom")
    side = page.get_by_test_id("stSidebarUserContent")
    side.get_by_text("Run", exact=True).click()
    seed = side.get_by_role("spinbutton", name="Seed")
    seed.fill("5")
    seed.press("Enter")
    expect(page.get_by_text("2 changed")).to_be_visible()
    expect(seed).to_be_visible()  # its group is still open
    side.get_by_text("Network", exact=True).click()
    settled(page)
    page.get_by_role("button", name="1: 16 × 3×3, max 2").click()
    popover = page.get_by_test_id("stPopoverBody")
    expect(popover.get_by_role("spinbutton", name="Channels")).to_have_value("16")
    expect(popover.get_by_role("spinbutton", name="Kernel")).to_have_value("3")


def test_back_and_forward_bring_the_views_and_settings_that_were_open(goto: Goto) -> None:
    page = goto("/?view=new&recipe=quick_digits")
    rate, changed = page.get_by_role("spinbutton", name="Learning rate"), page.get_by_text("quick_digits --lr 0.02")
    rate.fill("0.02")
    rate.press("Enter")
    expect(changed).to_be_visible()
    page.get_by_text("All runs", exact=True).first.click()
    expect(page).to_have_url(re.compile("view=all"))
    expect(changed).to_have_count(0)
    settled(page)
    page.go_back()
    expect(changed).to_be_visible()
    settled(page)
    page.go_back()
    expect(rate).to_have_value("0.003")
    settled(page)
    page.go_forward()
    expect(changed).to_be_visible()
    settled(page)
    page.go_forward()
    expect(changed).to_have_count(0)
    expect(page).to_have_url(re.compile("lr=0.02&view=all"))


def test_a_run_is_renamed_and_deleted_after_a_question(goto: Goto, runs: Path) -> None:
    page = goto("/?view=new&recipe=quick_digits&epochs=1")
    start_quick(page)
    run = newest(runs)
    page.get_by_role("button", name="Rename").click()
    name = page.get_by_role("textbox", name="Name")
    name.fill("my first run")
    name.press("Enter")
    expect(page.get_by_role("combobox", name="Run")).to_have_value("my first run")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert run.path.exists()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("my first run")).to_have_count(0)
    assert not run.path.exists()


def test_a_run_that_somebody_deletes_is_told_where_it_is_watched(goto: Goto, runs: Path) -> None:
    run, held = create_run(runs / "doomed", {"config": TrainConfig().model_dump(mode="json")})
    page = goto("/?view=run&run=doomed")
    expect(page.get_by_text("Python and PyTorch are being loaded").first).to_be_visible()
    held.lock.release()
    run.delete()
    expect(page.get_by_text("There is no run 'doomed'").first).to_be_visible()


def start_quick(page: Page) -> None:
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("The epoch is done.").first).to_be_visible(timeout=60_000)


def test_figures_that_lie_on_each_other_are_all_told_on_hover(goto: Goto, shown_run: Run) -> None:
    page = goto(f"/?view=run&run={shown_run.id}")
    wait_for_points(page, 0)
    area = page.locator(PLOT).first.locator(".nsewdrag.drag").first.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 4)
    page.mouse.move(area["x"] + area["width"] * 0.9, area["y"] + 4, steps=5)
    told = page.locator(PLOT).first.locator(".hoverlayer")
    for split in ("training", "validation"):
        expect(told).to_contain_text(re.compile(rf"{split} : step \d+: \d\.\d{{4}}"))


def test_curves_are_saved_as_png_and_svg(goto: Goto, shown_run: Run) -> None:
    page = goto(f"/?view=run&run={shown_run.id}")
    wait_for_points(page, 0)
    for button, magic in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as download:
            page.locator(".live-plot").first.get_by_role("button", name=button).click()
        assert Path(download.value.path()).read_bytes().startswith(magic)


@pytest.mark.skipif(not os.environ.get("CNNLAB_DATA"), reason="CNNLAB_DATA does not say where the real MNIST lies")
def test_simple_cnn_learns_real_mnist_from_the_browser(goto: Goto, runs: Path) -> None:
    page = goto("/?view=new&recipe=simple_cnn&train_images=6400&epochs=1")
    expect(page.get_by_text("20,490")).to_be_visible()
    start_quick(page)
    assert newest(runs).last_record("epoch")["test/accuracy"] > 0.8


def test_tab_leads_past_the_table_of_runs_and_keys_open_one(goto: Goto, runs: Path) -> None:
    run = ended_run(runs, f"by-keys-{len(list_runs(runs))}", "finished", "All 2 epochs are done.")
    page = goto("/?view=all")
    table = page.get_by_test_id("data-grid-canvas")
    table.locator("[role=row]").first.wait_for(state="attached")  # before, there is nothing to stop at
    page.wait_for_timeout(500)
    page.get_by_role("radio", name="Sweeps").focus()
    for _ in range(10):
        page.keyboard.press("Tab")
        if table.evaluate("node => node === document.activeElement"):
            break
    expect(table).to_be_focused()
    page.wait_for_timeout(1_000)  # in which a chosen run would be opened
    expect(page).to_have_url(re.compile("view=all"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Space")
    expect(page).to_have_url(re.compile(f"view=run&run={run.id}"))
