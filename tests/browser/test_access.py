"""What reaches those who have no mouse, or a small or magnified window."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Goto = Callable[..., Page]


def test_a_narrow_window_begins_with_the_page_and_keys_close_the_sidebar(
    goto: Goto, new_page: Callable[..., Page]
) -> None:
    page = goto("/filters", visitor=new_page(viewport={"width": 720, "height": 450}))
    expect(page).to_have_title("Filters · CNN Lab")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_have_attribute("data-collapsed", "true")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    close = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    page.mouse.move(700, 400)
    close.focus()
    expect(close).to_be_focused()
    page.keyboard.press("Enter")
    expect(sidebar).to_have_attribute("data-collapsed", "true")


@pytest.mark.parametrize("view", ["Anatomy", "One training step"])
def test_a_switch_shows_all_its_words_on_a_tablet(goto: Goto, new_page: Callable[..., Page], view: str) -> None:
    page = goto(f"/network?network.view={view}", visitor=new_page(viewport={"width": 820, "height": 1180}))
    switches = page.get_by_test_id("stMain").get_by_role("radiogroup")
    expect(switches).to_have_count(1 + (view != "Anatomy"))
    assert all(switches.evaluate_all("all => all.map(s => s.scrollWidth <= s.clientWidth)"))


def test_keys_reach_the_layers_of_a_drawing_in_which_none_is_chosen(goto: Goto) -> None:
    page = goto("/network?network.view=Classics")
    reached = page.locator(".network svg [role=button][tabindex='0']")
    expect(reached).to_have_count(2)  # one of each network
    page.get_by_role("radio", name="Classics").focus()
    for _ in range(10):
        page.keyboard.press("Tab")
        if reached.first.evaluate("node => node === document.activeElement"):
            break
    expect(reached.first).to_be_focused()
    assert reached.first.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


def test_chosen_words_have_the_colour_of_all_words_on_dark(goto: Goto, new_page: Callable[..., Page]) -> None:
    page = goto("/filters", visitor=new_page(color_scheme="dark"))
    for chosen in (page.get_by_role("radio", name="One filter"), page.get_by_role("tab", name="OpenCV")):
        expect(chosen).to_have_css("color", "rgb(230, 234, 240)")


def test_a_finger_scrolls_over_a_picture_until_it_is_magnified(goto: Goto) -> None:
    page = goto("/filters")
    picture = page.locator(".playground .hold canvas").first
    expect(picture).to_have_css("touch-action", "pan-y")
    page.get_by_role("button", name="Read pixels").click()
    expect(picture).to_have_css("touch-action", "none")
    page.get_by_role("button", name="Whole picture").click()
    expect(picture).to_have_css("touch-action", "pan-y")
