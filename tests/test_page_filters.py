"""The Filters page, driven without a browser: settings, kernels, chains, layers, links, and what people do wrong."""

import io
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from cnnlab.explain import bank
from cnnlab.explain.kernel_shelf import Shelf
from cnnlab.explain.kernels import make_kernel
from cnnlab.explain.presets import make_preset
from cnnlab.paths import runs_dir
from cnnlab.runs import Run
from cnnlab.ui import cache, select
from cnnlab.ui.filters import state
from cnnlab.ui.navigation import ENTERED
from tests.pages import by_menu, link, said, script

pytestmark = pytest.mark.usefixtures("fresh_folders")


def opened(**address: str) -> AppTest:
    return script("pages/filters.py", address).run()


def weights(page: AppTest) -> list:
    return page.session_state["filters.weights"].weights.tolist()


def shown(page: AppTest) -> dict:
    """What the browser gets to draw."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def test_a_fresh_page_is_alive_with_sobel_on_a_photograph():
    page = opened()
    assert not page.exception and link(page) == {}
    assert weights(page) == [[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]]
    assert "Finds vertical edges" in said(page) and "Edges of every direction" in said(page)
    assert "cv2.filter2D" in page.code[0].value and "F.conv2d" in page.code[1].value
    assert shown(page)["picture"] | {"src": ""} == {"src": "", "width": 512, "height": 342, "channels": 1}


def test_the_page_opens_by_its_menu():
    page = by_menu("pages/filters.py")
    assert not page.exception and page.title[0].value == "Filters"


def test_a_preset_brings_its_sentence_its_sliders_and_its_link():
    page = opened()
    page.selectbox(key="filters.choice").set_value("gaussian").run()
    assert "near neighbours count most" in said(page)
    assert [slide["name"] for slide in shown(page)["slides"]] == ["sigma"]
    assert link(page) == {"preset": "gaussian"}


def test_each_transform_changes_the_kernel():
    page = opened()
    page.button(key="filters.do.Transpose").click().run()
    assert weights(page) == [[[-1, -2, -1], [0, 0, 0], [1, 2, 1]]]
    page.button(key="filters.do.Negate").click().run()
    assert weights(page)[0][0] == [1, 2, 1]
    page.selectbox(key="filters.size").set_value(5).run()
    assert np.shape(weights(page)) == (1, 5, 5)
    page.button(key="filters.random").click().run()
    assert np.unique(weights(page)).size > 10
    assert not page.exception


def test_a_link_reproduces_the_whole_state():
    first = opened()
    first.selectbox(key="filters.picture").set_value("digit").run()
    first.number_input(key="filters.stride").set_value(2).run()
    first.selectbox(key="filters.padding").set_value("none").run()
    first.button(key="filters.do.Rotate").click().run()
    address = link(first)
    assert set(address) == {"picture", "stride", "padding", "k", "name"}
    second = opened(**address)
    assert weights(second) == weights(first)
    ignored = ("stamp", "picture")
    assert {k: v for k, v in shown(second).items() if k not in ignored} == {
        k: v for k, v in shown(first).items() if k not in ignored
    }
    assert link(second) == address


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("stride", 0, "A stride of 0 is not allowed: give 1 to 16."),
        ("stride", 99, "A stride of 99 is not allowed: give 1 to 16."),
        ("dilation", 9, "A dilation of 9 is not allowed: give 1 to 8."),
    ],
)
def test_settings_that_cannot_be_are_one_sentence_in_place_of_the_output(key, value, sentence):
    page = opened()
    page.number_input(key=f"filters.{key}").set_value(value).run()
    assert not page.exception and shown(page)["problem"] == sentence


def test_a_kernel_larger_than_the_picture_is_one_sentence():
    page = opened(picture="ramp", padding="none", preset="box", size="11")
    assert not page.exception and "The kernel reaches over 11 pixels" in shown(page)["problem"]


def test_a_kernel_for_colours_on_a_grey_picture_is_one_sentence():
    sentence = "Your own kernel has other weights for red, green and blue, and here the picture is grey: choose"
    page = opened(k="1|2|3", picture="digit")
    assert sentence in shown(page)["problem"] and not page.code and not page.exception
    page.segmented_control(key="filters.color").set_value("Colour").run()
    assert not shown(page)["problem"] and page.code
    for view in ({"view": "Chain", "chain": "own"}, {"view": "Layer", "bank": "chosen", "chosen": "own"}):
        page = opened(k="1|2|3", picture="digit", **view)
        assert sentence in page.error[0].value.replace("\\", "") and not page.exception


def test_a_kernel_of_zeros_says_what_it_gives():
    assert "All weights are 0" in said(opened(k="0,0,0;0,0,0;0,0,0"))


@pytest.fixture
def session(monkeypatch):
    """A session of the page that no script runs in."""
    held: dict = {}
    monkeypatch.setattr(state, "st", SimpleNamespace(session_state=held))
    state.use_preset("gaussian")
    return held


def test_weights_typed_by_hand_are_no_preset_any_more(session):
    state.take_edit(make_kernel([[0.5]]), {}, {"bias": 3, "absolute": True, "threshold": 9.5})
    assert state.kernel().text == "0.5" and session[state.PRESET] == state.OWN
    assert session[state.FINISH] == {"bias": 3, "absolute": True, "threshold": 9.5}


def test_a_preset_s_slider_leaves_it_a_preset(session):
    stamp = session[state.STAMP]
    params = {"size": 5.0, "sigma": 2.0}
    state.take_edit(make_preset("gaussian", **params), params, state.PLAIN)
    assert session[state.PRESET] == "gaussian" and session[state.PARAMS] == params
    assert session[state.STAMP] == stamp  # the browser shows it already
    state.take_edit(make_kernel([[0.5]]), params, state.PLAIN)
    assert session[state.PRESET] == "gaussian" and session[state.STAMP] != stamp  # it must be shown anew


def test_a_kernel_is_saved_under_a_name_and_chosen_again():
    page = opened(k="0,1;1,0")
    page.button(key="filters.keep").click().run()
    page.text_input(key="filters.keep.name").set_value("Crossing")
    page.button(key="filters.keep.save").click().run()
    assert not page.exception and not page.error
    other = opened()
    other.selectbox(key="filters.choice").set_value("saved:Crossing").run()
    assert weights(other) == [[[0, 1], [1, 0]]]


def test_a_name_that_cannot_be_is_one_sentence():
    page = opened()
    page.button(key="filters.keep").click().run()
    page.text_input(key="filters.keep.name").set_value(" ")
    page.button(key="filters.keep.save").click().run()
    assert "A name has 1 to 60 characters" in page.error[0].value


def test_after_a_file_that_holds_no_kernel_the_dialog_goes_on():
    page = opened()
    page.button(key="filters.keep").click().run()
    page.file_uploader(key="filters.keep.file").set_value(("bad.json", b"{", "application/json")).run()
    assert "no JSON that can be read" in page.error[0].value
    page.text_input(key="filters.keep.name").set_value("Mine").run()
    assert not page.error and page.text_input(key="filters.keep.name").value == "Mine"


def test_an_image_of_a_dataset_is_shown_with_its_label():
    page = opened(source="Dataset", image="3")
    assert "Digits, test image 3: " in said(page)
    page.segmented_control(key="filters.split").set_value("Training").run()
    assert "Digits, training image 3: " in said(page)
    page.segmented_control(key="filters.split").set_value("Test").run()
    page.number_input(key="filters.image").set_value(10**6).run()
    assert "There is no image 1,000,000: give a number from 0 to 358." in said(page)
    assert not page.exception


def test_a_dataset_that_is_not_here_is_told():
    page = opened(source="Dataset", dataset="cifar100")
    assert "CIFAR-100 is not on this machine" in page.warning[0].value and not page.exception


def test_colour_adds_up_or_keeps_apart():
    page = opened(color="Colour", picture="shapes", preset="identity")
    assert shown(page)["picture"]["channels"] == 3 and shown(page)["settings"]["summed"]
    assert "an even grey comes out 3 times as bright" in said(page)
    page.segmented_control(key="filters.join").set_value("Each by itself").run()
    assert not shown(page)["settings"]["summed"] and "keeps its brightness" in said(page)
    assert "np.stack(each)" in page.code[0].value


def chain(page: AppTest) -> str:
    return page.session_state["filters.chain"]


def test_a_chain_is_extended_reordered_switched_off_and_shortened():
    page = opened(view="Chain")
    assert not page.exception and chain(page) == "gaussian,sobel_x"
    page.button(key="filters.chain.add").click().run()
    assert chain(page) == "gaussian,sobel_x,sharpen"
    page.button(key=f"filters.chain.{chain(page)}.2.up").click().run()
    assert chain(page) == "gaussian,sharpen,sobel_x"
    page.toggle(key=f"filters.chain.{chain(page)}.0.on").set_value(False).run()
    assert chain(page) == "-gaussian,sharpen,sobel_x"
    page.checkbox(key=f"filters.chain.{chain(page)}.2.abs").set_value(True).run()
    assert chain(page) == "-gaussian,sharpen,~sobel_x"
    page.button(key=f"filters.chain.{chain(page)}.1.gone").click().run()
    assert chain(page) == "-gaussian,~sobel_x"
    assert link(page)["chain"] == "-gaussian,~sobel_x" and not page.exception


def test_a_kept_kernel_may_be_called_anything(fresh_folders: Path):
    Shelf(runs_dir() / "kernels.json").save(make_kernel([[1]]), "edges~")
    page = opened(view="Chain", chain="~saved:edges%7E,saved:edges~")
    assert not page.exception and chain(page) == "~saved%3Aedges~,saved%3Aedges~"


def stage(page: AppTest) -> Selectbox:
    """What the gradient is computed from."""
    return page.selectbox(key="filters.chain.stage")


def test_the_gradient_starts_from_the_stage_that_is_chosen():
    page = opened(view="Chain")
    assert stage(page).options == ["Input", "1. Gaussian blur", "2. Sobel x"] and stage(page).value == 1
    stage(page).set_value(2).run()
    assert link(page)["stage"] == "2"
    page.button(key=f"filters.chain.{chain(page)}.1.gone").click().run()
    assert stage(page).value == 1 and not page.exception


def test_the_gradient_of_a_step_that_is_off_starts_from_what_comes_before_it():
    page = opened(view="Chain")
    page.toggle(key=f"filters.chain.{chain(page)}.0.on").set_value(False).run()
    assert stage(page).options == ["Input", "2. Sobel x"] and stage(page).value == 0
    page.toggle(key=f"filters.chain.{chain(page)}.0.on").set_value(True).run()
    assert stage(page).value == 1 and link(page) == {"view": "Chain"}


def test_an_empty_chain_shows_the_picture():
    page = opened(view="Chain", chain="")
    assert not page.exception and not page.error and not page.code


def test_a_chain_shows_the_python_of_its_steps():
    opencv, pytorch = opened(view="Chain", chain="gaussian,-box,sobel_x").code
    assert opencv.value.count("cv2.filter2D") == pytorch.value.count("F.conv2d") == 2


def test_a_layer_tells_every_shape():
    page = opened(view="Layer", picture="digit")
    assert not page.exception
    text = said(page)
    assert "Input **(1, 1, 28, 28)**" in text and "Convolution **(1, 4, 25, 25)**" in text
    assert "Pooling **(1, 4, 12, 12)**" in text and "64 numbers" in text


def test_a_layer_that_does_not_fit_is_one_sentence():
    page = opened(view="Layer", picture="digit", pool_size="30")
    assert "A pooling window of 30×30 is larger than the 25 pixels" in page.error[0].value
    page = opened(view="Layer", pool_stride="0")
    assert "A pooling stride of 0 is not allowed" in page.error[0].value and not page.exception


def test_the_first_layer_of_a_run_is_loaded_and_compared(own_run: Run):
    page = opened(view="Layer", picture="digit", bank="run:own")
    assert not page.exception and not page.error
    assert "Sobel x, the kernel of One filter, is **" in page.info[0].value and "like filter" in page.info[0].value
    assert "the run's filters take what they were trained on" in said(page)
    assert "filters.color" not in [control.key for control in page.segmented_control]
    page.selectbox(key="filters.bank").set_value("four").run()
    assert page.segmented_control(key="filters.color").value == "Grey"


def test_the_scaling_of_a_run_of_colours_is_told_for_each(own_run: Run, monkeypatch):
    colours = bank.Bank(np.ones((2, 3, 3, 3)), None, ("a", "b"), mean=(0.49, 0.48, 0.45), std=(0.25, 0.24, 0.26))
    monkeypatch.setattr(cache, "first_layer", lambda run: colours)
    told = "mean 0.49 / 0.48 / 0.45, standard deviation 0.25 / 0.24 / 0.26 (red / green / blue)"
    assert told in said(opened(view="Layer", bank="run:own"))


def test_a_rerun_neither_reads_a_run_s_weights_again_nor_lists_the_runs_twice(own_run: Run, monkeypatch):
    page = opened(view="Layer", picture="digit", bank="run:own")
    done = []
    for module, name in ((bank, "load_trained"), (select, "list_runs")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda asked, name=name, real=real: done.append(name) or real(asked))
    page.number_input(key="filters.pool_size").set_value(3).run()
    assert done == ["list_runs"] and not page.exception
    os.utime(own_run.checkpoint_path("best"), ns=(1, 1))
    page.run()
    assert done[1:] == ["list_runs", "load_trained"]


def test_a_run_that_is_gone_is_told():
    page = opened(view="Layer", bank="run:gone")
    assert "The run gone is not here" in page.warning[0].value and not page.exception
    assert page.segmented_control(key="filters.color").value == "Grey"


def test_a_run_without_weights_is_told_as_such(trained_run: Run, fresh_folders: Path):
    shutil.copytree(trained_run.path, fresh_folders / "bare", ignore=shutil.ignore_patterns("checkpoints"))
    page = opened(view="Layer", bank="run:bare")
    assert (
        "The run bare has saved no weights: train it" in page.warning[0].value.replace("\\", "") and not page.exception
    )


@pytest.mark.parametrize(
    "address",
    [
        {"k": "1,2;3"},
        {"k": "a"},
        {"preset": "none"},
        {"stride": "x"},
        {"source": "Dataset", "image": "9" * 400},
        {"picture": "none"},
        {"view": "?"},
        {"view": "Layer", "page": "0"},
        {"place": "3"},
        {"place": "-1,4"},
        {"bias": "much"},
        {"bias": "nan"},
        {"threshold": "inf"},
        {"absolute": "1"},
        {"preset": "gaussian", "sigma": "foo"},
        {"clipped": "yes"},
        {"view": "Chain", "stage": "99"},
        {"view": "Chain", "chain": "gaussian,foo"},
        {"view": "Chain", "chain": "-"},
        {"view": "Layer", "chosen": "foo"},
        {"view": "Layer", "bank": "foo"},
        {"source": "Dataset", "dataset": "foo"},
    ],
)
def test_what_a_link_says_and_cannot_be_used_is_told_by_its_name_and_left_out(address: dict[str, str]):
    page = opened(**address)
    name, value = list(address.items())[-1]
    assert not page.exception
    assert page.toast[0].value == f"The address holds what cannot be used: {name}={value}"
    assert name not in link(page) and page.session_state["filters.finish"] == state.PLAIN


def test_an_address_that_the_browser_went_back_to_is_opened_and_stays():
    page = opened()
    page.session_state[ENTERED] = False
    for view in ("Layer", "Chain"):
        page.segmented_control(key="filters.view").set_value(view).run()
    page.query_params = {"view": "Layer", "pool_size": "3", "k": "0,1;1,0", "name": "Crossing"}
    page.run()
    assert page.segmented_control(key="filters.view").value == "Layer" and weights(page) == [[[0, 1], [1, 0]]]
    assert page.number_input(key="filters.pool_size").value == 3
    assert link(page) == {"view": "Layer", "pool_size": "3", "k": "0,1;1,0", "name": "Crossing"}
    page.query_params = {}
    page.run()
    assert page.segmented_control(key="filters.view").value == "One filter" and link(page) == {}
    assert weights(page) == [[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]] and not page.exception and not page.toast


def test_a_click_that_came_before_its_page_s_address_is_no_way_back():
    page = opened()
    page.session_state[ENTERED] = False
    page.segmented_control(key="filters.view").set_value("Chain").run()
    page.query_params = {}
    page.button(key="filters.chain.add").click().run()
    assert link(page) == {"view": "Chain", "chain": "gaussian,sobel_x,sharpen"}


def one_pixel() -> bytes:
    file = io.BytesIO()
    Image.new("L", (1, 1), 128).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(("view", "border"), [("One filter", "reflect"), ("Chain", "reflect"), ("Layer", "zero")])
def test_a_picture_of_one_pixel_that_does_not_fit_is_one_sentence(view: str, border: str):
    page = opened(view=view, source="Upload", border=border)
    page.file_uploader(key="filters.upload").set_value(("dot.png", one_pixel(), "image/png")).run()
    assert not page.exception and "dot.png, 1 × 1" in said(page)
    told = [error.value for error in page.error] or [shown(page)["problem"]]
    assert len(told) == 1 and "choose" in told[0]
    assert "A link to this page does not carry it." in said(page)


def test_a_layer_whose_filters_were_all_taken_away_stays_so_in_the_link():
    page = opened(view="Layer", bank="chosen")
    assert not page.error and link(page) == {"view": "Layer", "bank": "chosen"}
    page.multiselect[0].set_value([]).run()
    assert link(page)["chosen"] == ""
    assert "A layer needs at least one filter" in opened(view="Layer", bank="chosen", chosen="").error[0].value


def test_beside_a_picture_to_take_away_stands_what_it_cuts_off():
    for view in ("One filter", "Chain"):
        assert "in result.png what is below becomes 0" in said(opened(view=view))


def test_the_formula_calls_the_kernels_side_as_the_network_page_does():
    page = opened()
    assert "W - F + 2P" in page.latex[0].value and "F: the kernel's side" in said(page)


def test_the_page_of_filters_is_in_the_link_and_other_filters_begin_with_the_first(fresh_folders, trained_run):
    for name in ("one", "two"):
        shutil.copytree(trained_run.path, fresh_folders / name)
    page = opened(view="Layer", bank="run:one", page="2")
    assert not page.exception and link(page)["page"] == "2"
    page.selectbox(key="filters.bank").set_value("run:two").run()
    assert not page.exception and "page" not in link(page)


def test_every_chart_of_maps_is_told_in_words():
    for view in ("Chain", "Layer"):
        told = [json.loads(chart.proto.json) for chart in opened(view=view).get("bidi_component")]
        alts = [one["alt"] for one in told if "figure" in one]
        assert alts and all(" to " in alt for alt in alts)  # the range of each map's values


def test_a_link_leads_to_the_place_that_is_held():
    page = opened(place="10,20")
    assert not page.toast and shown(page)["held"] == "10,20" and link(page) == {"place": "10,20"}
