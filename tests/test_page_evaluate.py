"""The Evaluate page, driven without a browser on a real run's answers."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.evaluate import evaluate
from cnnlab.runs import Run

PROJECT = Path(__file__).resolve().parents[1]
VIEWS = ("Confusion", "Classes", "Images", "Calibration", "Curves", "Take away")
PATIENCE = 60


@pytest.fixture
def own_run(trained_run: Run, fresh_folders: Path) -> Run:
    """A copy of the trained run in the folder that the page reads."""
    shutil.copytree(trained_run.path, fresh_folders / "own", ignore=shutil.ignore_patterns("predictions-*"))
    return Run(fresh_folders / "own")


def opened(**state: object) -> AppTest:
    page = AppTest.from_file(str(PROJECT / "pages/evaluate.py"), default_timeout=PATIENCE)
    for key, value in state.items():
        page.session_state[key.replace("_", ".")] = value
    return page.run()


def metrics(page: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def alts(page: AppTest) -> list[str]:
    """What each picture says to a reader who does not see it."""
    return [chart.proto.alt for chart in page.get("plotly_chart")]


def test_without_a_run_the_page_says_what_to_do(fresh_folders: Path):
    page = (
        AppTest.from_file(str(PROJECT / "app.py"), default_timeout=PATIENCE)
        .run()
        .switch_page("pages/evaluate.py")
        .run()
    )
    assert not page.exception
    assert "train a network first" in page.info[0].value


def test_the_headline_is_that_of_the_answers(own_run: Run):
    page = opened()
    found = evaluate(own_run, "test").scores
    assert not page.exception
    assert metrics(page)["Accuracy"] == f"{100 * found.accuracy:.2f} %"
    assert set(metrics(page)) >= {"Loss", "Balanced accuracy", "Macro F1", "Top-3 accuracy", "Calibration error"}
    assert f"of 359 test images are recognised ({found.correct})" in page.markdown[0].value
    assert all("baseline" in m.delta for m in page.metric)


def test_picking_a_cell_opens_exactly_its_images(own_run: Run):
    answers = evaluate(own_run, "test")
    true, predicted = next((int(t), int(p)) for t, p in np.argwhere(answers.confusion) if t != p)
    page = opened()
    page.selectbox(key="evaluate.true").set_value(true)
    page.selectbox(key="evaluate.predicted").set_value(predicted).run()
    places = answers.cell(true, predicted)
    assert f"**{len(places)}** of" in " ".join(m.value for m in page.markdown)
    assert all(f"✗ {predicted} ({true})" in said for said in alts(page)[1].split("; "))
    assert [said.split("#")[1] for said in alts(page)[1].split("; ")] == [str(i) for i in answers.ids[places][:16]]


def test_a_click_on_the_matrix_opens_its_cell_and_a_later_pick_wins(own_run: Run):
    page = opened()
    chart = "evaluate.matrix.own.best.test"
    page.session_state[chart] = {"selection": {"points": [{"customdata": [5, 5]}], "point_indices": [0]}}
    page.run()
    assert (page.session_state["evaluate.true"], page.session_state["evaluate.predicted"]) == (5, 5)
    page.selectbox(key="evaluate.true").set_value(1).run()
    assert (page.session_state["evaluate.true"], page.session_state["evaluate.predicted"]) == (1, 5)


def test_an_empty_cell_says_so(own_run: Run):
    empty = np.argwhere(evaluate(own_run, "test").confusion == 0)[0].tolist()
    page = opened()
    page.selectbox(key="evaluate.true").set_value(empty[0])
    page.selectbox(key="evaluate.predicted").set_value(empty[1]).run()
    assert f"No {empty[0]} was taken for {empty[1]}." in [i.value for i in page.info]


@pytest.mark.parametrize("split", ["test", "val", "train"])
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_of_each_split_opens(own_run: Run, view: str, split: str):
    page = opened(evaluate_view=view, evaluate_split=split)
    assert not page.exception and not page.error
    assert len(page.metric) >= 6


def test_a_class_without_images_and_one_never_predicted_say_so(own_run: Run):
    made = evaluate(own_run, "val")
    kept = own_run.path / "predictions-val.npz"
    with np.load(kept) as file:
        parts = dict(file)
    mine = made.labels != 3
    shares = made.probabilities[mine].copy()
    shares[:, 3] = 0
    np.savez(kept, mark=parts["mark"], probabilities=shares, labels=made.labels[mine], ids=made.ids[mine])
    page = opened(evaluate_view="Classes", evaluate_split="val", evaluate_class=3)
    assert not page.exception
    said = " ".join(i.value for i in page.info)
    assert "None of these images is of class 3" in said and "3 was never predicted" in said
    assert metrics(page)["Precision"] == "–"


def test_a_split_of_one_image_is_shown(own_run: Run):
    made = evaluate(own_run, "val")
    kept = own_run.path / "predictions-val.npz"
    with np.load(kept) as file:
        mark = file["mark"]
    np.savez(kept, mark=mark, probabilities=made.probabilities[:1], labels=made.labels[:1], ids=made.ids[:1])
    for view in VIEWS:
        page = opened(evaluate_view=view, evaluate_split="val")
        assert not page.exception
    assert "of 1 validation image" in page.markdown[0].value


def test_a_damaged_checkpoint_gets_a_sentence_and_the_other_can_be_chosen(own_run: Run):
    own_run.checkpoint_path("best").write_bytes(b"cut short")
    page = opened()
    assert "cannot be read" in page.error[0].value
    page.selectbox(key="evaluate.checkpoint").set_value("last").run()
    assert not page.error and metrics(page)["Accuracy"]


def test_answers_outlive_their_dataset_without_pictures(own_run: Run):
    evaluate(own_run, "test")
    text = (own_run.path / "config.json").read_text()
    (own_run.path / "config.json").write_text(text.replace('"dataset": "digits"', '"dataset": "folder:/gone"'))
    page = opened()
    assert not page.exception
    assert "There is no folder '/gone'" in page.warning[0].value
    assert metrics(page)["Accuracy"]


def test_pictures_are_not_downloaded_unasked(own_run: Run):
    evaluate(own_run, "test")
    text = (own_run.path / "config.json").read_text()
    (own_run.path / "config.json").write_text(text.replace('"dataset": "digits"', '"dataset": "cifar100"'))
    page = opened()
    assert "cifar100 is not on this machine: download it on the Train page" in page.warning[0].value
