"""The Network page in a real browser: through a step, into a pixel, and out of a broken network."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from cnnlab import datasets, recipes
from cnnlab.engine import new_state
from cnnlab.explain.activations import activations
from cnnlab.explain.numbers import shown
from cnnlab.explain.step import open_step
from cnnlab.loader import scaling_of
from cnnlab.parsing import adapt
from tests.browser.conftest import settled

Goto = Callable[..., Page]


def network_page(goto: Goto, view: str) -> Page:
    page = goto("/network")
    expect(page.get_by_role("heading", name="Network", exact=True)).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("radio", name=view).or_(
        page.get_by_test_id("stMain").get_by_role("button", name=view, exact=True)
    ).first.click()
    settled(page)
    return page


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_test_id("stSidebar").get_by_label(label).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def test_next_walks_through_a_step_to_the_weights_that_torch_got(goto: Goto) -> None:
    config = adapt(recipes.get("quick_digits").config, {"model": "cnn_5x5"})
    step = open_step(config, datasets.load(config))
    page = network_page(goto, "One training step")
    expect(page.get_by_role("heading", name="1. Batch")).to_be_visible()
    for title in ("2. Logits", "3. Softmax", "4. Loss", "5. zero_grad", "6. backward", "7. step"):
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        settled(page)
        if title == "4. Loss":
            expect(page.get_by_text(f"{step.loss:.8f}")).to_be_visible()
    weights = next(iter(step.weights.values()))
    largest = int(weights.gradient.abs().argmax())
    expect(page.get_by_text("torch's own new weight").get_by_text(shown(float(weights.after[largest])))).to_be_visible()
    expect(page.get_by_text("✓ the same")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(f"{step.loss_after:.6f}")).to_be_visible()


def test_a_clicked_pixel_shows_the_sum_that_torch_computes(goto: Goto) -> None:
    config = adapt(recipes.get("quick_digits").config, {"model": "cnn_5x5", "device": "cpu"})
    digits = datasets.load(config)
    inputs = scaling_of(config, digits)(digits.test.images[:1])
    layers = activations(new_state(config, digits).model, inputs)
    page = network_page(goto, "Flow")
    strip = page.locator(".maps img[data-layer='3']")
    strip.click(position={"x": 130, "y": 30})
    told = page.get_by_text("4. Conv2d, channel")
    expect(told).to_be_visible()
    settled(page)
    place = re.search(r"channel (\d+), row (\d+), column (\d+): (\S+)", told.inner_text())
    assert place
    channel, row, column = (int(place[i]) for i in (1, 2, 3))
    torchs = f"{layers[3].output[0, channel, row, column]:.4f}".replace("-", "−")
    assert place[4] == torchs
    expect(page.get_by_text("The sum of 400 products")).to_contain_text(f"= {torchs}. torch gave {torchs}.")
    expect(page.get_by_text("It sees 14×14 pixels of the image")).to_be_visible()


def test_the_arrow_keys_go_to_a_pixel_and_its_place_and_value_are_told(goto: Goto) -> None:
    page = network_page(goto, "Flow")
    strip = page.locator(".maps .scroll[data-of='3']")
    strip.focus()
    page.keyboard.press("ArrowRight")  # into the middle of the first channel
    expect(page.get_by_text(re.compile(r"4\. Conv2d, channel \d+, row 7, column 7"))).to_be_visible()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    told = page.get_by_text(re.compile(r"4\. Conv2d, channel \d+, row 8, column 9"))
    expect(told).to_be_visible()
    value = told.inner_text().rpartition(": ")[2]
    expect(strip).to_have_attribute("aria-label", re.compile(rf"row 8, column 9, value {value.replace('−', '-')}$"))
    expect(strip).to_be_focused()


def test_a_broken_network_says_where_and_a_click_mends_it(goto: Goto) -> None:
    page = network_page(goto, "Anatomy")
    choose(page, "Show", "My own, from blocks")
    for count in (3, 4, 5):
        page.get_by_role("button", name="Add a block").click()
        expect(page.get_by_test_id("stSidebar").get_by_role("button", name=f"{count}: 32")).to_be_visible()
        settled(page)
    expect(page.get_by_text("The picture vanishes in the pooling of block 5.")).to_be_visible()
    expect(page.get_by_text("28×28 → 14×14 → 7×7 → 3×3 → 1×1")).to_be_visible()
    page.get_by_role("button", name="Set the pool of block 5 to none.").click()
    expect(page.get_by_text("Multiply-adds").first).to_be_visible()
    expect(page.get_by_text("The picture vanishes")).to_have_count(0)


def test_a_click_in_the_drawing_chooses_the_layer(goto: Goto) -> None:
    page = network_page(goto, "Anatomy")
    page.locator(".network .layer[data-index='5']").click()
    expect(page.get_by_text("(14 − 2 + 2·0)/2 + 1 = 7").first).to_be_visible()
    settled(page)
    page.locator(".network .layer[data-index='5']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("32·7·7 = 1,568")).to_be_visible()
    names = page.locator(".network .layer")
    assert names.count() == 8
    choose(page, "Network", "ResNet-18")
    expect(page.locator(".network .bow")).to_have_count(8)


def test_back_takes_a_block_away_again_and_leads_from_another_page_to_the_view_that_was_open(goto: Goto) -> None:
    page = network_page(goto, "Anatomy")
    choose(page, "Show", "My own, from blocks")
    settled(page)
    page.get_by_role("button", name="Add a block").click()
    third = page.get_by_role("button", name="3: 32")
    expect(third).to_be_visible()
    expect(page).to_have_url(re.compile("network.blocks="))
    settled(page)
    page.go_back()
    expect(third).to_have_count(0)
    expect(page).not_to_have_url(re.compile("network.blocks="))
    page.go_forward()
    expect(third).to_be_visible()
    settled(page)
    page.get_by_role("radio", name="Classics").click()
    expect(page).to_have_url(re.compile("network.view=Classics"))
    settled(page)
    page.get_by_role("link", name="Filters").click()
    expect(page).to_have_url(re.compile("/filters"))
    settled(page)
    page.go_back()
    expect(page).to_have_url(re.compile("network.view=Classics"))
    expect(page.get_by_role("radio", name="Classics")).to_be_checked()


def test_a_reload_and_a_visit_elsewhere_keep_what_was_built_and_chosen(goto: Goto) -> None:
    page = network_page(goto, "Anatomy")
    choose(page, "Show", "My own, from blocks")
    page.get_by_role("button", name="Add a block").click()
    expect(page.get_by_text("3: 32 × 3×3, max 2")).to_be_visible()  # else what is drawn is still the one before
    settled(page)
    page.locator(".network .layer[data-index='4']").click()
    told = page.get_by_text("14·14·32·(3·3·16) = 903,168")
    expect(told).to_be_visible()
    settled(page)
    for _ in range(2):
        assert "network.blocks=" in page.url and "network.part=5." in page.url
        page.reload()
        settled(page)
        expect(told).to_be_visible()
        page.get_by_role("link", name="Filters").click()
        settled(page)
        page.get_by_role("link", name="Network").click()
        settled(page)
        expect(told).to_be_visible()
        page.wait_for_timeout(300)  # the address follows the page
