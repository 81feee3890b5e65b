"""The Predict page, driven without a browser: drawings are put into the session as the canvas would."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.datasets.base import ImageDataset
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.new_runs import create_run
from cnnlab.prediction.many import read_source
from cnnlab.prediction.novelty import FEW
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.sources import from_paths
from cnnlab.prediction.temperature import Calibration
from cnnlab.runs import Run
from cnnlab.ui.inbox import Inbox
from cnnlab.ui.predict.answer import farther_than, legend
from cnnlab.ui.predict.layers import CELL, GAP, MAPS, tiles
from tests.drawn_digits import drawn_digits
from tests.pages import by_menu, drawing, said, script

VIEWS = ("Why", "Paint out", "Layers", "History")


def opened(**state: object) -> AppTest:
    return script("pages/predict.py", state={key.replace("_", "."): value for key, value in state.items()}).run()


def drawn(page: AppTest, picture: Image.Image) -> AppTest:
    page.session_state["predict.canvas"] = drawing(picture)
    return page.run()


@pytest.mark.parametrize(
    ("calibration", "sentence"),
    [
        (Calibration(1.3, 143), "Bar: how sure, calibrated."),
        (Calibration(1.0, 143), "validation images show no need to correct it."),
        (Calibration(1.0, 0), "Not calibrated:"),
    ],
)
def test_the_bars_are_called_calibrated_only_where_they_were_corrected(calibration: Calibration, sentence: str):
    assert sentence in legend(calibration)


@pytest.mark.parametrize(("as_far", "said"), [(0.0, "any"), (0.0002, "99.9 %"), (0.004, "99.6 %")])
def test_all_images_are_nearer_only_where_none_is_as_far(as_far: float, said: str):
    assert farther_than(as_far) == said


def panels(page: AppTest, key: str) -> list[dict[str, Any]]:
    """What the bars with this key show."""
    (found,) = [c for c in page.get("bidi_component") if c.proto.id.endswith(key)]
    shown: list[dict[str, Any]] = json.loads(found.proto.json)["panels"]
    return shown


def recognised(run: Run) -> tuple[Image.Image, str]:
    """A drawing that the run recognises, and what it is."""
    predictor = load_predictor(run)
    return next((p, str(d)) for p, d in drawn_digits() if (a := predictor.answer(p)).label == d and a.confidence > 0.8)


def test_without_a_run_the_page_offers_to_train_one(fresh_folders: Path):
    page = by_menu("pages/predict.py")
    assert not page.exception
    assert "There is no trained network yet" in page.info[0].value
    assert page.button(key="predict.train").label == "Train one now"


def test_a_first_training_that_failed_says_why_and_opens(fresh_folders: Path):
    run, held = create_run(fresh_folders / "first", {"config": TrainConfig().model_dump(mode="json")})
    run.append([{"event": "end", "step": 0, "status": "failed", "message": "The loss is not a number."}])
    held.lock.release()
    page = by_menu("pages/predict.py")
    assert page.error[0].value == "**first** has left no network. The loss is not a number."
    assert page.button(key="predict.train").label == "Train one now"
    page.button(key="predict.failed").click().run()
    assert page.title[0].value == "Train" and page.selectbox(key="run.widget.first.first").value == "first"


def test_an_empty_canvas_says_what_to_do(own_run: Run):
    page = opened()
    assert not page.exception and not page.error
    assert "Draw, and lift the pen" in said(page)


@pytest.mark.parametrize(("way", "first"), [("Camera", "Take a photo"), ("Test images", "Choose a test image")])
def test_other_ways_in_say_what_to_do_first(own_run: Run, way: str, first: str):
    page = opened(predict_way=way)
    assert not page.exception
    assert first in said(page) and "lift the pen" not in said(page)


def test_a_photograph_is_given_in_colour_though_the_network_takes_grey(own_run: Run, tmp_path: Path):
    Image.new("RGB", (90, 60), "red").save(tmp_path / "red.png")
    given = read_source(from_paths([tmp_path / "red.png"])[0], load_predictor(own_run)).given
    assert given.mode == "RGB"


def test_a_drawing_is_answered_with_its_confidence(own_run: Run):
    picture, digit = recognised(own_run)
    page = drawn(opened(), picture)
    assert not page.exception
    assert page.markdown[0].value.startswith(f"# {digit} ") and "sure" in page.markdown[0].value
    assert "28×28×1 numbers" in said(page) and f"Orange speaks for **{digit}**" in said(page)


def test_below_the_threshold_it_does_not_know(own_run: Run):
    predictor = load_predictor(own_run)
    asked = ((picture, predictor.answer(picture)) for picture, _ in drawn_digits())
    picture, answer = next((p, a) for p, a in asked if a.confidence < 0.9)
    page = drawn(opened(predict_threshold=95), picture)
    assert "I don't know" in said(page) and "you asked for 95 %" in said(page)
    assert f"Perhaps **{answer.class_names[answer.label]}**" in said(page)


def test_where_all_pixels_are_alike_there_is_no_answer(own_run: Run):
    page = drawn(opened(), Image.new("L", (280, 280), 255))
    assert not page.exception and "Nothing to see" in said(page)
    assert "predict.history" not in page.session_state
    assert "predict.view" not in page.session_state  # nor is there anything to look into


@pytest.mark.parametrize("view", VIEWS)
def test_each_look_inside_opens_and_asks_for_no_second_answer(own_run: Run, view: str, monkeypatch: pytest.MonkeyPatch):
    page, picture, asked = opened(predict_view=view), recognised(own_run)[0], []
    real = Predictor.answer_prepared
    monkeypatch.setattr(Predictor, "answer_prepared", lambda *given: asked.append(view) or real(*given))
    drawn(page, picture)
    assert not page.exception and not page.error and asked == [view]


def test_every_layer_is_shown_with_its_shape(own_run: Run):
    text = said(drawn(opened(predict_view="Layers"), recognised(own_run)[0]))
    assert "**Convolution** · 28×28×16" in text and "**After ReLU" in text and "**After pooling" in text
    assert "**Linear layer** · 10" in text


def test_every_feature_map_of_a_layer_can_be_seen(own_run: Run):
    page = drawn(opened(predict_view="Layers"), recognised(own_run)[0])
    assert [len(channels) for channels in shown_channels(page)][:2] == [MAPS, MAPS]
    assert page.toggle[0].label == "All 16"
    page.toggle[0].set_value(True).run()
    first, second = shown_channels(page)[:2]
    assert sorted(first) == list(range(16)) and len(second) == MAPS


def shown_channels(page: AppTest) -> list[list[int]]:
    """The channels of each layer that are shown, by the words below them."""
    return [list(map(int, image.captions[0].removeprefix("channels ").split(", "))) for image in page.get("image")]


def test_more_feature_maps_than_fit_into_a_row_go_on_in_the_next():
    sheet = tiles(np.arange(1, 15, dtype=np.float32))
    assert sheet.shape == (2 * CELL + GAP, MAPS * (CELL + GAP) - GAP, 4)
    starts = range(0, sheet.shape[1], CELL + GAP)
    assert [len(np.unique(sheet[0, starts], axis=0)), (sheet[CELL + GAP, starts, 3] > 0).sum()] == [12, 2]


def test_the_history_can_be_seen_without_a_picture(own_run: Run):
    page = drawn(opened(predict_view="Why"), recognised(own_run)[0])
    assert not page.dataframe
    page.session_state["predict.canvas"] = None
    page.button(key="predict.clear").click().run()
    assert "Draw, and lift the pen" in said(page) and len(page.dataframe[0].value) == 1
    page.button(key="predict.history.clear").click().run()
    assert not page.exception and not page.dataframe


def test_a_picture_that_is_prepared_otherwise_keeps_its_row_with_the_last_answer(own_run: Run):
    page = drawn(opened(predict_view="History"), recognised(own_run)[0])
    first = page.dataframe[0].value["Confidence"][0]
    page.session_state["predict.switched"] = {"normalise": False}
    page.run()
    (last,) = page.dataframe[0].value["Confidence"]
    assert last != first


def test_the_history_holds_each_picture_once_the_newest_first(own_run: Run):
    first, second = [p for p, _ in drawn_digits()][:2]
    page = drawn(drawn(drawn(opened(predict_view="History"), first), second), second)
    assert len(page.dataframe[0].value) == 2
    page.button(key="predict.history.clear").click().run()
    assert page.session_state["predict.history"] == []
    assert len(drawn(page, first).session_state["predict.history"]) == 1


def test_other_runs_answer_beside_it(own_run: Run, fresh_folders: Path):
    shutil.copytree(own_run.path, fresh_folders / "other")
    picture, digit = recognised(own_run)
    page = drawn(opened(predict_others=["other"], predict_run="own"), picture)
    assert not page.exception
    (panel,) = panels(page, "predict.bars.others")
    assert panel["title"] == "other" and panel["rows"][0]["name"] == digit and panel["rows"][0]["confidence"] > 0.5


def test_a_step_that_is_switched_off_changes_what_goes_in(own_run: Run):
    picture = recognised(own_run)[0]
    page = drawn(opened(predict_switched={"normalise": False}), picture)
    assert "from 0.00 to 1.00" in said(page)


def test_steps_switched_elsewhere_are_taken_by_default_again(own_run: Run):
    page = drawn(opened(predict_switched={"normalise": False}), recognised(own_run)[0])
    page.button(key="predict.steps.reset").click().run()
    assert "from 0.00 to 1.00" not in said(page) and not page.session_state["predict.switched"]
    page.session_state["predict.switched"] = {"normalise": False}
    page.session_state["predict.way"] = "Test images"
    page.run()
    assert not page.session_state["predict.switched"]


def test_a_test_image_is_asked_for_by_its_number(own_run: Run):
    page = opened(predict_way="Test images")
    number = int(evaluate(own_run, "test").ids[5])
    page.text_input(key="predict.number").set_value(f"#{number}").run()
    assert (
        not page.exception and page.session_state["predict.given.Test images own.best"].name == f"test image #{number}"
    )
    page.text_input(key="predict.number").set_value("many").run()
    told = "is none of the 359 test images: their numbers stand below them, such as 1, 2, 6."
    assert page.toast[0].value == f"'many' {told}"
    for digits in (25, 5000):
        page.text_input(key="predict.number").set_value("9" * digits).run()
        assert not page.exception and told in page.toast[0].value


def test_a_random_test_image_has_its_true_class(own_run: Run):
    page = opened(predict_way="Test images")
    page.button(key="predict.random").click().run()
    assert not page.exception
    number = int(page.session_state["predict.given.Test images own.best"].name.rpartition("#")[2])
    answers = evaluate(own_run, "test")
    right = bool(answers.right[answers.ids == number])
    assert ("✓ right" in said(page), "✗ wrong" in said(page)) == (right, not right)


def test_the_hardest_test_images_are_wrong_answers_one_after_the_other(own_run: Run):
    page = opened(predict_way="Test images")
    page.button(key="predict.hardest").click().run()
    assert "✗ wrong" in said(page)
    first = page.session_state["predict.given.Test images own.best"].name
    page.button(key="predict.hardest").click().run()
    assert page.session_state["predict.given.Test images own.best"].name != first


def test_ten_predictions_stand_beside_their_true_labels_in_one_click(own_run: Run):
    page = opened(predict_way="Test images")
    page.button(key="predict.ten").click().run()
    assert not page.exception and "of the first 10 test images are right" in said(page)


def test_answers_to_other_labels_are_not_laid_beside_the_images(own_run: Run):
    made = evaluate(own_run, "test")
    kept = own_run.path / "predictions-test.npz"
    with np.load(kept) as file:
        mark = file["mark"]
    labels = (made.labels + 1) % 10
    np.savez(kept, mark=mark, version="", log_probabilities=made.log_probabilities, labels=labels, ids=made.ids)
    page = opened(predict_way="Test images")
    assert [e.value for e in page.error] == ["The dataset has changed since these answers were made."]


def test_a_file_s_name_is_shown_letter_by_letter(own_run: Run, tmp_path: Path):
    (tmp_path / "[a] *b* :red[c].png").write_text("no picture")
    page = opened(predict_way="Folder", predict_folder=str(tmp_path / "[a] *b* :red[c].png"))
    assert r"\[a\] \*b\* \:red\[c\].png" in page.error[0].value


@pytest.fixture
def folder(digits: ImageDataset, tmp_path: Path) -> Path:
    """Five test digits and a text file called .png."""
    (tmp_path / "scans").mkdir()
    for number in range(5):
        Image.fromarray(digits.test.images[number, 0].numpy()).save(tmp_path / f"scans/{number}.png")
    (tmp_path / "scans/words.png").write_text("no picture")
    return tmp_path / "scans"


def test_a_folder_becomes_a_table_with_the_unreadable_and_why(own_run: Run, folder: Path):
    page = opened(predict_way="Folder", predict_folder=str(folder))
    assert not page.exception
    assert "**5** of 6 pictures answered; 1 without an answer: the table says why." in said(page)
    table = page.dataframe[0].value
    assert len(table) == 6 and max(table["Problem"]).startswith("The file is not an image")
    assert list(table)[:5] == ["Picture", "File", "Prediction", "Confidence", "Problem"]
    page.segmented_control(key="predict.kind").set_value("unread").run()
    assert len(page.dataframe[0].value) == 1 and list(page.dataframe[0].value) == ["File", "Problem"]


def test_not_sure_are_as_many_as_the_page_says_though_some_are_unlike_training(own_run: Run, folder: Path):
    for number in range(12):  # blots: a network is sure of hardly any
        noise = np.random.default_rng(number).integers(0, 2, (8, 8), np.uint8) * 255
        Image.fromarray(noise).save(folder / f"noise{number}.png")
    page = opened(predict_way="Folder", predict_folder=str(folder), predict_threshold=95, predict_kind="unsure")
    found = re.search(r", (\d+) of them less than 95 % sure", said(page))
    table = page.dataframe[0].value
    assert found and len(table) == int(found[1])
    assert "Unlike anything in training" in table["Problem"].tolist()
    page.segmented_control(key="predict.kind").set_value("sure").run()
    assert "Unlike anything in training" not in list(page.dataframe[0].value.get("Problem", []))


def test_a_filter_that_leaves_no_picture_says_so_in_place_of_the_table(own_run: Run, folder: Path):
    page = opened(predict_way="Folder", predict_folder=str(folder), predict_kind="unlike")
    assert not page.exception and not page.dataframe and "None of the pictures is such" in said(page)
    assert page.get("download_button")


def test_a_filter_does_not_turn_the_closer_look_to_another_picture(own_run: Run, folder: Path):
    page = opened(predict_way="Folder", predict_folder=str(folder))
    table_key = page.dataframe[0].proto.id.split("-", 2)[-1]
    page.session_state[table_key] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    page.run()
    assert [Path(entry.name).name for entry in page.session_state["predict.history"]] == ["2.png"]
    taken = sorted(set(page.dataframe[0].value["Prediction"][[0, 1, 3, 4]]))
    page.multiselect(key="predict.taken.own.best").set_value(taken).run()
    assert Path(page.dataframe[0].value["File"][2]).name != "2.png"
    assert [Path(entry.name).name for entry in page.session_state["predict.history"]] == ["2.png"]


def test_what_the_browser_sent_becomes_a_table_and_a_removed_upload_leaves_memory(own_run: Run, folder: Path):
    inbox = Inbox()
    inbox.put(tuple((path.name, path.read_bytes()) for path in sorted(folder.iterdir())))
    page = opened(predict_way="Upload", predict_inbox=inbox)
    assert not page.exception and "**5** of 6 pictures answered; 1 without an answer: the table says why." in said(page)
    inbox.put(())
    page.run()
    assert not page.exception and not page.dataframe and "predict.many" not in page.session_state


def test_what_is_left_out_is_told_and_a_bad_zip_has_its_row(own_run: Run, folder: Path):
    (folder / "photo.heic").touch()
    assert "Left out 1 file whose name" in said(opened(predict_way="Folder", predict_folder=str(folder)))
    inbox = Inbox()
    inbox.put((("0.png", (folder / "0.png").read_bytes()), ("bad.zip", b"no zip")))
    page = opened(predict_way="Upload", predict_inbox=inbox)
    assert not page.error and page.dataframe[0].value["Problem"][1].startswith("bad.zip cannot be read")


def test_a_folder_of_one_picture_is_answered_at_once(own_run: Run, folder: Path):
    page = opened(predict_way="Folder", predict_folder=str(folder / "0.png"))
    assert not page.exception and "numbers (rows" in said(page)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("/no/such/place", "There is no folder or file /no/such/place"), ("{empty}", "holds no image files")],
)
def test_a_folder_that_cannot_be_read_gets_a_sentence(own_run: Run, tmp_path: Path, path: str, sentence: str):
    (tmp_path / "empty").mkdir()
    page = opened(predict_way="Folder", predict_folder=path.format(empty=tmp_path / "empty"))
    assert not page.exception and sentence in page.error[0].value


def test_a_run_of_few_photographs_says_what_it_may_miss(fresh_folders: Path, tmp_path: Path):
    dice = np.random.default_rng(0)
    for number in range(160):
        picture = Image.fromarray(dice.integers(0, 256, (20, 20, 3), np.uint8))
        (tmp_path / f"photos/{number % 2}").mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / f"photos/{number % 2}/{number}.png")
    arguments = ["--dataset", f"folder:{tmp_path}/photos", "--image-size", "20", "--epochs", "1", "--name", "few"]
    assert main(["train", "--model", "tiny_resnet", *arguments]) == 0
    page = opened(predict_way="Folder", predict_folder=str(tmp_path / "photos/0/0.png"), predict_view="Paint out")
    assert not page.exception and not page.error and FEW in said(page)
    assert "Paint over a part of the picture, and see what that changes." in said(page)


def test_a_damaged_checkpoint_gets_a_sentence(own_run: Run):
    own_run.checkpoint_path("best").write_bytes(b"cut short")
    page = opened()
    assert not page.exception and "cannot be read" in page.error[0].value
