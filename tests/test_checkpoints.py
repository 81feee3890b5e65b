"""Checkpoints: what rebuilds the network is in them, what cannot be used is said, nothing is ever unpickled."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cnnlab.checkpoints import CheckpointError, read_checkpoint, restore, save_checkpoint
from cnnlab.engine import new_state
from cnnlab.loader import scaling_of
from cnnlab.parsing import parse
from cnnlab.seeding import seeded

CONFIG = parse({"model": "tiny_resnet", "device": "cpu"})


@pytest.fixture
def saved(tmp_path, grey_squares) -> Path:
    """A checkpoint of a fresh tiny_resnet."""
    path = tmp_path / "checkpoints/last.safetensors"
    save_checkpoint(path, new_state(CONFIG, grey_squares), grey_squares, CONFIG, optimizer=True)
    return path


def test_a_checkpoint_rebuilds_its_network(saved, grey_squares):
    found = read_checkpoint(saved)
    assert (found.config, found.step, found.class_names) == (CONFIG, 0, grey_squares.class_names)
    assert found.scaling == scaling_of(CONFIG, grey_squares)
    images = torch.rand(3, 1, 28, 28)
    expected = new_state(CONFIG, grey_squares).model.eval()(images)
    assert torch.allclose(found.network()(images), expected, atol=1e-6) and not found.network().training


def test_a_network_is_loaded_while_another_thread_draws(saved):
    dice = torch.random.get_rng_state()
    found = read_checkpoint(saved)
    with seeded(0):
        network = ThreadPoolExecutor(1).submit(found.network).result(timeout=10)
    assert dice.equal(torch.random.get_rng_state())
    assert {name: value.tolist() for name, value in network.state_dict().items()} == {
        name.removeprefix("model."): value.tolist() for name, value in found.tensors.items() if name[:6] == "model."
    }


def test_a_checkpoint_is_whole_or_not_there(saved):
    assert [path.name for path in saved.parent.iterdir()] == ["last.safetensors"]


def test_whoever_may_read_a_new_file_may_read_a_checkpoint(saved):
    (saved.parent / "new").touch()
    assert saved.stat().st_mode == (saved.parent / "new").stat().st_mode


def test_a_checkpoint_that_may_not_be_read_is_not_called_missing(saved, monkeypatch):
    def forbidden(*given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # root may read all
    with pytest.raises(CheckpointError, match=rf"The checkpoint {saved} cannot be read: look at its permissions\.$"):
        read_checkpoint(saved)


def test_a_full_disk_is_told_as_what_it_is_and_the_old_checkpoint_stays(saved, grey_squares, monkeypatch):
    def full(*given: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    before = saved.read_bytes()
    monkeypatch.setattr("cnnlab.checkpoints.save_file", full)
    with pytest.raises(OSError, match=r"last.safetensors cannot be written \(I/O error: No space left"):
        save_checkpoint(saved, new_state(CONFIG, grey_squares), grey_squares, CONFIG, optimizer=True)
    assert saved.read_bytes() == before and len(list(saved.parent.iterdir())) == 1


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_checkpoint_is_called_damaged(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=rf"The checkpoint {saved} cannot be read .* damaged or not of cnnlab\.$"):
        read_checkpoint(saved)


def test_a_missing_checkpoint_is_called_missing(tmp_path):
    with pytest.raises(CheckpointError, match=rf"There is no checkpoint {tmp_path}/x: the run saved none yet\."):
        read_checkpoint(tmp_path / "x")


def test_safetensors_of_somebody_else_are_refused(tmp_path):
    for metadata in (None, {"cnnlab": "{}"}, {"cnnlab": "no json"}, {"other": "x"}):
        save_file({"a": torch.zeros(1)}, tmp_path / "x", metadata)
        with pytest.raises(CheckpointError, match="damaged or not of cnnlab"):
            read_checkpoint(tmp_path / "x")


def test_a_checkpoint_that_lacks_a_counter_is_called_damaged(saved):
    with safe_open(saved, framework="pt") as file:
        facts = json.loads(file.metadata()["cnnlab"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    del facts["counters"]["elapsed"]
    save_file(tensors, saved, {"cnnlab": json.dumps(facts)})
    with pytest.raises(CheckpointError, match="damaged or not of cnnlab"):
        read_checkpoint(saved)


def test_a_checkpoint_of_another_network_is_refused(saved, grey_squares):
    other = new_state(parse({"model": "mlp", "device": "cpu"}), grey_squares)
    with pytest.raises(CheckpointError, match=r"The checkpoint .*\.safetensors is of another network"):
        restore(other, read_checkpoint(saved))


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_never_opened(tmp_path):
    for number, write in enumerate((lambda f, x: f.write_bytes(pickle.dumps(x)), lambda f, x: torch.save(x, f))):
        write(tmp_path / "x", Trap(tmp_path / f"sprung{number}"))
        with pytest.raises(CheckpointError, match="damaged or not of cnnlab"):
            read_checkpoint(tmp_path / "x")
    assert not list(tmp_path.glob("sprung*"))


def test_no_module_of_ours_can_unpickle():
    package = Path(__file__).parents[1] / "cnnlab"
    for path in package.rglob("*.py"):
        source = path.read_text("utf-8")
        loads = [line for line in source.splitlines() if "torch.load(" in line and "weights_only=True" not in line]
        assert "import pickle" not in source and not loads and "allow_pickle=True" not in source, path
