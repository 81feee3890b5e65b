"""The Evaluate page, driven without a browser on a real run's answers."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnnlab.cli import main
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.explain.embeddings import Cancelled, Points
from cnnlab.figures.style import shortened
from cnnlab.prediction.export import ExportError
from cnnlab.runs import Run
from cnnlab.ui import words
from cnnlab.ui.evaluate import layout_job
from cnnlab.ui.evaluate.opened import open_image, opened_image
from cnnlab.ui.evaluate.takeaway import network_file
from tests.conftest import save_again
from tests.pages import by_menu, metrics, script

VIEWS = ("Confusion", "Classes", "Images", "Feature map", "Calibration", "Curves", "Take away")


def opened(address: Mapping[str, str] | None = None, **state: object) -> AppTest:
    return script("pages/evaluate.py", address, {key.replace("_", "."): v for key, v in state.items()}).run()


def alts(page: AppTest) -> list[str]:
    """What each picture says to a reader who does not see it."""
    return [figure["alt"] for figure in figures(page)]


def figures(page: AppTest) -> list[dict[str, str]]:
    """What the browser is given for each figure."""
    parts = [json.loads(f.proto.json) for f in page.get("bidi_component")]
    return [part for part in parts if "figure" in part]


def test_without_a_run_the_page_says_what_to_do(fresh_folders: Path):
    page = by_menu("pages/evaluate.py")
    assert not page.exception
    assert "train a network first" in page.info[0].value


def test_the_headline_is_that_of_the_answers(own_run: Run):
    page = opened()
    found = evaluate(own_run, "test").scores
    assert not page.exception
    assert metrics(page)["Accuracy"] == f"{100 * found.accuracy:.2f} %"
    assert set(metrics(page)) >= {"Loss", "Balanced accuracy", "Macro F1", "Top-3 accuracy", "Calibration error"}
    assert f"of 359 test images are recognised ({found.correct})" in page.markdown[0].value
    assert [m.label for m in page.metric if "baseline" not in m.delta] == ["Calibration error"]  # its would be 0


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


def test_a_newly_picked_cell_begins_at_its_first_page(own_run: Run):
    answers = evaluate(own_run, "test")
    first, second = (answers.cell(c, c) for c in np.flatnonzero(answers.confusion.diagonal() > 16)[:2].tolist())

    def ids(page: AppTest) -> list[str]:
        return [said.split("#")[1] for said in places_shown(page)]

    page = opened()
    for places in (first, second):
        for key in ("evaluate.true", "evaluate.predicted"):
            page.selectbox(key=key).set_value(int(answers.labels[places[0]]))
        page.run()
        assert ids(page) == [str(id) for id in answers.ids[places[:16]]]
        page.get("pagination")[0].set_value(2).run()
        assert ids(page) == [str(id) for id in answers.ids[places[16:32]]]


def test_choices_are_still_there_after_a_look_at_another_view(own_run: Run):
    page = opened()
    page.selectbox(key="evaluate.true").set_value(3)
    page.selectbox(key="evaluate.predicted").set_value(2).run()
    page.segmented_control(key="evaluate.view").set_value("Classes").run()
    page.selectbox(key="evaluate.class").set_value(7)
    page.segmented_control(key="evaluate.sort").set_value("Recognised").run()
    page.segmented_control(key="evaluate.view").set_value("Calibration").run()
    page.slider(key="evaluate.threshold").set_value(80).run()
    page.segmented_control(key="evaluate.view").set_value("Curves").run()
    page.multiselect[-1].set_value([1, 4]).run()
    page.toggle[0].set_value(not page.toggle[0].value).run()
    corner = page.toggle[0].value
    page.segmented_control(key="evaluate.view").set_value("Confusion").run()
    assert [page.selectbox(key=f"evaluate.{key}").value for key in ("true", "predicted")] == [3, 2]
    page.segmented_control(key="evaluate.view").set_value("Classes").run()
    assert page.selectbox(key="evaluate.class").value == 7
    assert page.segmented_control(key="evaluate.sort").value == "Recognised"
    page.segmented_control(key="evaluate.view").set_value("Curves").run()
    assert (page.multiselect[-1].value, page.toggle[0].value) == ([1, 4], corner)


def test_the_reliability_diagram_is_told_in_words_too(own_run: Run):
    (told,) = [alt for alt in alts(opened(evaluate_view="Calibration")) if alt.startswith("Reliability")]
    answers = evaluate(own_run, "test")
    surest = answers.confidence > 14 / 15
    assert f"of {surest.sum()} images 93% to 100% sure {100 * answers.right[surest].mean():.2f} % right" in told


def test_a_class_s_figures_say_how_they_were_got(own_run: Run):
    help = next(m.help for m in opened(evaluate_view="Classes").metric if m.label == "F1" and m.help)
    assert help == "Harmonic mean of both; below, the 95 % interval (Wilson)."


def test_the_lasso_s_group_keeps_to_its_images_under_other_filters(own_run: Run):
    answers = evaluate(own_run, "test")
    same = np.bincount(answers.labels)
    first, second = next((a, b) for a in range(10) for b in range(a + 1, 10) if same[a] == same[b])
    page = opened(evaluate_view="Feature map", evaluate_only_true=[first])
    (map,) = [f for f in figures(page) if f["alt"].startswith("Feature map")]
    points = {
        id: t["text"][n] for t in json.loads(map["figure"])["data"] for n, id in enumerate(t.get("customdata", []))
    }
    assert len(points) == same[first]
    some = sorted(points)[:3]
    page.session_state["evaluate.map.own.best.test.pca"] = {"chosen": some}
    page.run()
    assert places_shown(page) == [points[n].replace("<br>", ", ") for n in some]
    page.multiselect(key="evaluate.only.true").set_value([second])
    page.session_state["evaluate.map.own.best.test.pca"] = {"chosen": some}
    page.run()
    assert "Draw around a group of points" in page.info[0].value


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
    answers = made.log_probabilities[mine].copy()
    answers[:, 3] = -100
    np.savez(
        kept, mark=parts["mark"], version="", log_probabilities=answers, labels=made.labels[mine], ids=made.ids[mine]
    )
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
    first = {name: getattr(made, name)[:1] for name in ("log_probabilities", "labels", "ids")}
    np.savez(kept, mark=mark, version="", **first)
    for view in VIEWS:
        page = opened(evaluate_view=view, evaluate_split="val")
        assert not page.exception
    if made.right[0]:  # the one cell that holds an image is open
        assert opened(evaluate_split="val").selectbox(key="evaluate.true").value == made.labels[0]
    assert "of 1 validation image is recognised" in page.markdown[0].value


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
    assert "CIFAR-100 is not on this machine: download it on the Train page" in page.warning[0].value.replace("\\", "")


def places_shown(page: AppTest) -> list[str]:
    """The captions of the gallery, the last figure with several."""
    return next(a for a in reversed(alts(page)) if "#" in a).split("; ")


def test_filters_choose_the_images_and_leave_the_headline_whole(own_run: Run):
    answers = evaluate(own_run, "test")
    whole = metrics(opened())
    mistaken = sorted(set(answers.labels[~answers.right].tolist()))[:2]
    page = opened(evaluate_view="Images", evaluate_only_outcome="wrong", evaluate_only_true=mistaken)
    assert not page.exception
    wanted = {f"#{i}" for i in answers.ids[~answers.right & np.isin(answers.labels, mistaken)]}
    assert {said.split(", ")[-1] for said in places_shown(page)} == wanted
    assert f"**{len(wanted)}** of 359 images pass the filters" in " ".join(m.value for m in page.markdown)
    assert metrics(page) == whole
    page.button(key="evaluate.only.clear").click().run()
    assert len(places_shown(page)) == 28 and not page.exception


def test_confidence_and_predicted_class_filter_too(own_run: Run):
    answers = evaluate(own_run, "test")
    unsure = answers.confidence <= 0.9
    often = int(np.bincount(answers.predicted[unsure]).argmax())
    page = opened(evaluate_view="Images", evaluate_only_predicted=[often], evaluate_only_sure=(0, 90))
    passing = (answers.predicted == often) & unsure
    assert {said.split(", ")[-1] for said in places_shown(page)} == {f"#{i}" for i in answers.ids[passing]}


@pytest.mark.parametrize("view", VIEWS)
def test_filters_that_let_nothing_through_break_no_view(own_run: Run, view: str):
    page = opened(
        evaluate_view=view, evaluate_only_outcome="wrong", evaluate_only_true=[0], evaluate_only_predicted=[0]
    )
    assert not page.exception and not page.error
    assert "**0** of 359" in " ".join(m.value for m in page.markdown)


def test_filters_of_another_run_s_classes_are_forgotten(own_run: Run):
    page = opened(evaluate_only_true=[3, 77])
    assert not page.exception
    assert page.session_state["evaluate.only.true"] == []


def test_an_image_opens_by_its_id_and_turns(own_run: Run):
    answers = evaluate(own_run, "test")
    page = opened(evaluate_view="Images")
    page.text_input(key="evaluate.id").set_value(f"#{answers.ids[7]}").run()
    assert not page.exception
    said = " ".join(m.value for m in page.markdown)
    assert f"Id {answers.ids[7]};" in said
    titles = [figure["name"] for figure in figures(page)]
    assert sum("Grad-CAM for" in title for title in titles) == 2
    assert any("Nearest training images" in title for title in titles)
    page.button(key="evaluate.one.turn.1").click().run()
    assert f"Id {answers.ids[8]};" in " ".join(m.value for m in page.markdown)


@pytest.mark.parametrize("text", ["999999", "seven", "-1", "1" * 40, "9" * 5000])
def test_an_id_that_is_none_gets_a_sentence(own_run: Run, text: str):
    page = opened(evaluate_view="Images")
    page.text_input(key="evaluate.id").set_value(text).run()
    assert not page.exception
    assert f"There is no image '{words.plain(shortened(text, 40))}' among these 359" in page.error[0].value


def test_a_perceptron_s_image_offers_the_methods_that_it_has(fresh_folders: Path):
    assert main(["train", "--model", "mlp", "--epochs", "1", "--name", "mlp", "--runs-dir", str(fresh_folders)]) == 0
    page = opened(evaluate_view="Images")
    page.text_input(key="evaluate.id").set_value(str(evaluate(Run(fresh_folders / "mlp"), "test").ids[0])).run()
    assert not page.exception
    assert "Grad-CAM needs a convolution, and this network has none." in " ".join(c.value for c in page.caption)


def test_the_neighbours_of_a_training_image_are_other_images(own_run: Run):
    answers = evaluate(own_run, "train")
    page = opened(evaluate_view="Images", evaluate_split="train")
    page.text_input(key="evaluate.id").set_value(str(answers.ids[0])).run()
    alike = next(figure for figure in figures(page) if "Nearest" in figure["name"])
    texts = [t for trace in json.loads(alike["figure"])["data"] for t in trace.get("text", [])]
    assert len(texts) == 5 and not any(t.endswith(f"#{answers.ids[0]}") for t in texts)


def test_a_class_opens_from_the_matrix(own_run: Run):
    page = opened(evaluate_class=4, evaluate_view="Classes")
    assert page.selectbox(key="evaluate.class").value == 4
    labels = json.loads(figures(opened())[0]["figure"])["layout"]["meta"]["labels"]
    assert labels == list(range(10))


def test_tsne_is_computed_once_beside_the_page(own_run: Run, until: Callable[[Callable[[], object], str], None]):
    page = opened(evaluate_view="Feature map", evaluate_layout="tsne")
    page.button(key="evaluate.tsne.start").click().run()
    assert not page.exception
    key = next(key for key in layout_job._jobs if key[0] == own_run.path)
    until(lambda: layout_job.find(key).points is not None, "t-SNE's end")
    page.run()
    assert "Feature map of 359 images by t-SNE." in alts(page)
    assert layout_job.find(key).points.shape == (359, 2)


def test_tsne_waits_for_another_and_who_watches_is_told_of_a_stop(until: Callable[[Callable[[], object], str], None]):
    def endless(report: layout_job.Report) -> Points:
        at_work.append(report)
        while not report(1, 10):
            pass
        raise Cancelled

    at_work: list[layout_job.Report] = []
    for key in ("first", "second"):
        layout_job.start(key, endless)
    until(lambda: at_work, "the first one's start")
    first, second = (layout_job.find(key) for key in ("first", "second"))
    assert first.running and second.running and len(at_work) == 1
    second.stopped.set()
    until(lambda: not second.running, "the second one's end")
    first.stopped.set()
    until(lambda: not first.running, "the first one's end")
    assert len(at_work) == 1 and first.failure == second.failure == "t-SNE was stopped."


def test_a_run_that_trains_shows_its_answers_and_newer_ones_when_it_has_saved(own_run: Run):
    with own_run.lock():
        own_run.forget_after(10**6)  # the end
        assert own_run.state() == "running"
        page = opened()
        assert "still training" in " ".join(c.value for c in page.caption) and metrics(page)["Accuracy"]
        before = metrics(page)
        save_again(own_run.checkpoint_path("best"), torch.zeros_like)
        page.button(key="evaluate.refresh").click().run()
        assert not page.exception
        assert metrics(page)["Accuracy"] != before["Accuracy"]


def test_a_network_that_cannot_be_exported_says_why(own_run: Run):
    own_run.checkpoint_path("best").write_bytes(b"cut short")
    with pytest.raises(ExportError, match=r"^The checkpoint .* cannot be read .*: it is damaged or not of cnnlab\.$"):
        network_file(own_run, "best")


def test_the_address_always_names_the_run(own_run: Run):
    page = opened()
    assert page.query_params["evaluate.run"] == "own"
    asked = opened({"evaluate.run": "gone"})
    assert [t.value for t in asked.toast] == ["There is no run 'gone': another is shown."]
    assert asked.selectbox(key="evaluate.run").value == "own"


def test_a_run_that_was_deleted_while_it_was_shown_is_told(own_run: Run):
    shutil.copytree(own_run.path, own_run.path.with_name("other"))
    Run(own_run.path.with_name("other")).add_facts({"created": own_run.created - 60})
    page = opened()
    assert page.selectbox(key="evaluate.run").value == "own" and not page.toast
    own_run.delete()
    page.segmented_control(key="evaluate.view").set_value("Classes").run()
    assert [t.value for t in page.toast] == ["The run 'own' is gone: another is shown."]
    assert page.selectbox(key="evaluate.run").value == "other" and page.query_params["evaluate.run"] == "other"


def test_an_address_opens_its_run_though_there_is_a_newer_one(own_run: Run):
    newer = own_run.path.with_name("newer")
    shutil.copytree(own_run.path, newer)
    Run(newer).add_facts({"created": own_run.created + 60})
    assert opened().selectbox(key="evaluate.run").value == "newer"
    page = opened({"evaluate.run": "own"})
    assert page.selectbox(key="evaluate.run").value == "own"
    assert page.query_params["evaluate.run"] == "own" and not page.toast


def test_a_link_by_the_id_of_a_renamed_run_opens_it(own_run: Run):
    newer = own_run.path.with_name("newer")
    shutil.copytree(own_run.path, newer)
    Run(newer).add_facts({"created": own_run.created + 60})
    own_run.rename("best so far")
    page = opened({"evaluate.run": "own"})
    assert page.selectbox(key="evaluate.run").value == "own" and not page.toast


def test_a_link_opens_the_cell_the_class_and_the_image_that_were_looked_at(own_run: Run):
    id = str(evaluate(own_run, "test").ids[17])
    page = opened({"evaluate.cell": "3,4", "evaluate.image": id})
    assert [page.selectbox(key=f"evaluate.{name}").value for name in ("true", "predicted")] == [3, 4]
    assert f"Id {id};" in " ".join(m.value for m in page.markdown) and not page.toast
    assert page.query_params["evaluate.image"] == id
    page.selectbox(key="evaluate.predicted").set_value(3).run()
    assert page.query_params["evaluate.cell"] == "3,3"
    page = opened({"evaluate.view": "Classes", "evaluate.class": "7"})
    assert page.selectbox(key="evaluate.class").value == 7 and not page.toast


def test_what_a_link_says_and_is_not_there_is_told(own_run: Run):
    page = opened({"evaluate.cell": "3,40", "evaluate.image": "9999"})
    assert [t.value for t in page.toast] == [
        "The address holds what cannot be used: evaluate.cell=3,40 evaluate.image=9999"
    ]
    assert not page.exception and "evaluate.image" not in page.query_params


def test_an_image_that_the_redrawn_figure_no_longer_holds_stays_closed() -> None:
    open_image("run", np.array([4, 7]), 7)
    open_image("run", np.array([4, 9]), 5)  # a click on the figure of before
    assert (found := opened_image("run")) and found.place == 7
