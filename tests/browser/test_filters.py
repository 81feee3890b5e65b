"""The Filters page in a real browser: what is typed, hovered, played, linked, uploaded and photographed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from cnnlab.explain.convolution import BORDERS, Settings, SettingsError, convolve
from cnnlab.explain.gallery_pictures import gallery_picture, grey
from cnnlab.explain.kernels import Kernel, make_kernel
from cnnlab.explain.presets import make_preset
from cnnlab.ui.filters.playground import PARTS
from tests.browser.conftest import ARGUMENTS, FAKE_CAMERA, chromium, settled, take_photo

INPUT, OUTPUT = ".playground .input canvas", ".playground .output .hold canvas"
LEFT, TOP, RIGHT = 30, 2, 2  # margins of a picture on its canvas, in view.js


def painted(page: Page) -> Page:
    """Wait until the playground has drawn something and the script rests."""
    page.locator(".playground[data-paints]").wait_for()
    settled(page)
    return page


def output(page: Page) -> str:
    """The output picture as it is drawn."""
    return str(page.locator(OUTPUT).evaluate("canvas => canvas.toDataURL()"))


def wait_for_another(page: Page, before: str) -> None:
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).toDataURL() !== before",
        arg=[OUTPUT, before],
    )


def cell(page: Page, row: int, column: int) -> Locator:
    return page.get_by_label(f"Row {row}, column {column}", exact=True)


def hover(page: Page, canvas: str, row: int, column: int, rows: int, columns: int) -> None:
    """Point at a pixel of the whole picture of ``rows``×``columns``."""
    page.locator(canvas).scroll_into_view_if_needed()
    box = page.locator(canvas).bounding_box()
    assert box
    side = min((box["width"] - LEFT - RIGHT) / columns, (box["height"] - 20) / rows)
    page.mouse.move(box["x"] + LEFT + (column + 0.5) * side, box["y"] + TOP + (row + 0.5) * side)


def shown_sum(page: Page) -> float:
    return float(page.locator(".playground .arithmetic").get_attribute("data-value"))


def test_typing_one_weight_changes_the_picture_the_code_and_the_link(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters"))
    before = output(page)
    cell(page, 2, 1).fill("-2.5")
    wait_for_another(page, before)
    expect(page.get_by_text("[-2.5, 0, 2]").first).to_be_visible()
    settled(page)
    assert "k=-1%2C0%2C1%3B-2.5" in page.url
    cell(page, 2, 1).press("Enter")
    expect(cell(page, 3, 1)).to_be_focused()


def test_a_button_pressed_right_after_typing_works_on_what_was_typed(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=digit"))
    cell(page, 3, 3).fill("9")
    page.get_by_role("button", name="Rotate", exact=True).click()
    expect(cell(page, 3, 1)).to_have_value("9")
    expect(cell(page, 3, 3)).to_have_value("1")


def test_letters_in_the_grid_are_told_and_the_last_number_stays(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=digit"))
    before = output(page)
    cell(page, 1, 1).fill("abc")
    expect(page.get_by_text("“abc” is no number: give one such as 0.5 or −1.")).to_be_visible()
    assert output(page) == before
    cell(page, 1, 1).fill("−1,250")
    expect(page.get_by_text("“−1,250” may be −1250 or −1.250: write it without a comma.")).to_be_visible()
    cell(page, 1, 2).click()
    expect(cell(page, 1, 1)).to_have_value("−1")
    expect(page.locator(".playground .wrong")).to_be_hidden()


def test_hovering_shows_the_sum_that_numpy_computes(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=digit&stride=2&border=replicate&bias=3&operation=Convolution"))
    picture = grey(gallery_picture("digit"))[None]
    chosen = Settings(stride=2, border="replicate", bias=3, convolution=True)
    expected = convolve(picture, make_preset("sobel_x"), chosen)[0]
    for row, column in ((0, 0), (4, 9), (13, 13), (7, 2)):
        hover(page, OUTPUT, row, column, *expected.shape)
        expect(page.locator(".playground .where")).to_have_text(f"row {row}, column {column}")
        assert shown_sum(page) == pytest.approx(expected[row, column], abs=1e-9)
    hover(page, INPUT, 11, 7, 30, 30)  # with its border: rows 10, columns 6 of the picture, the middle of place (5, 3)
    expect(page.locator(".playground .where")).to_have_text("row 5, column 3")
    assert shown_sum(page) == pytest.approx(expected[5, 3], abs=1e-9)


def test_on_colour_all_three_channels_are_multiplied_and_added(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=shapes&color=Colour&padding=none"))
    picture = np.ascontiguousarray(gallery_picture("shapes").transpose(2, 0, 1))
    expected = convolve(picture, make_preset("sobel_x"), Settings(padding="none"))[0]
    place = page.locator(".playground")
    row, column = (int(place.get_attribute(f"data-{name}")) for name in ("row", "column"))
    assert shown_sum(page) == pytest.approx(expected[row, column], abs=1e-9)
    assert page.locator(".playground .sum-row").count() == 3
    expect(page.get_by_text("Sum of the three")).to_be_visible()
    assert page.locator(".playground .channels canvas").count() == 7


def test_the_browser_computes_what_pytorch_does(page: Page) -> None:
    compute = """([source, picture, kernel, settings, finish]) => {
        const convolve = new Function(source + "; return convolve;")();
        picture.planes = picture.planes.map((plane) => Uint8Array.from(plane));
        const found = convolve(picture, kernel, settings, finish);
        return found && found.planes.map((plane) => [...plane]);
    }"""
    source, dice, checked = (PARTS / "convolve.js").read_text("utf-8"), np.random.default_rng(0), 0
    while checked < 40:
        channels, size = int(dice.choice([1, 3])), int(dice.integers(1, 12))
        height, width = dice.integers(1, 22, 2).tolist()
        picture = dice.integers(0, 256, (channels, height, width), dtype=np.uint8)
        kernel = Kernel(dice.normal(0, 1, (int(dice.choice([1, channels])), size, size)).round(4))
        chosen = Settings(
            stride=int(dice.integers(1, 4)),
            padding=str(dice.choice(["same", "none", "2"])),
            border=BORDERS[int(dice.integers(4))],
            dilation=int(dice.integers(1, 3)),
            convolution=bool(dice.integers(2)),
            bias=float(dice.choice([0, -12.5])),
            absolute=bool(dice.integers(2)),
            threshold=dice.choice([None, 40.0]),
            summed=bool(dice.integers(2)),
        )
        (before, after), given = chosen.pads(size), dict(vars(chosen))
        given |= {"before": before, "after": after, "turn": chosen.convolution}
        planes = {"width": width, "height": height, "planes": picture.reshape(channels, -1).tolist()}
        found = page.evaluate(compute, [source, planes, kernel.weights.tolist(), given, given])
        try:
            expected = convolve(picture, kernel, chosen)
        except SettingsError:
            assert found is None
            continue
        assert np.abs(np.array(found) - expected.reshape(len(expected), -1)).max() < 1e-5, chosen
        checked += 1


def test_presets_and_their_sliders_change_the_picture(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?preset=gaussian"))
    before = output(page)
    slider = page.locator(".playground [data-name=sigma] input")
    slider.focus()
    for _ in range(12):
        slider.press("ArrowRight")
    wait_for_another(page, before)
    expect(page.locator(".playground [data-name=sigma] output")).to_have_text("2.2")
    page.wait_for_url("**sigma=2.2**")
    before = output(page)
    page.get_by_role("combobox", name="Kernel").fill("Laplacian, 8")
    page.keyboard.press("Enter")
    wait_for_another(page, before)
    expect(page.get_by_text("diagonal edges count as well")).to_be_visible()


def test_a_shared_link_shows_another_visitor_the_same(goto: Callable[..., Page], new_page: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=digit"))
    cell(page, 1, 1).fill("0,25")
    cell(page, 1, 2).click()
    page.get_by_label("Absolute value").check()
    page.wait_for_url("**absolute=True**")
    settled(page)
    visitor = painted(goto(page.url.removeprefix(page.url.split("/filters")[0]), new_page()))
    expect(cell(visitor, 1, 1)).to_have_value("0.25")
    page.mouse.move(5, 5)
    assert output(visitor) == output(page)


def test_the_kernel_slides_step_by_step_and_by_itself(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=ramp&padding=none"))
    where = page.locator(".playground .where")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.playground').dataset.row === '1'", polling=50)
    page.get_by_role("button", name="Pause").click()
    page.locator(OUTPUT).focus()
    for key in ("ArrowUp",) * 5 + ("ArrowLeft",) * 5:
        page.keyboard.press(key)
    expect(where).to_have_text("row 0, column 0")
    told = f"row 0, column 0: output {page.locator('.playground .total b').inner_text()}"
    expect(page.locator(".playground .told")).to_have_text(told)
    page.get_by_role("button", name="One step on").click()
    expect(where).to_have_text("row 0, column 1")
    page.get_by_role("button", name="One step back").click()
    expect(where).to_have_text("row 0, column 0")


def test_a_kernel_goes_into_a_file_and_comes_back(goto: Callable[..., Page], tmp_path: Path) -> None:
    page = painted(goto("/filters?preset=emboss"))
    page.get_by_role("button", name="Keep").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as JSON").click()
    assert json.loads(download.value.path().read_text())["weights"] == make_preset("emboss").weights.tolist()
    (tmp_path / "bad.json").write_text('{"weights": [[1, 2')
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput")
    chooser.set_input_files(tmp_path / "bad.json")
    expect(page.get_by_text("bad.json: The file is no JSON that can be read")).to_be_visible()
    (tmp_path / "mine.json").write_text(make_kernel([[5, 6], [7, 8]], "Mine").json)
    chooser.set_input_files(tmp_path / "mine.json")
    expect(cell(page, 2, 2)).to_have_value("8")


def test_saving_a_kernel_is_told_on_a_page_that_stays(goto: Callable[..., Page]) -> None:
    page = goto("/filters?k=1,0;0,-1")
    for name in ("Saved once", "Saved twice", "Saved thrice"):
        painted(page).get_by_role("button", name="Keep").click()
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text(f"Saved as {name}.")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(cell(page, 2, 2)).to_have_value("−1")


def test_the_picture_and_what_the_filter_makes_of_it_can_be_taken_away(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters?picture=digit"))
    picture = grey(gallery_picture("digit"))[None]
    made = convolve(picture, make_preset("sobel_x"), Settings(border="reflect"))
    for name, expected in (("Input: picture.png", picture), ("Output: result.png", made)):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert np.array_equal(np.asarray(Image.open(download.value.path())), expected[0].clip(0, 255))


def test_pictures_of_equal_bytes_and_another_shape_are_told_apart(goto: Callable[..., Page], tmp_path: Path) -> None:
    page = painted(goto("/filters?source=Upload"))
    for width, height in ((60, 40), (40, 60)):
        Image.new("L", (width, height), 255).save(tmp_path / f"{width}.png")
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / f"{width}.png")
        expect(page.locator(".playground .input .size")).to_have_text(f"{width} × {height}")


def test_the_histogram_of_colours_that_stay_apart_counts_all_of_them(page: Page) -> None:
    count = '([source, planes]) => [...new Function(source + "; return histogram;")()(planes, 2, 0, 255)]'
    assert page.evaluate(count, [(PARTS / "convolve.js").read_text("utf-8"), [[0, 9], [255, 0], [255, 200]]]) == [3, 3]


def test_an_upload_is_turned_upright_and_computed_at_a_size_that_is_told(
    goto: Callable[..., Page], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.linear_gradient("L").resize((4000, 3000)).save(tmp_path / "photo.jpg", exif=exif)
    (tmp_path / "none.png").write_bytes(b"no picture")
    page = painted(goto("/filters?source=Upload"))
    before = output(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "photo.jpg")
    expect(page.get_by_text("photo.jpg, 3,000 × 4,000, computed at 384 × 512.")).to_be_visible()
    wait_for_another(page, before)
    expect(page.locator(".playground .input .size")).to_have_text("384 × 512")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "none.png")
    expect(page.get_by_text("none.png: The file is not an image")).to_be_visible()
    expect(page.locator(".playground .input .size")).to_have_text("384 × 512")


def test_the_webcam_s_picture_is_filtered(browser: Browser, server: str) -> None:
    filming = browser.browser_type.launch(executable_path=chromium(), args=(*ARGUMENTS, *FAKE_CAMERA))
    page = filming.new_context(permissions=["camera"], viewport={"width": 1440, "height": 900}).new_page()
    page.goto(server + "/filters?source=Webcam")
    before = output(painted(page))
    take_photo(page)
    expect(page.get_by_text("Your webcam, ")).to_be_visible()
    wait_for_another(page, before)
    filming.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_draw_the_playground(goto, new_page, scheme: str) -> None:
    page = painted(
        goto("/filters?picture=digit", new_page(color_scheme=scheme, viewport={"width": 1024, "height": 800}))
    )
    text, back = page.locator(".playground").evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
        ".map((c) => c.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3)"
    )
    assert abs(text - back) > 150
    assert page.locator(".playground").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_the_titles_of_maps_lie_below_the_ticks_of_those_above(goto, new_page) -> None:
    for view in ("Layer", "Chain"):
        page = goto(f"/filters?view={view}&picture=digit", new_page(viewport={"width": 1024, "height": 768}))
        maps = page.locator(".js-plotly-plot").last
        maps.locator("[class^=xaxislayer] text").last.wait_for()
        boxes = "all => all.map((one) => one.getBoundingClientRect()).map((box) => [box.top, box.bottom])"
        titles = maps.locator(".annotation-text").evaluate_all(boxes)
        ticks = maps.locator("[class^=xaxislayer] text").evaluate_all(boxes)
        assert titles and ticks
        assert not any(top < below and above < bottom for top, bottom in titles for above, below in ticks)


def test_the_place_that_is_held_outlasts_a_reload(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters"))
    page.locator(OUTPUT).click(position={"x": 60, "y": 40})
    expect(page.get_by_text("This place is held")).to_be_visible()
    expect(page).to_have_url(re.compile(r"place=\d+%2C\d+$"))
    place, told = page.url.partition("?")[2], page.locator(".playground .arithmetic").inner_text()
    page.reload()
    expect(page.get_by_text("This place is held")).to_be_visible()
    assert page.locator(".playground .arithmetic").inner_text() == told and page.url.endswith(place)
    page.locator(OUTPUT).click(position={"x": 60, "y": 40})
    expect(page).not_to_have_url(re.compile("place="))


def test_back_and_forward_bring_the_views_that_were_open(goto: Callable[..., Page]) -> None:
    page = painted(goto("/filters"))
    for view in ("Chain", "Layer"):
        page.get_by_role("radio", name=view).click()
        expect(page).to_have_url(re.compile(f"view={view}$"))
        settled(page)
    page.go_back()
    expect(page.get_by_role("button", name="Add a filter")).to_be_visible()
    settled(page)
    page.go_back()
    painted(page)
    assert page.url.endswith("/filters")
    page.go_forward()
    expect(page.get_by_role("button", name="Add a filter")).to_be_visible()
    settled(page)
    page.go_forward()
    expect(page.get_by_text("How layers stack")).to_be_visible()
    assert page.url.endswith("view=Layer")
