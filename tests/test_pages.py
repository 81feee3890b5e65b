"""The pages without a browser: what they say and do, by Streamlit's own AppTest."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
import torchvision
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from cnnlab import cli
from cnnlab.config import TrainConfig, title
from cnnlab.new_runs import create_run
from cnnlab.runs import Run, RunError, list_runs
from cnnlab.ui.train import data_look, form
from cnnlab.ui.train.runs_view import EVERY, IDLE, pause
from tests.pages import said, script


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, and of datasets, that the app looks into."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("CNNLAB_RUNS", str(folder))
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return folder


def opened(**address: str) -> AppTest:
    """The app as somebody sees it who opens this address."""
    app = script("app.py", address).run()
    assert not app.exception
    return app


def ended_run(folder: Path, name: str, status: str, message: str, **settings: object) -> Run:
    """A run that trained for one epoch of two, written by hand."""
    config = TrainConfig(epochs=2, **settings)
    run, held = create_run(folder / name, {"config": config.model_dump(mode="json"), "recipe": "quick_digits"})
    held.lock.release()
    run.add_facts({"images": {"train": 1295, "val": 143, "test": 359}, "class_names": list("0123456789")})
    epoch = {
        "event": "epoch", "step": 21, "epoch": 1, "train/loss": 0.5, "train/accuracy": 0.8, "val/loss": 0.25,
        "val/accuracy": 0.875, "best/epoch": 1, "best/loss": 0.25, "best/accuracy": 0.875, "elapsed": 3.0,
    }  # fmt: skip
    run.append([epoch, {"event": "end", "step": 21, "epoch": 1, "status": status, "message": message, "elapsed": 3.0}])
    return run


def tick(app: AppTest, key: str, row: int) -> None:
    """Tick a row of the table ``key``, as its browser tells it; Streamlit's own tests cannot."""
    _tell(app, key, lambda table: {"id": table.id, "string_value": json.dumps({"selection": {"rows": [row]}})})


def click_name(app: AppTest, key: str, row: int, column: str) -> None:
    """Click the name in a row of the table ``key``."""
    click = {"data": json.dumps({"row": row, "label": "its name"})}
    _tell(app, key, lambda table: {"id": table.button_click_widgets[column], "string_trigger_value": click})


def _tell(app: AppTest, key: str, state: Callable[[Any], dict[str, object]]) -> None:
    states = app._tree.get_widget_states()
    states.widgets.add(**state(next(t.proto for t in app.dataframe if t.proto.id.endswith(f"-{key}"))))
    app._run(states)
    assert not app.exception


def command(app: AppTest) -> str:
    """The command line that Start would run."""
    return app.code[0].value


def label_of(app: AppTest, field: str) -> str:
    found = [w for kind in (app.number_input, app.selectbox, app.toggle, app.text_input) for w in kind]
    return next(w.label for w in found if w.key == f"field.{field}")


def test_the_number_of_processes_is_in_the_command(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.launch.most_processes", lambda device: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    app = opened(view="new")
    assert command(app) == "python -m cnnlab train --recipe quick_digits"
    app.number_input(key="train.processes").set_value(2).run()
    shared = "OMP_NUM_THREADS=3 torchrun --standalone --nproc-per-node 2 -m cnnlab train --recipe quick_digits"
    assert command(app) == shared
    started: list[object] = []

    def start(*arguments: object, processes: int, name: str) -> Run:
        started.append(processes)
        raise RunError("Not in a test.")

    monkeypatch.setattr("cnnlab.launch.start", start)
    app.button(key="start").click().run()
    assert started == [2] and not app.exception


def test_the_app_opens_on_the_train_page_with_the_built_in_digits(runs: Path) -> None:
    app = opened()
    assert app.title[0].value == "Train"
    assert command(app) == "python -m cnnlab train --recipe quick_digits"
    assert {m.label: m.value for m in app.metric}["Parameters"] == "116,602"
    assert not app.error


@pytest.mark.parametrize(
    "address",
    [
        {"view": "new"},
        {"view": "new", "recipe": "conv_module", "lr": "0.5", "dataset": "folder:/nowhere"},
        {"view": "run"},
        {"view": "all"},
        {"view": "sweeps", "model": "custom"},
    ],
)
def test_what_a_browser_missed_of_an_interrupted_run_the_next_tells_it(runs: Path, address: dict[str, str]) -> None:
    ended_run(runs, "own", "finished", "All 2 epochs are done.")
    app = opened(**address)
    app._run(WidgetStates())  # from a browser that saw no widget yet: what the first run sent was dropped
    kinds = (app.number_input, app.text_input, app.toggle, app.selectbox, app.button_group)
    by_default = [widget for kind in kinds for widget in kind if not widget.proto.set_value]
    assert by_default
    for widget in by_default:
        value = getattr(widget, {"selectbox": "index", "button_group": "indices"}.get(widget.type, "value"))
        empty = widget.type == "number_input" and not widget.proto.HasField("default")
        assert value == (None if empty else widget.proto.default), widget.key


def test_another_batch_is_another_one_whatever_the_seed(runs: Path) -> None:
    def shown(app: AppTest) -> str:
        return next(c.proto.json for c in app.get("bidi_component") if c.proto.id.endswith("-preview"))

    for seed in ("0", "1"):
        app = opened(view="new", seed=seed)
        batches = [shown(app)]
        for _ in range(2):
            batches.append(shown(app.button(key="preview.shuffle").click().run()))
        assert len(set(batches)) == 3


def test_figures_say_what_they_show(runs: Path) -> None:
    def alts(app: AppTest) -> list[str]:
        return [told["alt"] for c in app.get("bidi_component") if "figure" in (told := json.loads(c.proto.json))]

    preview, counts = alts(opened(view="new"))
    assert preview.startswith("Training images of ") and counts.startswith("Training images: 128 of 0, ")
    ended_run(runs, "old", "finished", "All 2 epochs are done.")
    curves, classes = alts(opened(view="run", run="old"))
    assert curves == "Loss and accuracy of old over its steps; the figures above tell the last."
    assert classes == "Accuracy of old on the validation images of each class."


def test_every_field_of_the_config_has_its_widget(runs: Path) -> None:
    seen: set[str] = set()
    for address in (
        {"recipe": "cifar_cnn"},
        {"recipe": "quick_digits", "schedule": "step"},
        {"recipe": "quick_digits", "model": "custom"},
        {"recipe": "quick_digits", "dataset": "folder:/nowhere"},
    ):
        app = opened(view="new", **address)
        kinds = (app.number_input, app.selectbox, app.toggle, app.text_input)
        seen |= {str(w.key).removeprefix("field.").split(".")[0] for kind in kinds for w in kind}
    assert set(TrainConfig.model_fields) <= seen


def test_choosing_a_recipe_fills_the_form(runs: Path) -> None:
    app = opened(view="new")
    app.selectbox(key="field.recipe").select("mlp").run()
    assert command(app) == "python -m cnnlab train --recipe mlp"
    assert app.selectbox(key="field.optimizer").value == "sgd"
    assert app.number_input(key="field.lr").value == 0.01
    assert app.number_input(key="field.batch_size").value == 20


def test_another_recipe_leaves_a_persons_own_images_as_they_are(runs: Path) -> None:
    app = opened(view="new", dataset="folder:/my/photos", image_size="48", color="false", lr="0.5")
    app.selectbox(key="field.recipe").select("mlp").run()
    assert app.text_input(key="field.dataset.folder").value == "/my/photos"
    assert app.number_input(key="field.image_size").value == 48 and not app.toggle(key="field.color").value
    assert app.number_input(key="field.lr").value == 0.01 and "●" in label_of(app, "dataset")
    assert [t.value for t in app.toast] == ["The new recipe replaced what you had changed: Learning rate."]
    app.button(key="reset.dataset").click().run()
    assert app.selectbox(key="field.dataset").value == "mnist"


def test_the_path_of_own_images_is_still_there_after_another_dataset(runs: Path) -> None:
    app = opened(view="new", dataset="folder:/my/photos")
    app.selectbox(key="field.dataset").select("digits").run()
    app.selectbox(key="field.dataset").select("folder").run()
    assert app.text_input(key="field.dataset.folder").value == "/my/photos"


def test_a_change_is_marked_and_can_be_undone(runs: Path) -> None:
    app = opened(view="new")
    app.number_input(key="field.lr").set_value(0.02).run()
    assert "●" in label_of(app, "lr")
    assert "●" not in label_of(app, "epochs")
    assert app.query_params["lr"] == "0.02"
    app.button(key="reset.lr").click().run()
    assert "●" not in label_of(app, "lr")
    assert app.number_input(key="field.lr").value == 0.003
    assert "lr" not in app.query_params


@pytest.mark.parametrize("field", ["dataset", "hidden", "lr"])
def test_a_change_heard_after_its_field_is_gone_changes_nothing(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setattr(form.st, "session_state", {})
    form._changed(field)
    assert not form.st.session_state


def test_a_hidden_size_of_thousands_of_digits_is_told_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form.st, "session_state", {"field.hidden": f"64, {'9' * 5000}"})
    assert form._typed_hidden() == (64, "9" * 5000)


@pytest.mark.parametrize(("name", "range"), [("lr", "above 0 and up to"), ("momentum", "from 0 and below 1")])
def test_a_settings_help_says_the_range_that_is_allowed(name: str, range: str) -> None:
    assert range in form._help(name, TrainConfig.model_fields[name])


def test_the_classes_that_are_not_named_are_counted() -> None:
    assert data_look._some("abc") == "a, b, c" and data_look._some("abcdefghijkl").endswith("i, j and 2 more")


def test_a_link_brings_its_settings(runs: Path) -> None:
    app = opened(view="new", recipe="mlp", lr="0.5", hidden="[8]", model="custom", dropout="0.4")
    assert "--model custom" in command(app)
    assert "--hidden" in command(app)
    assert app.number_input(key="field.lr").value == 0.5
    assert app.number_input(key="field.dropout").value == 0.4


def test_a_link_with_nonsense_opens_the_recipe_and_says_so(runs: Path) -> None:
    app = opened(view="new", recipe="mlp", lr="-3")
    assert command(app) == "python -m cnnlab train --recipe mlp"
    assert "Learning rate = -3 is not allowed" in app.toast[0].value


def test_what_a_link_says_beside_a_value_that_cannot_be_used_stays(runs: Path) -> None:
    app = opened(view="new", recipe="mlp", lr="0", epochs="3", batch_size="32")
    assert command(app) == "python -m cnnlab train --recipe mlp --epochs 3 --batch-size 32"
    assert "Learning rate = 0 is not allowed" in app.toast[0].value


def test_switching_the_optimiser_leaves_no_setting_that_has_no_effect(runs: Path) -> None:
    app = opened(view="new", recipe="cifar_cnn")
    app.selectbox(key="field.optimizer").select("adam").run()
    assert "momentum" not in command(app)
    assert not any("cannot be trained" in e.value for e in app.error)


def test_a_custom_network_whose_picture_vanishes_cannot_be_started(runs: Path) -> None:
    app = opened(view="new", model="custom")
    for _ in range(4):
        app.button(key="field.blocks.add").click().run()
    assert "The picture vanishes in the pooling of block 5: 28×28 → 14×14 → 7×7 → 3×3 → 1×1" in app.error[
        0
    ].value.replace("\\", "")
    assert app.button(key="start.disabled").disabled
    app.button(key="field.blocks.remove.5").click().run()
    app.button(key="field.blocks.remove.4").click().run()
    assert not app.error


@pytest.mark.parametrize("folder", ["/no/such/place", "x" * 300])
def test_a_folder_that_is_not_there_is_told_before_start(runs: Path, folder: str) -> None:
    app = opened(view="new", dataset=f"folder:{folder}")
    assert f"There is no folder '{folder}'" in app.error[0].value and not app.exception
    assert app.button(key="start.disabled").disabled


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 900 + "]" * 900, "{"], ids=["open", "deep", "none"])
@pytest.mark.parametrize("name", ["blocks", "hidden"])
def test_a_link_with_lists_that_cannot_be_read_is_told(runs: Path, name: str, text: str) -> None:
    app = opened(view="new", epochs="7", **{name: text})
    told = app.toast[0].value
    assert f"The address holds what cannot be used. {title(name)} = " in told and "is not allowed" in told
    assert len(told) < 300
    assert not app.exception and name not in app.query_params
    assert app.number_input(key="field.epochs").value == 7


@pytest.mark.parametrize(
    ("error", "way"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), "set CUDA_VISIBLE_DEVICES"),
        (MemoryError(), "Try again"),
    ],
    ids=["the GPU's", "the machine's"],
)
def test_a_lack_of_memory_is_told_on_the_page_and_in_the_shell(
    own_run: Run, error: Exception, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cnnlab.ui.train.setup_view.setup_view", Mock(side_effect=error))
    monkeypatch.setattr("cnnlab.evaluation.evaluate.evaluate", Mock(side_effect=error))
    app = script("app.py", {"view": "new"}).run()
    assert not app.exception
    assert cli.main(["evaluate", own_run.id]) == 1
    for told in (said(app), capsys.readouterr().err):
        assert "There is not enough memory left (" in told and way in told


def test_another_fault_is_not_called_a_lack_of_memory(own_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = RuntimeError("a fault of ours")
    monkeypatch.setattr("cnnlab.ui.train.setup_view.setup_view", Mock(side_effect=fault))
    monkeypatch.setattr("cnnlab.evaluation.evaluate.evaluate", Mock(side_effect=fault))
    assert script("app.py", {"view": "new"}).run().exception
    with pytest.raises(RuntimeError, match="a fault of ours"):
        cli.main(["evaluate", own_run.id])


def test_a_link_with_names_that_mean_nothing_is_told(runs: Path) -> None:
    app = opened(view="new", recipe="quick_mnits", epoch="3", epochs="7")
    told = app.toast[0].value.replace("\\", "")
    assert "Unknown recipe 'quick_mnits'. Available: " in told and "Did you mean quick_mnist?" in told
    assert "Unknown setting 'epoch'. Did you mean epochs?" in told
    assert app.number_input(key="field.epochs").value == 7
    assert not opened(view="all", run="x", sweep="y", compare="a/b", recipe="quick_digits").toast


def test_a_link_is_refused_in_the_forms_words(runs: Path) -> None:
    told = opened(view="new", recipe="quick_digits", nesterov="true", optimizer="adamw").toast[0].value
    assert "Nesterov momentum = true has no effect with Optimiser = adamw" in told


@pytest.mark.parametrize("typed", ["{}", "'{}'", "folder:{}", "file://{}", ' "{}" '])
def test_a_folder_is_understood_however_it_was_copied(typed: str) -> None:
    assert form._path_of(typed.format("/my photos/a")) == "/my photos/a"


def test_a_folder_that_is_still_to_be_named_is_asked_for(runs: Path) -> None:
    app = opened(view="new", dataset="folder:")
    assert "Type the path of your folder of images" in app.info[0].value and not app.error
    assert app.button(key="start").disabled


def test_a_folder_that_cannot_be_used_has_one_start_that_is_blocked(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "photos" / "only").mkdir(parents=True)
    app = opened(view="new", dataset=f"folder:{tmp_path}/photos")
    assert "has 1 class folders, and a classifier needs at least 2" in app.error[0].value
    assert [button.disabled for button in app.button if button.label == "Start training"] == [True]


def test_early_stopping_without_validation_images_is_told_before_start(runs: Path) -> None:
    app = opened(view="new", validation_fraction="0", early_stopping="3")
    assert "Early stopping needs validation images: set Validation fraction above 0" in app.error[0].value.replace(
        "\\", ""
    )


def test_a_dataset_that_is_not_here_offers_its_download(runs: Path) -> None:
    app = opened(view="new", recipe="simple_cnn")
    assert any("MNIST** is not on this machine yet" in m.value for m in app.markdown)
    assert app.button(key="download.mnist")


def test_a_run_that_watches_the_test_set_warns(runs: Path) -> None:
    app = opened(view="new", watch_test="true")
    assert "no checkpoint is chosen by them" in app.info[0].value


def test_a_run_without_validation_images_is_told_before_and_after(runs: Path) -> None:
    app = opened(view="new", validation_fraction="0")
    assert "no validation images" in app.info[0].value and not app.button(key="start").disabled
    ended_run(runs, "blind", "finished", "Done.", validation_fraction=0.0).add_facts(
        {"images": {"train": 1438, "val": 0, "test": 359}}
    )
    assert "no validation images" in opened(view="run", run="blind").info[0].value


def test_the_form_tells_what_0_means(runs: Path) -> None:
    app = opened(view="new")
    assert app.number_input(key="field.train_images").label == "Training images (0: all)"
    assert app.number_input(key="field.augment_erase").label == "Erase (pixels, 0: off)"
    app.number_input(key="field.grad_clip").set_value(1.0).run()
    assert app.button(key="reset.grad_clip").label == "Gradient clipping: off → 1"


def test_all_runs_tell_what_each_has_changed(runs: Path) -> None:
    ended_run(runs, "own", "finished", "Done.", lr=0.00123456789, batch_size=7)
    table = opened(view="all").dataframe[0].value
    assert list(table)[2] == "Validation accuracy (lowest loss)" and list(table)[-2] == "Changed"
    assert "learning rate 0.00123456789" in table["Changed"][0] and "batch size 7" in table["Changed"][0]
    (ended_run(runs, "other", "finished", "Done.", dataset="mnist").path / "name").write_text("own")
    table = opened(view="all").dataframe[0].value
    assert sorted(table["Run"]) == ["own (other)", "own (own)"]
    assert not any("mnist" in changed for changed in table["Changed"])  # the dataset has a column of its own


@pytest.mark.parametrize("way", ["tick", "name"])
def test_a_click_opens_the_run_that_was_shown_there(runs: Path, way: str) -> None:
    ended_run(runs, "shown", "finished", "All 2 epochs are done.")
    app = opened(view="all")
    ended_run(runs, "newer", "finished", "All 2 epochs are done.")  # in the row of the other, but not on the screen
    tick(app, "runs.table", 0) if way == "tick" else click_name(app, "runs.table", 0, "Run")
    assert app.session_state["train.run"] == "shown" and app.query_params["run"] == "shown"


def test_before_start_it_is_told_how_many_train_and_wait(runs: Path) -> None:
    facts = {"config": TrainConfig().model_dump(mode="json")}
    held = [create_run(runs / name, facts)[1] for name in ("trains", "second", "third")]
    Run(runs / "trains").append([{"event": "start", "time": 0.0, "elapsed": 0.0}])
    told = [caption.value for caption in opened(view="new").caption]
    assert "Another training is going on and 2 more wait: this one will wait for its turn." in told
    held[2].lock.release()
    told = [caption.value for caption in opened(view="new").caption]
    assert "Another training is going on and 1 more waits: this one will wait for its turn." in told
    for lock in held[:2]:
        lock.lock.release()


def test_a_run_gets_the_name_that_was_typed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def start(*arguments: object, processes: int, name: str) -> Run:
        started.append(name)
        return ended_run(runs, name, "finished", "All 2 epochs are done.")

    monkeypatch.setattr("cnnlab.launch.start", start)
    app = opened(view="new")
    app.text_input(key="start.name").set_value(" Ada's ").run()
    assert app.button(key="start").disabled and "'Ada's' cannot be a run's name" in app.error[0].value
    app.text_input(key="start.name").set_value(" Ada 1 ").run()
    assert command(app) == "python -m cnnlab train --recipe quick_digits --name 'Ada 1'" and not app.error
    app.button(key="start").click().run()
    assert started == ["Ada 1"] and app.session_state["train.run"] == "Ada 1" and not app.exception
    app.button(key="run.repeat").click().run()
    assert app.text_input(key="start.name").value == ""
    app.text_input(key="start.name").set_value("Ada 1").run()
    assert app.button(key="start").disabled and "Another run is called 'Ada 1' already" in app.error[0].value


def test_a_visitor_is_put_on_a_training_that_goes_on_only_where_it_is_the_only_one(runs: Path) -> None:
    facts = {"config": TrainConfig().model_dump(mode="json")}
    held = [create_run(runs / "first", facts)[1]]
    assert opened().query_params["run"] == "first"
    held.append(create_run(runs / "second", facts)[1])
    app = opened()
    assert app.button(key="start") and "run" not in app.query_params
    app.button(key="start.others").click().run()
    assert app.dataframe and app.session_state["train.view"] == "All runs"
    assert opened(view="run", run="first").session_state["train.run"] == "first"  # as after a reload
    for lock in held:
        lock.lock.release()


def test_many_runs_are_looked_at_less_often() -> None:
    assert (pause(live=True, runs=20), pause(live=False, runs=20)) == (EVERY, IDLE)
    assert pause(live=True, runs=200) > EVERY and pause(live=False, runs=2000) > IDLE


def test_chosen_runs_are_compared(runs: Path) -> None:
    ended_run(runs, "slow", "finished", "", lr=0.001)
    ended_run(runs, "fast", "finished", "", lr=0.01, batch_size=64, seed=3)
    (ended_run(runs, "other", "finished", "").path / "name").write_text("fast")
    create_run(runs / "idle", {"config": TrainConfig().model_dump(mode="json")})[1].lock.release()
    app = opened(view="all")
    choice = app.multiselect(key="compare.runs")
    assert (
        sorted(choice.options) == ["fast (fast)", "fast (other)", "slow"] and not app.table
    )  # one without an epoch has nothing to compare
    choice.set_value(["fast", "slow"]).run()
    assert app.query_params["compare"] == "fast/slow"
    assert opened(view="all", compare="fast/slow").multiselect(key="compare.runs").value == ["fast", "slow"]
    table = app.table[0].value
    assert table.loc["Learning rate"].tolist() == ["0.01", "0.001"] and "Momentum" not in table.index
    assert table.loc["Validation accuracy (lowest loss)"].tolist() == ["87.50 %", "87.50 %"]
    assert any("different validation images" in caption.value for caption in app.caption)
    shutil.rmtree(runs / "slow")
    app.run()
    assert app.multiselect(key="compare.runs").value == ["fast"] and not app.table and not app.exception


def test_which_images_are_compared_stays_over_pages(runs: Path) -> None:
    for name in ("slow", "fast"):
        ended_run(runs, name, "finished", "")
    app = opened(view="all")
    app.multiselect(key="compare.runs").set_value(["fast", "slow"]).run()
    app.segmented_control(key="compare.split").set_value("train").run()
    app.switch_page("pages/filters.py").run().switch_page("pages/train.py").run()
    assert app.segmented_control(key="compare.split").value == "train"


def test_networks_of_as_many_blocks_are_told_apart(runs: Path) -> None:
    for channels in (4, 64):
        ended_run(runs, f"c{channels}", "finished", "", model="custom", blocks=[{"channels": channels}])
    app = opened(view="all")
    app.multiselect(key="compare.runs").set_value(["c4", "c64"]).run()
    told = app.table[0].value.loc["Convolution blocks"].tolist()
    assert told[0].startswith('\\[{"channels"\\:4,') and told[1].startswith('\\[{"channels"\\:64,')


def test_without_runs_the_views_say_what_to_do(runs: Path) -> None:
    for view in ("run", "all"):
        assert "There is no run yet" in opened(view=view).info[0].value


def test_an_old_run_shows_its_figures_and_can_be_resumed(runs: Path) -> None:
    ended_run(runs, "half", "stopped", "Stopped after step 21; it can be resumed.")
    app = opened(view="run", run="half")
    assert app.button(key="run.resume")
    assert not [b for b in app.button if b.key == "run.stop"]


def test_a_page_with_one_run_looks_once_at_the_others(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("other", "old"):
        ended_run(runs, name, "finished", "All 2 epochs are done.")
    app, looked, facts = opened(view="run", run="old"), list[str](), Run.facts
    monkeypatch.setattr(Run, "facts", lambda run: [looked.append(run.id), facts(run)][1])
    app.run()
    assert not app.exception and looked.count("other") == 1


def test_a_failed_run_says_why(runs: Path) -> None:
    ended_run(runs, "bad", "failed", "The loss is nan at step 7 (epoch 1): training has blown up.")
    assert "The loss is nan at step 7" in opened(view="run", run="bad").error[0].value


def test_repeat_with_changes_fills_the_form_from_the_run(runs: Path) -> None:
    ended_run(runs, "done", "finished", "All 2 epochs are done.", lr=0.25, optimizer="sgd", momentum=0.5)
    app = opened(view="run", run="done")
    app.button(key="run.repeat").click().run()
    assert app.number_input(key="field.lr").value == 0.25
    assert app.number_input(key="field.momentum").value == 0.5


def test_a_damaged_run_is_told_and_the_others_are_listed(runs: Path) -> None:
    ended_run(runs, "good", "finished", "All 2 epochs are done.")
    (runs / "broken").mkdir()
    (runs / "broken" / "config.json").write_text("{")
    app = opened(view="all")
    assert any("broken" in w.value for w in app.warning)
    assert list(app.dataframe[0].value["Run"]) == ["good"]


def test_an_address_of_a_run_that_is_gone_says_so_and_opens_no_other(runs: Path) -> None:
    ended_run(runs, "done", "finished", "All 2 epochs are done.")
    app = opened(view="run", run="gone")
    assert "There is no run 'gone'" in app.warning[0].value
    assert not [b for b in app.button if b.key == "run.delete"]


@pytest.mark.parametrize(("field", "value"), [("epochs", 0), ("lr", -1.0), ("batch_size", 10**9), ("momentum", 1.0)])
def test_a_number_out_of_its_range_blocks_start_and_is_told(runs: Path, field: str, value: float) -> None:
    app = opened(view="new", recipe="cifar_cnn", dataset="digits")
    app.number_input(key=f"field.{field}").set_value(value).run()
    assert "is not allowed" in app.error[0].value
    assert TrainConfig.model_fields[field].title in app.error[0].value
    assert app.button(key="start.disabled").disabled


def test_each_wrong_number_has_its_line_and_its_mark(runs: Path) -> None:
    app = opened(view="new")
    app.number_input(key="field.epochs").set_value(0)
    app.number_input(key="field.lr").set_value(-1.0).run()
    assert app.error[0].value.count("\n- ") == 2
    assert ":red[" in label_of(app, "epochs") and ":red[" in label_of(app, "lr")
    assert ":red[" not in label_of(app, "batch_size")


def test_deleting_asks_first(runs: Path) -> None:
    run = ended_run(runs, "done", "finished", "All 2 epochs are done.")
    app = opened(view="run", run="done")
    app.button(key="run.delete").click().run()
    assert run.path.exists()
    app.button(key="delete.yes").click().run()
    assert list_runs(runs) == []


def test_of_two_runs_with_one_name_the_question_says_which_one_goes(runs: Path) -> None:
    for id in ("one", "two"):
        (ended_run(runs, id, "finished", "All 2 epochs are done.").path / "name").write_text("same")
    app = opened(view="run", run="one")
    app.button(key="run.delete").click().run()
    assert any(m.value.startswith("**same (one)** with its metrics") for m in app.markdown)


def test_a_bad_name_is_refused_in_a_sentence(runs: Path) -> None:
    run = ended_run(runs, "done", "finished", "All 2 epochs are done.")
    app = opened(view="run", run="done")
    app.button(key="run.rename").click().run()
    app.text_input(key="rename.name").set_value("../up")
    app.button(key="rename.yes").click().run()
    assert "cannot be a run's name" in app.error[0].value
    assert run.name == "done"


def test_without_a_network_the_download_ends_in_a_sentence(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
    app = opened(view="new", recipe="simple_cnn")
    app.button(key="download.mnist").click().run()
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert said.startswith("mnist is not on this machine, and the download failed.")
    assert "train-images-idx3-ubyte.gz" in said and str(runs.parent / "data" / "MNIST" / "raw") in said


def test_a_recipe_for_a_folder_of_images_shows_them(runs: Path, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (20, 30), (number * 40, 0, 90)).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets" / "dog" / "broken.png").write_text("no picture")
    app = opened(view="new", dataset=f"folder:{tmp_path / 'pets'}", image_size="16")
    assert not app.error
    assert any("could not be read: 1 of the files" in e.label for e in app.expander)
    assert any("there twice, which may flatter a test: 6 of the files" in e.label for e in app.expander)
    assert any("16×16 pixels, colour" in c.value for c in app.caption)
    assert not app.button(key="start").disabled


def test_a_step_is_forecast_with_as_many_images_as_there_are(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed = []
    monkeypatch.setattr("cnnlab.ui.cache.seconds_per_step", lambda config, shape: timed.append(config.batch_size) or 1)
    app = opened(view="new", batch_size="4096")
    app.run()  # the page has settled
    assert timed and set(timed) == {1295} and not app.exception


def test_a_step_too_large_for_the_servers_memory_is_not_measured(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.cache.seconds_per_step", lambda config, shape: pytest.fail("It was taken."))
    monkeypatch.setattr("cnnlab.ui.train.forecast_tiles.machine_memory", lambda: 8 << 30)
    app = opened(view="new", model="custom", blocks="[]", hidden="[65536,65536]")
    app.run()
    tile = next(m for m in app.metric if m.label.startswith("One epoch"))
    assert tile.value == "–" and "parameters takes about" in tile.help and not app.exception
    assert any("more than the 8.0 GiB of this machine" in w.value and "likely to fail" in w.value for w in app.warning)
    assert not app.button(key="start").disabled


def test_memory_that_runs_out_while_a_step_is_measured_is_told(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_out(config: TrainConfig, shape: tuple[int, int, int]) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("cnnlab.ui.cache.seconds_per_step", run_out)
    app = opened(view="new")
    app.run()
    tile = next(m for m in app.metric if m.label.startswith("One epoch"))
    assert tile.value == "–" and "There is no memory left" in tile.help and not app.exception and not app.warning


def test_a_forecast_is_made_for_every_network(runs: Path) -> None:
    app = opened(view="new")
    for name in ("simple_cnn", "lenet5", "mlp", "custom", "resnet18"):
        app.selectbox(key="field.model").select(name).run()
        tiles = {m.label: m.value for m in app.metric}
        assert re.fullmatch(r"\S.* s · \S.* (s|min)", tiles["One epoch · all 12"])
        assert not app.exception
