"""A network that was exported answers as in the lab, where there is no lab."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cnnlab.checkpoints import Checkpoint
from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.datasets.folder import decode
from cnnlab.loader import Scaling
from cnnlab.models import MODELS, build
from cnnlab.prediction.export import FACTS, ExportError, export_network, usage
from cnnlab.prediction.predictor import Predictor, load_predictor
from cnnlab.prediction.temperature import Calibration, calibrate
from cnnlab.runs import Run, RunError

pytestmark = pytest.mark.filterwarnings(
    "ignore:The given buffer is not writable"
)  # torch 2.11, of what it loads itself

ELSEWHERE = """
import sys
import numpy as np
import torch
pixels = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
{usage}
asked = np.load(sys.argv[1])
answers = {{name: network(torch.from_numpy(asked[name])).numpy() for name in asked}}
assert not [name for name in sys.modules if name.split(".")[0] in ("cnnlab", "torchvision", "safetensors", "pydantic")]
np.savez(sys.argv[2], facts=facts["cnnlab.json"], **answers)
"""


@pytest.fixture(scope="module")
def predictor(trained_run: Run) -> Predictor:
    """The trained run's best checkpoint, less sure than it says."""
    return load_predictor(trained_run, "best", Calibration(1.7, 100))


def untrained(config: TrainConfig, in_channels: int = 1, size: int = 28) -> Predictor:
    """A network as it is built, called trained."""
    torch.manual_seed(4)
    network = build(config, in_channels, size, 10).to(memory_format=torch.channels_last).eval()
    names = tuple(f"class {number}" for number in range(10))
    scaling = Scaling((0.3, 0.4, 0.5)[:in_channels], (0.2, 0.25, 0.3)[:in_channels])
    saved = Checkpoint(config, names, in_channels, size, scaling, {"step": 0}, {})
    return Predictor(Run(Path("untrained")), "last", saved, network, Calibration(1.7, 100))


def pixels(count: int, channels: int = 1, size: int = 28) -> Tensor:
    dice = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, channels, size, size), generator=dice, dtype=torch.uint8)


def confidences(predictor: Predictor, images: Tensor) -> Tensor:
    """What the lab itself says, float64 [N, K]."""
    return torch.stack([answer.confidences for answer in predictor.answers(images)])


def loaded(file: Path) -> torch.nn.Module:
    return torch.export.load(file).module()


def test_without_the_lab_it_answers_as_in_it(predictor: Predictor, digits: ImageDataset, tmp_path: Path):
    file = tmp_path / "Ärger 1.pt2"
    export_network(predictor, file)
    images = {"one": digits.test.images[:1], "seven": digits.test.images[20:27], "noise": pixels(300)}
    np.savez(tmp_path / "asked.npz", **{name: part.numpy() for name, part in images.items()})
    script = ELSEWHERE.format(usage=usage(str(file), predictor.checkpoint.config))
    command = [sys.executable, "-c", script, tmp_path / "asked.npz", tmp_path / "answers.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "answers.npz") as answers:
        for name, part in images.items():
            assert answers[name].dtype == np.float32
            np.testing.assert_allclose(answers[name], confidences(predictor, part), atol=1e-5)
        assert json.loads(str(answers["facts"])) == {
            "run": "trained",
            "checkpoint": "best",
            "class_names": [str(digit) for digit in range(10)],
            "input_shape": [1, 28, 28],
            "temperature": 1.7,
        }


def test_the_lines_that_show_its_use_run_as_they_are(predictor: Predictor, tmp_path: Path, capsys):
    export_network(predictor, tmp_path / "model.pt2")
    names = {"pixels": pixels(3)}
    exec(usage(str(tmp_path / "model.pt2"), predictor.checkpoint.config), names)
    assert names["probabilities"].shape == (3, 10) and not names["probabilities"].requires_grad
    assert capsys.readouterr().out == f"{[str(answer.label) for answer in predictor.answers(pixels(3))]}\n"


@pytest.mark.parametrize("name", MODELS.names())
def test_every_network_can_be_exported_and_takes_any_number_of_images(name: str, tmp_path: Path):
    predictor = untrained(TrainConfig(model=name))
    export_network(predictor, tmp_path / "model.pt2")
    network = loaded(tmp_path / "model.pt2")
    for count in (1, 5):
        torch.testing.assert_close(
            network(pixels(count)).double(), confidences(predictor, pixels(count)), atol=1e-5, rtol=0
        )
    assert network(pixels(0)).shape == (0, 10)


@pytest.mark.parametrize("size", [16, 33])
def test_colour_images_of_other_sizes_are_scaled_by_channel(size: int, tmp_path: Path):
    predictor = untrained(TrainConfig(model="fast_cnn"), 3, size)
    export_network(predictor, tmp_path / "model.pt2")
    images = pixels(4, 3, size).to(memory_format=torch.channels_last)  # as photographs are decoded
    answers = loaded(tmp_path / "model.pt2")(images).double()
    torch.testing.assert_close(answers, confidences(predictor, images), atol=1e-5, rtol=0)


def test_what_computes_in_bfloat16_does_so_elsewhere_and_gives_float32(tmp_path: Path):
    predictor = untrained(TrainConfig(model="tiny_resnet", precision="bfloat16"))
    export_network(predictor, tmp_path / "model.pt2")
    answers = loaded(tmp_path / "model.pt2")(pixels(8))
    assert answers.dtype == torch.float32
    wide = replace(predictor, checkpoint=replace(predictor.checkpoint, config=TrainConfig(model="tiny_resnet")))
    assert 1e-6 < (answers - confidences(wide, pixels(8))).abs().max() < 0.02  # three digits of each number
    torch.testing.assert_close(answers.double(), confidences(predictor, pixels(8)), atol=0.02, rtol=0)


def test_the_network_in_the_lab_stays_as_it_is(predictor: Predictor, tmp_path: Path):
    before = confidences(predictor, pixels(3))
    export_network(predictor, tmp_path / "model.pt2")
    weights = list(predictor.network.parameters())
    assert all(weight.requires_grad for weight in weights)
    assert any(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights if weight.dim() == 4)
    assert torch.equal(confidences(predictor, pixels(3)), before)


def test_where_nothing_can_be_written_a_sentence_says_so_and_nothing_is_left(predictor: Predictor, tmp_path: Path):
    with pytest.raises(ExportError, match=r"nowhere/model\.pt2 cannot be written \(No such file .*\): choose another"):
        export_network(predictor, tmp_path / "nowhere/model.pt2")
    (tmp_path / "taken.pt2").mkdir()
    with pytest.raises(ExportError, match=r"taken\.pt2 cannot be written \(.*\): choose another"):
        export_network(predictor, tmp_path / "taken.pt2")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.pt2"]


def test_a_run_without_a_checkpoint_has_nothing_to_export(trained_run: Run, tmp_path: Path, capsys):
    bare = Run(tmp_path / "bare")
    shutil.copytree(trained_run.path, bare.path, ignore=shutil.ignore_patterns("checkpoints"))
    with pytest.raises(RunError, match="bare has no checkpoint yet: "):
        load_predictor(bare)
    assert main(["export", str(bare.path), str(tmp_path / "model.pt2")]) == 2
    assert capsys.readouterr().err.startswith("cnnlab: bare has no checkpoint yet: wait for its first epoch")
    assert main(["export", str(bare.path), str(tmp_path / "model.pt2"), "--checkpoint", "last"]) == 1
    assert capsys.readouterr().err.startswith("cnnlab: There is no checkpoint ")
    assert not (tmp_path / "model.pt2").exists()


@pytest.mark.parametrize("color", [True, False])
def test_the_lines_for_a_photograph_make_the_pixels_of_training(tmp_path: Path, color: bool):
    config = TrainConfig(dataset="folder:photos", image_size=20, color=color)
    noise = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to its side
    Image.fromarray(noise).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(noise).resize((2400, 1800)).save(tmp_path / "large.jpg", exif=exif)
    names: dict[str, Any] = {}
    exec(usage("none", config).split("pixels =")[0], names)
    for path in (tmp_path / "a.png", tmp_path / "large.jpg"):
        assert np.array_equal(names["picture"](path).numpy(), decode(path, 20, color))


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_the_command_exports_the_checkpoint_and_shows_how_to_use_it(trained_run: Run, tmp_path, capsys, checkpoint):
    file = tmp_path / "model.pt2"
    assert main(["export", str(trained_run.path), str(file), "--checkpoint", checkpoint]) == 0
    said = capsys.readouterr()
    first, rest = said.out.split("\n", 1)
    assert first == f"{file}: trained, {checkpoint} checkpoint, takes uint8 [N, 1, 28, 28]. To use it:"
    assert rest.strip() == usage(str(file), trained_run.config) and said.err == ""
    facts = {FACTS: ""}
    network = torch.export.load(file, extra_files=facts).module()
    expected = load_predictor(trained_run, checkpoint, calibrate(trained_run, checkpoint))
    assert json.loads(facts[FACTS])["checkpoint"] == checkpoint
    torch.testing.assert_close(network(pixels(6)).double(), confidences(expected, pixels(6)), atol=1e-5, rtol=0)


def test_a_run_that_was_not_calibrated_is_exported_with_a_word(fresh_folders: Path, tmp_path: Path, capsys):
    tiny = ["--model", "mlp", "--epochs", "1", "--train-images", "64", "--validation-fraction", "0"]
    assert main(["train", *tiny, "--name", "none"]) == 0
    capsys.readouterr()
    assert main(["export", "none", str(tmp_path / "model.pt2")]) == 0
    why = "Its probabilities are not calibrated. It was trained without validation images."
    assert capsys.readouterr().err == f"cnnlab: {why}\n"
