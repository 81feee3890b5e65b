"""The Network page, driven without a browser."""

import io
import math
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from torch import nn
from torch.nn.functional import cross_entropy

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.explain.step import open_step
from cnnlab.loader import scaling_of
from cnnlab.models import MODELS
from cnnlab.optim import make_optimizer
from cnnlab.parsing import adapt
from cnnlab.pictures import enough, open_picture
from cnnlab.prediction.preprocess import prepare
from cnnlab.runs import Run
from cnnlab.seeding import seeded
from cnnlab.ui.network import choice, flow_image, repeat, stages
from cnnlab.ui.words import power
from tests.drawn_digits import drawn_digits
from tests.pages import drawing, link, metrics, png, said, script


def opened(address: Mapping[str, str] | None = None, **state: object) -> AppTest:
    """The page with the chosen state, or as an ``address`` opens it."""
    named = {key.replace("__", "."): value for key, value in state.items()}
    return script("app.py", address, named).switch_page("pages/network.py").run()


def test_the_page_says_where_7x7x32_comes_from(fresh_folders: Path) -> None:
    page = opened(network__part=5, network__part_of=None)
    page.selectbox(key="network.part").set_value(5).run()
    assert not page.exception
    assert metrics(page)["Parameters"] == "28,938"
    assert "`(1, 32, 14, 14)` → `(1, 32, 7, 7)`" in said(page)
    assert "(14 − 2 + 2·0)/2 + 1 = **7**" in said(page)


@pytest.mark.parametrize("name", [n for n in MODELS if n != "custom"])
def test_every_network_is_taken_apart(fresh_folders: Path, name: str) -> None:
    page = opened(network__model=name, network__images="cifar10")
    assert not page.exception and not page.error
    assert len(page.dataframe[0].value) > 5
    assert list(page.dataframe[0].value)[4:6] == ["Sees", "Stride"]  # which the caption explains: in sight


def test_the_batch_counts_in_shapes_and_memory(fresh_folders: Path) -> None:
    page = opened()
    page.number_input(key="network.batch").set_value(64).run()
    assert "`(64, 16, 28, 28)`" in said(page)
    assert "64·16·28·28·4 = **3,211,264** bytes" in said(page)


def test_a_network_whose_picture_vanishes_can_be_mended_by_a_click(fresh_folders: Path) -> None:
    page = opened(network__source="build")
    for _ in range(3):
        page.button(key="network.field.blocks.add").click().run()
    assert "The picture vanishes in the pooling of block 5" in page.error[0].value
    assert "28×28 → 14×14 → 7×7 → 3×3 → 1×1" in " ".join(c.value for c in page.caption)
    assert len([b for b in page.button if str(b.key).startswith("network.mend")]) >= 2
    page.button(key="network.mend.0").click().run()
    assert not page.error and not page.exception
    assert metrics(page)["Parameters"]


def test_sizes_that_do_not_meet_are_shown_on_both_sides(fresh_folders: Path) -> None:
    page = opened(network__source="build")
    page.toggle(key="network.own_flat").set_value(True).run()
    assert "gives 7·7·32 = 1,568 features, but the layer takes 1,000" in page.error[0].value
    assert "mat1 and mat2 shapes cannot be multiplied (1x1568 and 1000x64)" in page.code[0].value
    page.button(key="network.mend.flat").click().run()
    assert not page.error and "7·7·32 = 1,568" in page.success[0].value


def test_a_bad_hidden_size_gets_a_sentence(fresh_folders: Path) -> None:
    page = opened(network__source="build")
    page.text_input(key="network.hidden").set_value("64, many").run()
    assert not page.exception
    assert "many" in page.error[0].value and page.error[0].value.endswith(".")


def test_train_this_network_fills_the_form_of_the_train_page(fresh_folders: Path) -> None:
    page = opened(network__source="build")
    page.text_input(key="network.hidden").set_value("32").run()
    page.button(key="network.field.blocks.add").click().run()
    page.button(key="network.train").click().run()
    page.switch_page("pages/train.py").run()
    assert not page.exception
    values = page.session_state["train.values"]
    assert values["model"] == "custom" and len(values["blocks"]) == 3 and tuple(values["hidden"]) == (32,)
    assert page.session_state["train.view"] == "New run"


def test_a_link_to_a_built_network_builds_it_again(fresh_folders: Path) -> None:
    first = opened()
    first.selectbox(key="network.source").set_value("build").run()
    first.button(key="network.field.blocks.add").click().run()
    first.text_input(key="network.hidden").set_value("32, 16").run()
    blocks = link(first)["network.blocks"]
    bound = {"network.source": "My own, from blocks", "network.hidden": "32, 16"}  # written by the browser
    second = opened({"network.blocks": blocks, **bound})
    assert not second.exception and not second.toast
    assert metrics(second) == metrics(first) and link(second)["network.blocks"] == blocks
    second.button(key="network.field.blocks.remove.2").click().run()
    assert "network.blocks" not in link(second)


def test_a_link_to_a_place_opens_it(fresh_folders: Path) -> None:
    page = opened({"network.part": "6. MaxPool2d (5)", "network.batch": "64"})
    assert page.selectbox(key="network.part").value == 5 and "`(64, 32, 14, 14)`" in said(page)
    page = opened({"network.view": "One training step", "step.stage": "Loss", "step.number": "2"})
    assert page.subheader[0].value == "4. Loss" and page.number_input(key="step.number").value == 2
    step = {"network.view": "One training step", "step.stage": "step"}
    page = opened({**step, "step.weights": "4. Conv2d: 3.weight", "step.index.3.weight": "7", "repeat.steps": "3"})
    assert "`3.weight[0, 0, 1, 2]`" in said(page) and page.slider(key="repeat.steps").value == 3 and not page.toast
    page = opened({"network.view": "Flow", "flow.chosen": "3,5,6,7", "flow.number": "#6"})
    assert "**4. Conv2d**, channel 5, row 6, column 7" in said(page)
    assert any("Test image #6" in c.value for c in page.caption) and not page.toast
    page = opened({"network.view": "Calculator & quiz", "quiz.round": "3", "calculator.width": "9"})
    assert page.session_state["quiz.round"] == 3 and "(9 − 5 + 2·0)/1 + 1" in said(page) and not page.toast
    page = opened({"network.view": "Classics", "classics.depth": "12", "classics.seed": "7"})
    assert "the first of 12 plain layers" in said(page) and not page.toast


@pytest.mark.parametrize(
    "wrong",
    [
        {"network.model": "LeNet5"},
        {"network.view": "flow"},
        {"network.source": "My own, from blocks", "network.blocks": "[5]"},
        {"network.source": "My own, from blocks", "network.blocks": "[" * 100_000},
        {"network.source": "My own, from blocks", "network.blocks": '{"channels": 4}'},
        {"network.source": "My own, from blocks", "network.blocks": '[{"channels": -1}]'},
        {"network.batch": "0"},
        {"network.view": "Flow", "flow.chosen": "99,0,0,0"},
        {"network.view": "Flow", "flow.chosen": "here"},
        {"network.view": "Calculator & quiz", "quiz.round": "last"},
        {"network.view": "One training step", "step.stage": "loss", "step.number": "many"},
        {"network.view": "One training step", "step.own": "maybe"},
        {"network.view": "One training step", "repeat.factor": "7"},
        {"network.view": "One training step", "step.stage": "step", "step.weights": "bias"},
        {"network.view": "Flow", "flow.most": "17"},
        {"network.view": "Flow", "flow.strongest": "maybe"},
        {"network.view": "Flow", "flow.side": "Learnt"},
        {"network.view": "Calculator & quiz", "calculator.width": "7.7"},
        {"network.view": "Classics", "classics.he": "1"},
    ],
)
def test_what_a_link_says_and_cannot_be_used_is_told(fresh_folders: Path, wrong: dict[str, str]) -> None:
    page = opened(wrong)
    assert not page.exception and len(page.toast) == 1
    told = page.toast[0].value
    assert told.startswith("The address holds what cannot be used: ") and list(wrong)[-1] in told
    page.run()
    assert not page.toast


def test_a_chosen_layer_stage_and_weight_outlast_a_visit_elsewhere(fresh_folders: Path) -> None:
    page = opened()
    view = page.segmented_control(key="network.view")
    page.selectbox(key="network.part").set_value(4).run()
    view.set_value("One training step").run()
    page.segmented_control(key="step.stage").set_value("step").run()
    page.selectbox(key="step.weights").set_value("3.weight").run()
    page.segmented_control(key="network.view").set_value("Code").run()
    page.segmented_control(key="network.view").set_value("One training step").run()
    assert "4. Conv2d: 3.weight" in page.selectbox(key="step.weights").options
    assert page.subheader[0].value == "7. step" and page.selectbox(key="step.weights").value == "3.weight"
    page.segmented_control(key="network.view").set_value("Calculator & quiz").run()
    page.segmented_control(key="network.view").set_value("Anatomy").run()
    assert page.selectbox(key="network.part").value == 4


def test_a_layer_s_table_has_what_can_be_worked_out_alone(fresh_folders: Path) -> None:
    for name, rows in (("2. ReLU (1)", 3), ("7. Flatten (6)", 2), ("8. Linear (7)", 3)):
        page = opened({"network.part": name})
        table = next(m.value for m in page.markdown if m.value.startswith("| | Formula |"))
        assert len(table.splitlines()) == 2 + rows and "**0**" not in table


def test_pixels_beyond_the_edge_are_written_with_a_minus(fresh_folders: Path) -> None:
    page = opened({"network.view": "Flow", "flow.chosen": "0,0,0,0"})
    assert "rows −2 to 2, columns −2 to 2. Beyond the edge is padding." in said(page)


def test_an_image_is_called_by_its_number(fresh_folders: Path) -> None:
    page = opened(network__view="Flow")
    assert any("Test image #1," in c.value for c in page.caption)
    page.text_input(key="flow.number").set_value("6").run()
    assert any("Test image #6," in c.value for c in page.caption) and not page.warning
    page.text_input(key="flow.number").set_value("#3").run()
    assert page.warning[0].value.startswith("There is no test image '\\#3'. Shown instead: #1")


def test_a_trained_run_and_no_run(fresh_folders: Path, trained_run: Run) -> None:
    page = opened(network__source="run")
    assert "No network has been trained yet" in page.info[0].value
    shutil.copytree(trained_run.path, fresh_folders / "own")
    page = opened(network__source="run")
    assert not page.exception and metrics(page)["Parameters"] == "116,602"


def value(written: str) -> float:
    return float(written.strip("()").replace("−", "-"))


STEPS = ("Batch", "Logits", "Softmax", "Loss", "zero_grad", "backward", "step", "After")


def test_next_goes_through_all_stages_of_a_step(fresh_folders: Path) -> None:
    page = opened(network__view="One training step")
    for number, stage in enumerate(STEPS):
        assert not page.exception
        assert page.subheader[0].value == f"{number + 1}. {stage}"
        if number < len(STEPS) - 1:
            page.button(key="step.next").click().run()
    assert page.button(key="step.next").disabled
    shown = metrics(page)
    assert float(shown["Loss afterwards"]) < float(shown["Loss before"])


def test_the_lines_beside_the_stages_give_the_steps_numbers(grey_squares: ImageDataset) -> None:
    config = TrainConfig(
        model="cnn_5x5", batch_size=16, optimizer="adamw", lr=0.01, schedule="constant", label_smoothing=0.1,
        grad_clip=0.5,
    )  # fmt: skip
    step = open_step(config, grey_squares)
    with seeded(config.seed):
        model = models.build(config, *grey_squares.shape).double()
    scaling = scaling_of(config, grey_squares)
    mean, std = (torch.tensor(of)[:, None, None] for of in (scaling.mean, scaling.std))
    printed: list[tuple[Any, ...]] = []
    space: dict[str, Any] = {
        "images": step.pixels, "mean": mean, "std": std, "labels": step.labels, "model": model, "nn": nn,
        "optimizer": make_optimizer(model.parameters(), config), "cross_entropy": cross_entropy,
        "print": lambda *words: printed.append(words),
    }  # fmt: skip
    for stage in range(len(STEPS)):
        exec(stages.code_of(stage, config), space)
        space["inputs"] = space["inputs"].double()  # as the opened step is
    *norms, (loss_after,) = printed
    assert step.clip < 1
    for ours, theirs in [
        (step.logits, space["logits"]), (step.probabilities, space["probabilities"]), (step.loss, space["loss"]),
        *((step.weights[name].gradient_norm, norm) for name, norm in norms), (step.loss_after, loss_after),
    ]:  # fmt: skip
        torch.testing.assert_close(theirs, torch.as_tensor(ours, dtype=torch.double), rtol=1e-4, atol=1e-6)


def test_the_weights_arithmetic_is_the_same_as_torchs(fresh_folders: Path) -> None:
    page = opened(network__view="One training step", step__stage="step")
    assert "✓ the same" in said(page) and "m̂" in said(page)
    assert "β₁ = 0.9, β₂ = 0.999, ε = 1e−8, λ = 0.01: weight decay" in [c.value for c in page.caption]
    page.segmented_control(key="step.stage").set_value("zero_grad")
    page.number_input(key="step.number").set_value(2).run()
    assert "sets each `w.grad` to **None**" in said(page)
    page.segmented_control(key="step.stage").set_value("step")
    page.number_input(key="step.number").set_value(3).run()
    assert "✓ the same" in said(page) and "0.9^3" in said(page)


def test_any_weight_can_be_followed_and_of_a_large_tensor_the_first(fresh_folders: Path) -> None:
    page = opened(network__view="One training step", step__stage="step", step__weights="3.weight")
    chosen = page.number_input(key="step.index.3.weight")
    assert chosen.label == "Which one (of 12,800)" and chosen.max == 12_799
    assert "among these" not in chosen.help
    page = opened(network__view="One training step", step__stage="step", network__model="mlp")
    chosen = page.number_input(key="step.index.1.weight")
    assert chosen.label == "Which one (of the first 65,536 of 200,704)" and chosen.max == 65_535
    assert "the largest gradient among these" in chosen.help and "✓ the same" in said(page)


def test_a_great_learning_rate_is_seen_to_blow_up(fresh_folders: Path) -> None:
    page = opened(network__view="One training step", repeat__go=True, repeat__factor=10_000, repeat__steps=4)
    assert not page.exception
    assert "blow" in said(page) and "the loss falls" in said(page)


@pytest.mark.parametrize("lr", [0.3, 1e6])
def test_a_step_of_a_great_learning_rate_is_opened_to_its_end(fresh_folders: Path, lr: float) -> None:
    page = opened(network__view="One training step", step__own=True, step__lr=lr, step__number=2)
    for stage in STEPS:
        page.segmented_control(key="step.stage").set_value(stage).run()
        assert not page.exception, stage
        if stage == "Loss":
            table = page.dataframe[0].value
            for line, loss in zip(table["−log p"], table["Loss"], strict=True):
                assert float(line.rpartition("= ")[2]) == pytest.approx(loss, rel=1e-6, abs=1e-6)
            assert "log Σe^z − z" in " ".join(table["−log p"])


@pytest.mark.parametrize("lr", [None, 1e6])
def test_a_loss_with_label_smoothing_is_written_out(
    fresh_folders: Path, monkeypatch: pytest.MonkeyPatch, lr: float | None
) -> None:
    monkeypatch.setattr(choice, "adapt", lambda config, changes: adapt(config, changes | {"label_smoothing": 0.1}))
    own = {"step__own": True, "step__lr": lr, "step__number": 2} if lr else {}
    page = opened(network__view="One training step", step__stage="Loss", **own)
    assert not page.exception and "Label smoothing ε = 0.1" in said(page)
    table = page.dataframe[0].value
    for line, plain, loss in zip(table["Smoothed"], table["−log p"], table["Loss"], strict=True):
        share, own_loss, rest, mean, result = map(value, re.findall(r"[\d.]+(?:e[\d+−]+)?", line))
        assert (share, rest) == (0.9, 0.1) and result == pytest.approx(loss, rel=1e-6)
        assert own_loss == pytest.approx(float(plain.rpartition("= ")[2]), rel=1e-6, abs=1e-6)
        assert share * own_loss + rest * mean == pytest.approx(loss, rel=1e-6)


def test_logits_that_are_no_numbers_are_a_sentence(fresh_folders: Path) -> None:
    page = opened(
        network__view="One training step", network__model="conv_module", step__own=True, step__lr=1e6, step__number=20
    )
    for stage in STEPS:
        page.segmented_control(key="step.stage").set_value(stage).run()
        assert not page.exception, stage
        assert len(page.warning) == (stage in ("Softmax", "Loss"))
    assert "It is no number any more" in said(page)


def test_a_step_tells_its_rate_and_ones_own_begins_with_it(fresh_folders: Path) -> None:
    page = opened(network__view="One training step")
    assert any("learning rate 0.00012 (one cycle, at most 0.003), weight decay 0.01" in c.value for c in page.caption)
    page.toggle(key="step.own").set_value(True).run()
    assert page.number_input(key="step.lr").value == pytest.approx(0.00012)


def test_a_rate_out_of_range_is_told_both_ends(fresh_folders: Path) -> None:
    page = opened(network__view="One training step", step__own=True, step__lr=1e9)
    assert not page.exception
    assert page.error[0].value == (
        "A learning rate of 1e+09 is not allowed: give a number above 0 and at most 1,000,000, such as 0.00012."
    )


def test_a_loss_that_earlier_steps_blew_up_is_told_as_such(fresh_folders: Path) -> None:
    page = opened(network__view="One training step", step__stage="After", step__own=True, step__lr=30, step__number=2)
    assert "·10" in metrics(page)["Loss before"]
    assert "It fell, but from a loss that the steps before had blown up" in said(page)
    assert any("the learning rate here is 30 in its place" in c.value for c in page.caption)


def test_a_link_to_a_preset_s_numbers_begins_with_it(fresh_folders: Path) -> None:
    numbers = {"width": "7", "kernel": "3", "stride": "2", "channels": "1", "kernels": "1"}
    page = opened({"network.view": "Calculator & quiz", **{f"calculator.{n}": v for n, v in numbers.items()}})
    assert page.selectbox(key="calculator.start").value == "7 wide, kernel 3, stride 2 → 3"


def test_the_calculator_gives_the_tutorials_numbers(fresh_folders: Path) -> None:
    page = opened(network__view="Calculator & quiz")
    page.selectbox(key="calculator.start").select("32 wide, kernel 5, padding 2 → 32").run()
    assert "(32 − 5 + 2·2)/1 + 1 = **32**" in said(page) and "10·(5·5·3) + 10 = **760**" in said(page)
    assert "K: kernels" in said(page) and "r: the receptive field" not in said(page)  # which no formula here has
    page.session_state["calculator.padding"] = 0  # as the browser's Back does
    page.run()
    assert page.selectbox(key="calculator.start").value == "Free"
    page.number_input(key="calculator.kernel").set_value(50).run()
    assert "A kernel of 50 does not fit" in page.error[0].value
    page.text_input(key="calculator.stack").set_value("5/1, x").run()
    assert "'x' is no layer" in page.error[1].value
    page.text_input(key="calculator.stack").set_value("9" * 5000).run()
    assert not page.exception and "is no layer" in page.error[1].value


@pytest.mark.parametrize(
    "source",
    [
        {"network.source": "A trained run's network"},
        {"network.source": "My own, from blocks", "network.blocks": "[{},{},{},{},{}]"},
    ],
    ids=["no run", "broken"],
)
def test_the_calculator_and_the_classics_need_no_network(fresh_folders: Path, source: dict[str, str]) -> None:
    page = opened({"network.view": "Calculator & quiz", **source})
    assert not page.exception and (page.error or page.info)
    assert "(32 − 5 + 2·0)/1 + 1 = **28**" in said(page) and "Quiz" not in said(page)
    page = opened({"network.view": "Classics", **source})
    assert not page.exception and "**138,357,544** parameters" in said(page)


def test_a_quiz_answer_is_judged_with_its_arithmetic(fresh_folders: Path) -> None:
    page = opened(network__view="Calculator & quiz")
    field = next(w for w in page.number_input if str(w.key).startswith("quiz."))
    field.set_value(123_456_789).run()
    assert page.warning[0].value.startswith("Not 123,456,789.") and "=" in page.warning[0].value
    right = int(page.warning[0].value.rstrip(" pixels").rpartition("= ")[2].replace(",", ""))
    next(w for w in page.number_input if w.key == field.key).set_value(right).run()
    assert page.success[0].value.startswith("Right.")


def test_other_questions_are_offered_where_there_are_others(fresh_folders: Path) -> None:
    def offered(model: str) -> bool:
        page = opened(network__view="Calculator & quiz", network__model=model)
        return "quiz.shuffle" in [b.key for b in page.button]

    assert offered("cnn_5x5") and not offered("mlp")


def test_of_a_large_batch_the_page_says_how_many_images_it_shows(
    fresh_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "are shown" not in said(opened(network__view="One training step"))
    monkeypatch.setattr(stages, "MOST_IMAGES", 16)
    page = opened(network__view="One training step")
    assert not page.exception and "32 training images" in said(page) and "The first 16 are shown." in said(page)


@pytest.mark.parametrize(("value", "written"), [(4e-11, "4.0·10⁻¹¹"), (2.34e12, "2.3·10¹²"), (0.35, "3.5·10⁻¹")])
def test_a_power_of_ten_is_written_as_beside_an_axis(value: float, written: str) -> None:
    assert power(value) == written


def test_the_classics_tell_their_numbers(fresh_folders: Path) -> None:
    page = opened(network__view="Classics")
    assert not page.exception
    assert "**138,357,544** parameters" in said(page) and "**11,689,512** parameters" in said(page)
    page.session_state["classics.vgg16.part"] = 0
    page.run()
    assert "(224 − 3 + 2·1)/1 + 1 = **224**" in said(page)
    assert "1/√6 = 0.41" in said(page) and "·10⁻¹⁰ times** the last one's gradient" in said(page)
    page.toggle(key="classics.he").set_value(True).run()
    assert not page.exception and "·10⁻¹⁰ times**" not in said(page)


def test_gradients_that_explode_with_shortcuts_are_told(fresh_folders: Path) -> None:
    exploded = "with shortcuts the gradients explode instead"
    assert exploded in said(opened(network__view="Classics", classics__he=True, classics__depth=48))
    assert exploded not in said(opened(network__view="Classics"))


def test_the_code_is_shown(fresh_folders: Path) -> None:
    page = opened(network__view="Code")
    assert not page.exception
    assert "nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # 7×7×32" in page.code[0].value


@pytest.mark.parametrize(
    ("images", "ending"), [("cifar10", "evaluate(test_images, test_labels))"), ("imagenet", 'parameters")')]
)
def test_there_is_code_for_images_that_are_not_on_this_machine(fresh_folders: Path, images: str, ending: str) -> None:
    page = opened(network__view="Code", network__images=images)
    assert not page.exception and not page.error
    assert "model = nn.Sequential(" in page.code[0].value and page.code[0].value.rstrip().endswith(ending)
    assert ("defines the same network and trains it" in said(page)) == (images == "cifar10") != bool(page.info)


@pytest.mark.parametrize("name", ["mlp", "tiny_resnet", "resnet18", "lenet5"])
def test_an_image_flows_through_any_network(fresh_folders: Path, name: str) -> None:
    page = opened(network__view="Flow", network__model=name)
    assert not page.exception and not page.error
    assert "**1. " in said(page)


def test_a_drawing_outlasts_a_visit_elsewhere_and_is_cleared(fresh_folders: Path) -> None:
    page = opened(network__view="Flow", flow__way="Draw")
    assert "Draw something or choose a picture" in page.info[0].value
    assert page.slider(key="flow.pen").value == 12 and page.segmented_control(key="flow.paper").value
    page.session_state["flow.canvas"] = drawing(next(drawn_digits())[0])
    page.run()
    assert not page.exception and not page.info
    page.segmented_control(key="network.view").set_value("Anatomy").run()
    page.segmented_control(key="network.view").set_value("Flow").run()
    assert not page.exception and not page.info
    assert len(page.session_state["flow.canvas.base"]["objects"]) == 1
    page.button(key="flow.clear").click().run()
    assert "Draw something or choose a picture" in page.info[0].value


def test_an_uploaded_picture_is_named_after_a_visit_elsewhere_and_can_be_forgotten(fresh_folders: Path) -> None:
    red = png(Image.new("RGB", (60, 40), "red"))
    page = opened(network__view="Flow", flow__way="Upload", flow__upload=("red*.png", red))
    assert not page.exception and not page.info and "**red*.png**" in said(page)
    page.button(key="flow.forget").click().run()
    assert not page.exception and "red*.png" not in said(page)
    assert "Draw something or choose a picture" in page.info[0].value


def test_a_photograph_stays_as_it_is_for_a_network_of_imagenets_images(fresh_folders: Path) -> None:
    beige = png(Image.new("RGB", (224, 300), (250, 200, 150)))
    page = opened(
        network__view="Flow", network__model="resnet18", network__images="imagenet", flow__way="Upload",
        flow__upload=("beige.png", beige),
    )  # fmt: skip
    page.session_state["flow.chosen"] = (-1, 1, 0, 0)
    page.run()
    assert not page.exception and "(200/255 − 0.5)/0.5" in said(page)


def test_a_large_photograph_is_decoded_as_on_the_predict_page(fresh_folders: Path, monkeypatch: Any) -> None:
    photograph, file, asked = Image.effect_noise((1200, 1200), 99), io.BytesIO(), []
    photograph.save(file, "JPEG")
    monkeypatch.setattr(flow_image, "prepare", lambda *given: asked.append(given[0]) or prepare(*given))
    page = opened(network__view="Flow", flow__way="Upload", flow__upload=("large.jpg", file.getvalue()))
    assert not page.exception and asked[-1] == open_picture(file.getvalue(), least=enough(28))


def test_a_network_too_large_to_look_at_says_so(fresh_folders: Path) -> None:
    page = opened(network__view="Flow", network__model="vgg16")
    assert "too many to build just for a look" in page.info[0].value


def test_the_sum_of_a_chosen_pixel_is_torchs(fresh_folders: Path) -> None:
    page = opened(network__view="Flow")
    found = re.search(r"\(5·5·1\) and the bias: .* = \*\*(\S+)\*\*. torch gave (\S+)\.", said(page))
    assert found and found[1] == found[2]
    products, bias = re.search(r"bias: (\S+) \+ (\S+) =", said(page)).groups()  # type: ignore[union-attr]
    assert f"{value(products) + value(bias):.4f}" == f"{value(found[1]):.4f}"
    factors = re.findall(r"<td[^>]*>(\S+)<br>× (\S+)<br><b>(\S+)</b>", page.get("html")[0].proto.body)
    assert len(factors) == 25
    for x, w, product in factors:
        assert value(x) * value(w) == pytest.approx(value(product), abs=6e-6)
    assert sum(value(product) for _, _, product in factors) == pytest.approx(value(products), abs=5e-5)
    assert len(page.dataframe[0].value) == 25


def test_a_step_begins_with_the_runs_weights_or_its_first(own_run: Run) -> None:
    page = opened(network__source="run", network__view="One training step", step__stage="After")
    trained = float(metrics(page)["Loss before"])
    page.segmented_control(key="step.start").set_value("Its initial weights").run()
    assert not page.exception and trained < 0.5 < float(metrics(page)["Loss before"])


def test_a_pixel_of_the_image_itself_is_accounted_for(fresh_folders: Path) -> None:
    page = opened(network__view="Flow")
    page.session_state["flow.chosen"] = (-1, 0, 14, 14)
    page.run()
    assert not page.exception and "(255/255 − 0.312678)/0.356656 = **1.9271**" in said(page)


def test_untrained_flows_beside_trained(own_run: Run) -> None:
    gave = {}
    for weights in ("Both", "Trained", "Untrained"):
        page = opened(network__source="run", network__view="Flow", flow__weights=weights)
        assert not page.exception and not page.error
        gave[weights] = re.findall(r"torch gave ([^ ]*[0-9])", said(page))
    assert len(gave["Trained"]) == len(gave["Untrained"]) == 1 and gave["Trained"] != gave["Untrained"]
    assert gave["Both"] == gave["Trained"]  # side by side, and worked out for the trained one
    page = opened(network__source="run", network__view="Flow", flow__side="Untrained")
    assert re.findall(r"torch gave ([^ ]*[0-9])", said(page)) == gave["Untrained"]
    assert link(page)["flow.side"] == "Untrained"


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        ([2.3, 2.1, 2.0], "the loss falls from 2.3000 to 2.0000."),
        ([2.3, 9.7e5, 2.24], "**it blew up** to 9.7·10⁵ and came back to 2.2400, about where guessing stands (2.3026)"),
        ([2.3, 100.0, 1.0], "**it blew up** to 100.0000 and came back to 1.0000."),
        ([0.3, 100.0, 1.0], "**it blew up** to 100.0000 and came back to 1.0000: what it had learnt is lost."),
        ([2.3, 3.0, 7.0], "**it blows up**: from 2.3000 to 7."),
        ([2.3, math.inf], "**blown up**: after 1 step the loss"),
        ([2.3, 2.4], "the loss does not fall"),
    ],
)
def test_the_verdict_on_repeated_steps(curve: list[float], said: str) -> None:
    assert repeat._verdict(curve, 10).startswith(said)
