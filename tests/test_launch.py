"""Starting from the dashboard: the command that is shown, and a process that outlives who started it."""

import os
import shlex
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import cli, launch, recipes
from cnnlab.config import ConvBlock, TrainConfig, choices, limits
from cnnlab.launch import flags, shown_command, start
from cnnlab.parsing import ConfigError, adapt, parse
from cnnlab.runs import LIVE, Run, RunError, list_runs
from tests.conftest import PROJECT


def values_of(name: str) -> st.SearchStrategy[object]:
    """Allowed values of a field."""
    info = TrainConfig.model_fields[name]
    if options := choices(info):
        return st.sampled_from(options)
    if info.annotation is bool:
        return st.booleans()
    if name == "model":
        return st.sampled_from(["simple_cnn", "mlp", "custom", "tiny_resnet"])
    if name == "dataset":
        return st.sampled_from(["digits", "mnist", "folder:/my photos/it's"])
    if name == "hidden":
        return st.lists(st.integers(1, 500), max_size=4).map(tuple)
    if name == "blocks":
        return st.lists(st.builds(ConvBlock, channels=st.integers(1, 9), batch_norm=st.booleans()), max_size=3).map(
            tuple
        )
    low, high = limits(info)
    if info.annotation is int:
        return st.integers(int(low), int(high))
    number = st.floats(low, high, exclude_min=name in ("lr", "step_gamma"), exclude_max=name in ("momentum",))
    return st.none() | number if name == "dropout" else number


some_values = st.fixed_dictionaries({}, optional={name: values_of(name) for name in TrainConfig.model_fields})


@settings(max_examples=150, deadline=None)
@given(recipe=st.none() | st.sampled_from(recipes.RECIPES.names()), values=some_values)
def test_the_shown_command_gives_the_very_config(recipe, values):
    base = recipes.get(recipe).config if recipe else TrainConfig()
    try:
        config = adapt(base, values)
    except ConfigError:
        return
    typed = shlex.split(shown_command(["train", *flags(config, recipe)]))
    assert typed[:4] == ["python", "-m", "cnnlab", "train"]
    given = cli.command_parser().parse_args(typed[3:])
    settings = {name: value for name, value in vars(given).items() if name in TrainConfig.model_fields}
    assert adapt(base, given.settings_source(parsed_args=settings)()) == config and given.recipe == recipe


def test_a_recipe_as_it_is_needs_only_its_name():
    for name in recipes.RECIPES:
        assert flags(recipes.get(name).config, name) == ["--recipe", name]


def test_what_is_off_by_choice_is_said_as_no():
    grey = TrainConfig(dataset="folder:/photos", color=False)
    assert "--no-color" in flags(grey, None) and "--color" not in flags(grey, None)


@pytest.fixture
def stopped_at_the_end():
    """Takes runs that are to be stopped when the test is over."""
    runs: list[Run] = []
    yield runs.append
    for run in runs:
        run.request_stop()
        assert run.wait_until_ended(60)


def test_started_runs_are_live_have_folders_of_their_own_and_can_be_resumed(fresh_folders, until, stopped_at_the_end):
    config = TrainConfig(epochs=1000, train_images=32)
    begun: list[Run] = []
    threads = [threading.Thread(target=lambda: begun.append(start(config, None, fresh_folders))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.path for run in begun}) == 2 and {run.id for run in list_runs(fresh_folders)} == {
        r.id for r in begun
    }
    for run in begun:
        stopped_at_the_end(run)
        assert run.state() in LIVE and run.config == config

    until(lambda: "running" in [run.state() for run in begun], "the first run's start")
    running = next(run for run in begun if run.state() == "running")
    until(lambda: running.last_record("epoch"), "its first epoch")
    with pytest.raises(RunError, match="is running: there is nothing to resume"):
        launch.resume(running)
    running.request_stop()
    assert running.wait_until_ended(60) and running.state() == "stopped"
    launch.resume(running)
    assert running.state() in LIVE


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "lenet"}, "Unknown network 'lenet'"),
        ({"dataset": "folder:/nowhere"}, "There is no folder '/nowhere'"),
    ],
)
def test_what_cannot_be_trained_is_said_at_once_and_leaves_nothing(fresh_folders, values, sentence):
    with pytest.raises(RunError, match=sentence):
        start(parse(values), None, fresh_folders)
    assert not list(fresh_folders.glob("*"))


def test_a_run_is_called_as_was_asked(fresh_folders, stopped_at_the_end):
    run = start(TrainConfig(epochs=1000, train_images=32), None, fresh_folders, name="Ada 1")
    stopped_at_the_end(run)
    assert (run.id, run.name) == ("Ada 1", "Ada 1")
    with pytest.raises(RunError, match="Another run is called 'Ada 1' already"):
        start(TrainConfig(), None, fresh_folders, name="Ada 1 ")
    with pytest.raises(RunError, match=r"'\.\./up' cannot be a run's name"):
        start(TrainConfig(), None, fresh_folders, name="../up")
    (fresh_folders / "mine").mkdir()
    with pytest.raises(RunError, match=r"There is a folder .*mine already: choose another name"):
        start(TrainConfig(), None, fresh_folders, name="mine")


@pytest.mark.parametrize("command", ["import sys; sys.exit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_a_process_that_dies_before_it_begins_is_told(own_run, monkeypatch, command):
    monkeypatch.setattr(
        launch, "spawn", lambda *_: subprocess.Popen([sys.executable, "-c", command], start_new_session=True)
    )
    own_run.append([{"event": "end", "step": 1, "epoch": 1, "status": "stopped", "message": "", "elapsed": 1.0}])
    with pytest.raises(RunError, match="The training did not start"):
        launch.resume(own_run)


def test_torchruns_own_processes_are_ended_with_it(fresh_folders, monkeypatch, until):
    """They are sessions of their own: it must pass the signal on."""
    script = fresh_folders.parent / "sleep.py"
    script.write_text("import os, time\nopen(f'{os.getpid()}.pid', 'w')\ntime.sleep(120)\n")
    engine = ["-m", "torch.distributed.run", *launch.torchrun_arguments(2), str(script)]

    def sleeping(arguments, log, processes):
        child = subprocess.Popen(
            [sys.executable, *engine], cwd=script.parent, start_new_session=True, stderr=subprocess.DEVNULL
        )
        until(lambda: len(list(fresh_folders.parent.glob("*.pid"))) == 2, "both processes")
        return child

    monkeypatch.setattr(launch, "spawn", sleeping)
    monkeypatch.setattr(launch, "PATIENCE", 0.0)
    with pytest.raises(RunError, match="did not start within"):
        start(TrainConfig(), None, fresh_folders, processes=2)
    for path in fresh_folders.parent.glob("*.pid"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.stem), 0)


def test_a_process_that_does_not_begin_is_ended(fresh_folders, monkeypatch, until):
    children = []

    def sleeping(*_):
        children.append(subprocess.Popen(["sleep", "60"], start_new_session=True))
        return children[0]

    monkeypatch.setattr(launch, "spawn", sleeping)
    monkeypatch.setattr(launch, "PATIENCE", 0.2)
    with pytest.raises(RunError, match="did not start within"):
        start(TrainConfig(), None, fresh_folders)
    assert children[0].poll() is not None and not list(fresh_folders.glob("*"))


def test_a_finished_run_is_not_resumed(trained_run):
    with pytest.raises(RunError, match="trained has finished: there is nothing to resume"):
        launch.resume(trained_run)


PARENT = """
from cnnlab.config import TrainConfig
from cnnlab.launch import start
from cnnlab.paths import runs_dir
print(start(TrainConfig(epochs=1000, train_images=32), None, runs_dir()).id, flush=True)
input()
"""


def test_a_training_outlives_who_started_it(fresh_folders, until, stopped_at_the_end):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with parent:
        run = Run(fresh_folders / parent.stdout.readline().strip())
        os.killpg(parent.pid, signal.SIGKILL)  # the parent's whole group, as when a terminal is closed
    stopped_at_the_end(run)
    until(lambda: run.last_record("epoch"), "its first epoch after its parent's death")
    assert run.state() == "running" and run.log_tail()
