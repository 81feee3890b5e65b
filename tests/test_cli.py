"""The command line: what each command prints and returns, and one sentence for whatever is wrong."""

import argparse
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from PIL import Image

from cnnlab import cli, recipes
from cnnlab.checkpoints import read_checkpoint
from cnnlab.cli import main
from cnnlab.config import TrainConfig, choices, limits
from cnnlab.console import PipedConsole
from cnnlab.datasets import DATASETS
from cnnlab.models import MODELS
from cnnlab.new_runs import create_run
from cnnlab.prediction.novelty import FEW
from cnnlab.runs import Run, list_runs
from tests.conftest import PROJECT

pytestmark = pytest.mark.usefixtures("fresh_folders")

TINY = ["--epochs", "1", "--train-images", "64"]
COMMANDS = {"train", "resume", "stop", "rename", "delete", "sweep", "evaluate", "predict", "plot", "export", "runs",
            "recipes", "models", "datasets"}  # fmt: skip


def subparsers() -> dict[str, argparse.ArgumentParser]:
    actions = cli.command_parser()._actions
    return next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command."""
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    """The one sentence on standard error with which a command is refused."""
    found, output, errors = said(capsys, *arguments)
    assert found == status and output == "", (found, output, errors)
    assert errors.count("\n") == 1 and errors.startswith("cnnlab: ") and "Traceback" not in errors
    return errors.removeprefix("cnnlab: ").strip()


# ── help ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_command_is_there_and_every_argument_has_help():
    assert set(subparsers()) == COMMANDS
    for name, parser in subparsers().items():
        assert parser.description, name
        assert not [a.dest for a in parser._actions if not a.help], name


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_is_printed_for_every_command(capsys, command):
    status, output, _ = said(capsys, command, "--help")
    assert status == 0 and "usage: python -m cnnlab" in output


@pytest.mark.parametrize("name", TrainConfig.model_fields)
def test_every_field_is_a_flag_in_kebab_case(name):
    flags = {flag for action in subparsers()["train"]._actions for flag in action.option_strings}
    assert f"--{name.replace('_', '-')}" in flags and ("_" not in name or f"--{name}" not in flags)


def test_a_settings_help_says_what_is_allowed_and_its_default_as_it_is_typed():
    helped = " ".join(subparsers()["train"].format_help().split())
    assert "--batch-size N Images in one step. (a whole number from 1 to 65536; default: 64)" in helped
    assert "--blocks JSON The custom" in helped and 'default: [{"channels":16},{"channels":32}])' in helped
    assert "for one_cycle 0 means 30 % of the run. (a number from 0 to 100; default: 0)" in helped


# ── train ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_training_ends_with_its_folders_path_and_leaves_a_whole_run(capsys, fresh_folders):
    status, output, errors = said(capsys, "train", *TINY, "--name", "one")
    assert status == 0 and output.splitlines()[-1] == str(fresh_folders / "one")
    assert "Epoch 1/1: train loss " in errors
    run = Run(fresh_folders / "one")
    assert run.state() == "finished" and "Epoch 1/1: train loss" in run.log_tail()
    assert run.config == TrainConfig(epochs=1, train_images=64)
    facts = run.facts()
    assert facts["parameters"] == 20_490 and facts["images"] == {"train": 64, "val": 143, "test": 359}
    assert {"torch", "numpy", "python", "cnnlab"} <= set(facts["versions"]) and "type" in facts["device"]
    epoch = run.last_record("epoch")
    wanted = {"epoch", "step", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr", "seconds"}
    assert wanted <= set(epoch) and (epoch["epoch"], epoch["step"]) == (1, 1)


def test_flags_override_the_recipe_and_lists_are_understood(capsys, fresh_folders):
    arguments = ["--recipe", "mlp", "--dataset", "digits", *TINY, "--lr", "0.5", "--name", "a", "--dropout", "0.1"]
    assert said(capsys, "train", *arguments)[0] == 0
    run = Run(fresh_folders / "a")
    assert (run.recipe, run.config.model, run.config.batch_size, run.config.lr) == ("mlp", "mlp", 20, 0.5)
    blocks = '[{"channels":4,"pool":"avg"},{"channels":2}]'
    arguments = ["--model", "custom", "--blocks", blocks, "--hidden", "9,5", "--augment-flip", "--name", "b", *TINY]
    assert said(capsys, "train", *arguments)[0] == 0
    config = Run(fresh_folders / "b").config
    assert [(b.channels, b.pool) for b in config.blocks] == [(4, "avg"), (2, "max")]
    assert config.hidden == (9, 5) and config.augment_flip
    assert said(capsys, "train", "--model", "custom", "--hidden", "", "--name", "c", *TINY)[0] == 0
    assert Run(fresh_folders / "c").config.hidden == ()


def test_without_a_name_a_run_is_named_after_its_recipe(capsys, tmp_path):
    arguments = ("--recipe", "quick_digits", "--runs-dir", str(tmp_path / "elsewhere"), *TINY)
    assert said(capsys, "train", *arguments)[0] == 0
    (run,) = list_runs(tmp_path / "elsewhere")
    assert re.fullmatch(r"quick_digits-\d{4}-\d{6}", run.name)


def test_quick_digits_learns_the_digits(capsys, trained_run):
    status, output, _ = said(capsys, "evaluate", str(trained_run.path), "--json")
    assert status == 0 and json.loads(output)["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "The following arguments are required: COMMAND."),
        ("fly", "Argument COMMAND: invalid choice: 'fly'"),
        (
            "train --epoch 3",
            "Unrecognized arguments: --epoch 3. Did you mean --epochs? See python -m cnnlab train --help.",
        ),
        ("train --datset=mnist", "Unrecognized arguments: --datset=mnist. Did you mean --dataset? "),
        ("runs now", "Unrecognized arguments: now. See python -m cnnlab runs --help."),
        ("train --dataset /", "'/' is a folder: to train on its images, give folder:/."),
        ("train --epochs", "Argument --epochs: expected one argument"),
        ("train --epochs 0", "epochs = 0 is not allowed: give a whole number from 1 to 1000, such as 5."),
        ("train --epochs many", "epochs = many is not allowed: "),
        ("train --lr nan", "lr = nan is not allowed: "),
        ("train --hidden x --model custom", "hidden = x is not allowed: "),
        ("train --blocks [{ --model custom", "Parsing error encountered for blocks: "),
        ("train --momentum 0.9", "momentum = 0.9 has no effect with optimizer = adam: "),
        ("train --model lenet", "Unknown network 'lenet'. Available: "),
        ("train --dataset imagenet", "Unknown dataset 'imagenet'. Available: "),
        ("train --dataset folder:/nowhere", "There is no folder '/nowhere': "),
        ("train --recipe cake", "Unknown recipe 'cake'. Available: quick_digits, "),
        (
            "train --augment-erase 256",
            "augment_erase = 256 is not allowed, for it leaves nothing of an image of 28×28 pix",
        ),
        (
            "train --augment-shift 28",
            "augment_shift = 28 is not allowed, for it leaves nothing of an image of 28×28 pix",
        ),
        ("train --name a/b", "'a/b' cannot be a run's name: "),
        ("train --early-stopping 2 --validation-fraction 0", "early_stopping needs validation images: "),
        ('train --model custom --blocks [{"pool_size":8},{"pool_size":8}]', "The picture vanishes in the pooling of "),
        (
            "train --model tiny_resnet --dataset folder:. --image-size 8 --device mps",
            "device = mps is not on this mach",
        ),
        ("resume nothing", "There is no run 'nothing' in "),
        ("stop nothing", "There is no run 'nothing' in "),
        ("evaluate nothing", "There is no run 'nothing' in "),
        ("predict nothing a.png", "There is no run 'nothing' in "),
        ("plot nothing a.svg", "There is no run 'nothing' in "),
        ("export nothing a.pt2", "There is no run 'nothing' in "),
        ("export nothing a.pt", "'a.pt' is not allowed: let the file end in .pt2."),
        ("export nothing nowhere/a.pt2", "'nowhere/a.pt2' cannot be written: there is no folder 'nowhere'."),
        ("train --model custom --hidden 8,b,c", "hidden = 8,b,c is not allowed: give up to 8 whole numbers from 1 to"),
        ("evaluate x --split all", "Argument --split: invalid choice: 'all'"),
    ],
)
def test_wrong_arguments_get_one_sentence_status_2_and_leave_no_run(capsys, fresh_folders, arguments, sentence):
    assert refused(capsys, *arguments.split()).startswith(sentence)
    assert list_runs(fresh_folders) == [] and not [p for p in fresh_folders.glob("*") if p.name != ".queue"]


@pytest.mark.parametrize("name", [n for n, i in TrainConfig.model_fields.items() if limits(i)[1] or choices(i)])
def test_any_fields_wrong_value_is_refused_in_one_sentence(capsys, name):
    assert refused(capsys, "train", f"--{name.replace('_', '-')}", "nonsense").startswith(f"{name} = nonsense is not")


def test_a_name_that_is_taken_is_refused_and_its_run_left_alone(capsys, trained_run):
    before = trained_run.metrics_path.read_bytes()
    arguments = ("train", *TINY, "--name", trained_run.id, "--runs-dir", str(trained_run.path.parent))
    assert refused(capsys, *arguments).startswith("There is a run called trained already")
    assert trained_run.metrics_path.read_bytes() == before


def test_a_persons_files_survive_a_run_of_that_name_that_cannot_start(capsys, fresh_folders):
    (fresh_folders / "notes").mkdir(parents=True)
    (fresh_folders / "notes/diary.txt").write_text("dear diary")
    refused(capsys, "train", "--model", "lenet", "--name", "notes")
    assert [p.name for p in (fresh_folders / "notes").iterdir()] == ["diary.txt"]


def test_a_loss_that_blows_up_ends_as_failed_with_its_steps_on_record(capsys, fresh_folders):
    arguments = ("--optimizer", "sgd", "--lr", "100", "--model", "conv_module", "--name", "boom", "--batch-size", "16")
    status, output, errors = said(capsys, "train", *arguments)
    run = Run(fresh_folders / "boom")
    assert status == 1 and output.splitlines()[-1] == str(run.path) and run.state() == "failed"
    message = run.last_record("end")["message"]
    assert run.last_record("end")["elapsed"] > 0
    assert message in errors.replace("\n", " ") and "Traceback" not in errors
    where, step = re.search(r"(at|after) step (\d+) is ", message).groups()  # its training loss, or the validation's
    assert [r["step"] for r in run.records("step")] == list(range(1, int(step) + (where == "after")))


def test_a_missing_dataset_without_a_network_fails_in_a_sentence(capsys, fresh_folders, monkeypatch):
    from cnnlab.datasets.torchvision_sets import MNIST_KIN

    monkeypatch.setattr(MNIST_KIN["mnist"], "mirrors", ["http://127.0.0.1:9/"])
    status, _, errors = said(capsys, "train", "--recipe", "simple_cnn", "--name", "offline")
    assert status == 1 and Run(fresh_folders / "offline").state() == "failed"
    assert "mnist is not on this machine, and the download failed." in errors and "Traceback" not in errors


def test_wrong_arguments_and_interrupts_behave_in_a_real_process(trainer, until, fresh_folders):
    status, output, errors = trainer.run("train", "--epochs", "0")
    assert (status, output) == (2, "") and errors.count("\n") == 1
    process = trainer.start("train", "--epochs", "1000", "--train-images", "32", "--name", "long")
    run = Run(fresh_folders / "long")
    until(lambda: run.last_record("epoch"), "the first epoch")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and output.splitlines()[-1] == str(run.path) and "Traceback" not in errors
    assert run.state() == "stopped" and "Stopped after step " in errors
    assert read_checkpoint(run.checkpoint_path("last")).step == run.last_record("end")["step"]


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lists_say_what_a_user_wants_to_know(capsys):
    for command, registry in (("recipes", recipes.RECIPES), ("models", MODELS), ("datasets", DATASETS)):
        status, output, _ = said(capsys, command)
        assert status == 0 and all(re.search(rf"^{name}\s", output, re.M) for name in registry), command
        for name in registry:
            assert registry.get(name).summary.split(",")[0] in output
    assert "20,490" in said(capsys, "models")[1] and "folder:PATH" in said(capsys, "datasets")[1]


def test_runs_are_listed_with_their_state_and_best_accuracy(capsys, trained_run):
    status, output, _ = said(capsys, "runs", "--runs-dir", str(trained_run.path.parent))
    row = next(line for line in output.splitlines() if line.startswith("trained"))
    best = trained_run.last_record("epoch")["best/accuracy"]
    assert (
        status == 0
        and "finished" in row
        and "quick_digits" in row
        and f"{100 * best:.2f} %" in row
        and "/".join([str(trained_run.config.epochs)] * 2) in row
    )


def test_runs_are_listed_in_json_with_all_settings(capsys, trained_run):
    status, output, _ = said(capsys, "runs", "--json", "--runs-dir", str(trained_run.path.parent))
    (found,) = json.loads(output)
    assert status == 0 and found["id"] == "trained" and found["path"] == str(trained_run.path)
    assert found["config"] == trained_run.config.model_dump(mode="json") and found["best_accuracy"] > 0.9


def test_runs_are_renamed_and_deleted_but_none_that_is_live(capsys, fresh_folders):
    facts = {"config": TrainConfig().model_dump(mode="json")}
    for name in ("one", "two", "three"):
        create_run(fresh_folders / name, facts)[1].lock.release()
    assert said(capsys, "rename", "one", "first")[:2] == (0, "one is called first.\n")
    for taking in (["rename", "two", "first"], ["train", *TINY, "--name", "first"]):
        assert refused(capsys, *taking).startswith("Another run is called 'first' already: ")
    with create_run(fresh_folders / "live", facts)[1]:
        assert refused(capsys, "delete", "two", "live") == "live is queued: stop it first."
    assert refused(capsys, "delete", "two", "nothing").startswith("There is no run 'nothing' in ")
    status, output, _ = said(capsys, "delete", "first", "two", "two")
    assert (status, output) == (0, f"{fresh_folders}/one is deleted.\n{fresh_folders}/two is deleted.\n")
    assert {run.id for run in list_runs(fresh_folders)} == {"three", "live"}


def test_a_list_is_not_cut_where_no_terminal_says_how_wide_it_is(capsys, fresh_folders):
    dataset = "folder:" + "/flowers" * 40
    create_run(fresh_folders / "long", {"config": TrainConfig(dataset=dataset).model_dump(mode="json")})[
        1
    ].lock.release()
    assert dataset in said(capsys, "runs")[1]


def test_a_damaged_run_does_not_hide_the_others(capsys, fresh_folders):
    for name in ("good", "bad"):
        create_run(fresh_folders / name, {"config": TrainConfig().model_dump(mode="json")})[1].lock.release()
    (fresh_folders / "bad/config.json").write_text("{")
    status, output, errors = said(capsys, "runs")
    assert status == 0 and "good" in output and "interrupted" in output and "bad is no run folder" in errors


def test_a_folder_of_images_is_kept_with_its_whole_path(capsys, fresh_folders, tmp_path, monkeypatch):
    for place in range(8):
        path = tmp_path / "own" / "ab"[place % 2] / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 * place).save(path)
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    given = ["--dataset", "folder:../own", "--model", "mlp", "--epochs", "1", "--name", "far"]
    assert said(capsys, "train", *given, "--validation-fraction", "0")[0] == 0
    assert Run(fresh_folders / "far").config.dataset == f"folder:{tmp_path / 'own'}"


@pytest.mark.parametrize("variable", ["CNNLAB_MAX_TRAININGS", "CNNLAB_MEMORY_GB"])
def test_a_wrong_setting_of_the_environment_leaves_no_run(capsys, fresh_folders, monkeypatch, variable):
    monkeypatch.setenv(variable, "many")
    assert refused(capsys, "train", *TINY).startswith(f"{variable} = many is not allowed: give a ")
    assert list_runs(fresh_folders) == []


# ── questions to a run ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("split", ["test", "val", "train"])
def test_an_evaluation_in_json_has_its_schema_and_is_right(capsys, trained_run, digits, split):
    status, output, _ = said(capsys, "evaluate", str(trained_run.path), "--split", split, "--json")
    found = json.loads(output)
    assert status == 0 and set(found) == {
        "run", "checkpoint", "split", "count", "correct", "loss", "accuracy", "accuracy_interval", "balanced_accuracy",
        "macro_f1", "top3", "calibration_error", "per_class", "confusion",
    }  # fmt: skip
    assert (found["run"], found["checkpoint"], found["split"]) == ("trained", "best", split)
    keys = {"class", "correct", "total", "accuracy", "precision", "f1"}
    assert [set(c) for c in found["per_class"]] == [keys] * 10
    assert [sum(row) for row in found["confusion"]] == [c["total"] for c in found["per_class"]]
    saved = read_checkpoint(trained_run.checkpoint_path("best"))
    part = digits.splits(saved.config).get(split)
    with torch.inference_mode():
        logits = saved.network()(saved.scaling(part.images[:]))
    right = logits.argmax(1) == part.labels
    assert found["count"] == len(part) and found["accuracy"] == pytest.approx(right.double().mean().item())
    assert found["loss"] == pytest.approx(torch.nn.functional.cross_entropy(logits, part.labels).item(), abs=1e-4)
    assert sum(c["correct"] for c in found["per_class"]) == int(right.sum())
    assert [c["total"] for c in found["per_class"]] == torch.bincount(part.labels).tolist()


def test_an_evaluation_for_people_names_each_class(capsys, trained_run):
    status, output, _ = said(capsys, "evaluate", str(trained_run.path))
    assert status == 0 and "359 test images" in output and len(re.findall(r"Accuracy of \d: .* %", output)) == 10


def test_a_split_without_images_and_a_run_without_checkpoint_are_said(capsys, fresh_folders):
    assert said(capsys, "train", *TINY, "--validation-fraction", "0", "--name", "a")[0] == 0
    assert refused(capsys, "evaluate", "a", "--split", "val", status=1).startswith("a has no val images: ")
    assert refused(capsys, "evaluate", "a", "--checkpoint", "best", status=1).startswith("There is no checkpoint ")
    last = Run(fresh_folders / "a").checkpoint_path("last")
    last.write_bytes(last.read_bytes()[:1000])
    assert "is damaged or not of cnnlab" in refused(capsys, "evaluate", "a", status=1)
    assert "is damaged or not of cnnlab" in refused(capsys, "predict", "a", "x.png", status=1)
    last.unlink()
    assert refused(capsys, "evaluate", "a").startswith("a has no checkpoint yet: ")


def test_a_damaged_answer_that_was_kept_is_made_anew(capsys, fresh_folders):
    assert said(capsys, "train", *TINY, "--name", "a")[0] == 0
    first = said(capsys, "evaluate", "a", "--json")[1]
    kept = fresh_folders / "a/predictions-test.npz"
    for content in (b"", b"PK\x03\x04nonsense", kept.read_bytes()[:500], b"nonsense"):
        kept.write_bytes(content)
        assert said(capsys, "evaluate", "a", "--json")[1] == first


def test_predictions_in_json_have_their_schema_and_name_unreadable_files(capsys, trained_run, digits, tmp_path):
    for number in range(3):
        Image.fromarray(digits.test.images[number, 0].numpy()).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_text("no image")
    paths = [str(tmp_path / name) for name in ("0.png", "bad.png", "1.png", "2.png", "none.png")]
    status, output, _ = said(capsys, "predict", str(trained_run.path), *paths, "--top", "4", "--json")
    found = json.loads(output)
    assert status == 1 and [f["path"] for f in found] == paths  # a script is to notice
    assert set(found[1]) == {"path", "error"} and "is not an image" in found[1]["error"] and "error" in found[4]
    for answer, label in zip((found[0], found[2], found[3]), digits.test.labels.tolist(), strict=False):
        shares = [p["probability"] for p in answer["predictions"]]
        assert set(answer) == {"path", "predictions", "unlike_training"} and len(shares) == 4
        assert answer["unlike_training"] is False
        assert shares == sorted(shares, reverse=True) and 0 <= min(shares) and sum(shares) <= 1 + 1e-6
        assert answer["predictions"][0]["class"] == str(label)


def test_predictions_for_people_and_only_unreadable_files(capsys, trained_run, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "grey.png")
    status, output, _ = said(capsys, "predict", str(trained_run.path), str(tmp_path / "grey.png"))
    assert status == 0 and len(re.findall(r"\d [\d.]+ %", output)) == 3
    status, output, _ = said(capsys, "predict", str(trained_run.path), str(tmp_path / "none.png"))
    assert status == 1 and "none.png: no answer. The file cannot be opened" in output
    assert refused(capsys, "predict", str(trained_run.path), "x.png", "--top", "0").startswith("--top 0 is not allowed")
    sentence = refused(capsys, "predict", str(trained_run.path), "https://example.com/a.png")
    assert sentence.startswith("'https://example.com/a.png' is an address, and none is fetched: download the picture")


def test_a_picture_in_the_home_folder_is_found(capsys, trained_run, tmp_path, monkeypatch):
    Image.linear_gradient("L").save(tmp_path / "grey.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    status, output, _ = said(capsys, "predict", str(trained_run.path), "~/grey.png")
    assert status == 0 and output.startswith(f"{tmp_path}/grey.png: ")


def test_predictions_say_what_cannot_be_known_of_them(capsys, fresh_folders, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "grey.png")
    assert said(capsys, "train", *TINY, "--validation-fraction", "0", "--name", "bare")[0] == 0
    for form in ([], ["--json"], ["--csv", str(tmp_path / "a.csv")]):
        status, output, errors = said(capsys, "predict", "bare", str(tmp_path / "grey.png"), *form)
        calibrated, unlike = errors.splitlines()
        assert status == 0 and output
        assert calibrated == "cnnlab: Its confidence is not calibrated. It was trained without validation images."
        assert unlike.startswith("cnnlab: Whether a picture is unlike its training images is not known. What is unlike")
    assert said(capsys, "train", *TINY, "--model", "tiny_resnet", "--name", "small")[0] == 0
    errors = said(capsys, "predict", "small", str(tmp_path / "grey.png"))[2]
    assert errors == f"cnnlab: {FEW}\n"


def test_curves_are_drawn_into_a_file(capsys, trained_run, tmp_path):
    file = tmp_path / "curves.html"
    assert said(capsys, "plot", str(trained_run.path), str(file))[:2] == (0, f"{file}\n")
    assert "plotly" in file.read_text("utf-8")
    sentence = refused(capsys, "plot", str(trained_run.path), str(tmp_path / "curves.txt"))
    assert sentence == "'curves.txt' is not allowed: let the file end in .html, .png, .svg."
    sentence = refused(capsys, "plot", str(trained_run.path), str(tmp_path / "none" / "curves.svg"))
    assert sentence.endswith(f"cannot be written: there is no folder '{tmp_path / 'none'}'.")


def test_curves_are_drawn_as_pictures_or_it_is_said_what_that_needs(capsys, monkeypatch, trained_run, tmp_path):
    for ending, begin in ((".png", b"\x89PNG"), (".svg", b"<svg")):
        status, _, errors = said(capsys, "plot", str(trained_run.path), str(tmp_path / f"curves{ending}"))
        if status:
            assert errors.endswith("needs Chrome or Chromium on this machine: install it, or save as .html instead.\n")
            pytest.skip("no Chromium")
        assert (tmp_path / f"curves{ending}").read_bytes().startswith(begin)
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    sentence = refused(capsys, "plot", str(trained_run.path), str(tmp_path / "none.png"), status=1)
    assert sentence == "PNG needs Chrome or Chromium on this machine: install it, or save as .html instead."


def test_curves_of_several_runs_are_drawn_over_each_other(capsys, trained_run, tmp_path):
    other = tmp_path / "runs" / trained_run.id
    shutil.copytree(trained_run.path, other)
    file = tmp_path / "both.html"
    runs = str(trained_run.path), str(other)
    assert said(capsys, "plot", *runs, str(file))[0] == 0
    drawn = file.read_text("utf-8").replace("\\u002f", "/")
    assert all(f'"name":"{run}"' in drawn for run in runs)
    sentence = refused(capsys, "plot", *runs, str(file), "--split", "test", status=1)
    assert sentence == "None of these runs has test figures: choose others by --split."


def test_a_run_that_has_ended_cannot_be_stopped(capsys, trained_run):
    assert refused(capsys, "stop", str(trained_run.path)) == "trained is finished: there is nothing to stop."


@pytest.mark.parametrize(
    ("fact", "before", "told"),
    [
        ("images", {"train": 1001, "val": 143, "test": 3}, "1,001 training images then, 64 now; 3 test images then, "),
        ("class_names", [*"0123456", "seven", "8"], "classes gone: seven; classes new: 7, 9"),
        ("class_names", [*"1234567890"], "their classes are in another order"),
        ("pixels", {"mean": [0.5], "std": [0.5]}, "as many as then, but others"),
    ],
)
def test_images_that_changed_since_a_run_began_are_refused_when_it_is_resumed(
    capsys, fresh_folders, fact, before, told
):
    assert said(capsys, "train", *TINY, "--name", "a")[0] == 0
    run = Run(fresh_folders / "a")
    run.append([{"event": "queued"}])
    shutil.copytree(run.path, fresh_folders / "b")
    assert said(capsys, "resume", "b")[0] == 0
    run.add_facts({fact: before})
    status, _, errors = said(capsys, "resume", "a")
    assert status == 1 and f"changed since this run began ({told}" in errors.replace("\n", " ")
    assert run.facts()[fact] == before


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(capsys, trained_run, tmp_path, monkeypatch):
    kept = tmp_path / "answers.csv"
    kept.write_text("old")

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cnnlab.cli.base.write_whole", full)
    sentence = refused(capsys, "evaluate", str(trained_run.path), "--csv", str(kept), status=1)
    assert sentence == f"{kept} cannot be written (No space left on device)." and kept.read_text() == "old"


def test_an_interrupt_ends_in_a_word(capsys, trained_run, monkeypatch):
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnlab.evaluation.evaluate.evaluate", interrupted)
    assert refused(capsys, "evaluate", str(trained_run.path), status=130) == "Interrupted."


def test_a_training_that_is_interrupted_before_it_begins_leaves_no_run(capsys, fresh_folders, monkeypatch):
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    for early in ("cnnlab.new_runs.write_whole", "cnnlab.checks.check", "cnnlab.console.ConsoleListener.__init__"):
        with monkeypatch.context() as patched:
            patched.setattr(early, interrupted)
            assert refused(capsys, "train", *TINY, status=130) == "Interrupted."
        assert not [*fresh_folders.iterdir()]


def test_options_amid_names_are_told_where_to_stand(capsys):
    assert "Options stand before or after all names" in refused(capsys, "plot", "a", "b", "--split", "val", "c.html")


def test_a_second_interrupt_says_how_to_go_on_and_ends_with_130(capsys, fresh_folders, monkeypatch):
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnlab.train.train", interrupted)
    sentence = refused(capsys, "train", *TINY, "--name", "cut", status=130)
    assert sentence == "cut was cut off: resume cut goes on from its last checkpoint."


def test_a_training_goes_on_when_nobody_reads_what_it_prints(fresh_folders, monkeypatch):
    class Unread(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("cnnlab.console.err", PipedConsole(file=Unread()))
    assert main(["train", *TINY, "--name", "unread"]) == 0
    run = Run(fresh_folders / "unread")
    assert run.state() == "finished" and "Epoch 1/1: train loss" in run.log_tail()


def test_letters_that_an_output_has_not_are_replaced(trainer):
    status, output, errors = trainer.run("recipes", PYTHONIOENCODING="ascii")
    assert status == 0 and errors == "" and "quick_digits" in output


def test_an_output_that_is_closed_is_minded_by_no_command(fresh_folders):
    arguments = [sys.executable, "-m", "cnnlab", "recipes"]
    process = subprocess.run(arguments, cwd=PROJECT, preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE)
    assert (process.returncode, process.stderr) == (0, b"")
