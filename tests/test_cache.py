"""What the pages keep in memory: never stale, and without a trace of how it was made."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab import datasets
from cnnlab.config import TrainConfig
from cnnlab.evaluation import findings as rules
from cnnlab.new_runs import reopen_run
from cnnlab.runs import Run
from cnnlab.ui import cache
from cnnlab.ui.cache import images, networks, summaries


@pytest.fixture
def run(trained_run: Run, tmp_path: Path) -> Run:
    """A trained run that has not been asked anything."""
    own = tmp_path / "runs" / "trained"
    own.parent.mkdir()
    asked_before = shutil.ignore_patterns("predictions-*", "calibration-*", "features-*")
    shutil.copytree(trained_run.path, own, ignore=asked_before)
    return Run(own)


def asked(run: Run) -> tuple[Path, str, int]:
    return run.path, "best", run.checkpoint_time("best")


def test_images_that_have_come_meanwhile_are_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(datasets, "is_here", lambda name: False)
        assert "is not on this machine" in cache.calibration(*asked(run)).why
        assert cache.novelty(*asked(run)) is None
    assert cache.calibration(*asked(run)).images > 0
    assert cache.novelty(*asked(run)) is not None


def test_threads_are_counted_once_for_all_learning_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    monkeypatch.setattr(networks, "thread_count", lambda config, *shape: counted.append(config.batch_size) or 1)
    for settings in ({"lr": 0.1}, {"lr": 0.2, "seed": 5}, {"batch_size": 17}):
        cache.training_threads(TrainConfig(model="mlp", **settings), (1, 27, 9))
    assert counted == [TrainConfig().batch_size, 17]


def test_what_is_kept_shows_no_progress(run: Run) -> None:
    def script(path: str) -> None:
        from pathlib import Path

        from cnnlab.runs import Run
        from cnnlab.ui import cache

        of = Path(path), "best", Run(Path(path)).checkpoint_time("best")
        cache.evaluation(of[0], "test", *of[1:])
        cache.projection(*of, "test", 100, "")

    app = AppTest.from_function(script, default_timeout=60, args=(str(run.path),)).run()
    assert not app.exception and len(app.main.children) > 0  # where the bars were
    app.run()
    assert not app.exception and len(app.main.children) == 0


def test_advice_is_made_anew_when_there_is_something_new_to_say(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Run] = []
    find = rules.findings
    monkeypatch.setattr(rules, "findings", lambda run, answers: [made.append(run), *find(run, answers)][1:])
    path, checkpoint, changed = asked(run)
    answers = cache.evaluation(path, "test", checkpoint, changed)
    said = [cache.findings(run, answers, changed) for _ in range(2)]
    assert said[0] == said[1] and len(made) == 1
    rival = shutil.copytree(path, path.with_name("rival"))
    cache.findings(run, answers, changed)
    Run(rival).rename("Another name")
    cache.findings(run, answers, changed)
    assert len(made) == 3


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_step_of_another_run_is_nothing_new_to_say(run: Run, monkeypatch: pytest.MonkeyPatch, split: str) -> None:
    made: list[Run] = []
    monkeypatch.setattr(rules, "findings", lambda run, answers: made.append(run) or [])
    path, checkpoint, changed = asked(run)
    other = Run(shutil.copytree(path, path.with_name("other")))
    answers = cache.evaluation(path, split, checkpoint, changed)
    for record in ({"event": "step", "step": 9}, {"event": "step", "step": 10}):
        other.append([record])
        cache.findings(run, answers, changed)
    assert len(made) == 1
    other.append([{"event": "epoch", "epoch": 9, "step": 11, "best/accuracy": 0.123}])
    cache.findings(run, answers, changed)
    assert len(made) == (2 if split == "val" else 1)


def test_a_home_folder_of_nobody_never_changes():
    assert images.changed(TrainConfig(dataset="folder:~nobody_x/pics")) == 0


def test_images_that_were_written_over_are_shown_once_a_training_has_read_them(tmp_path: Path, fresh_folders: Path):
    for name in ("a/0", "a/1", "a/2", "b/0", "b/1", "b/2"):
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), ord(name[0]) + int(name[2])).save(tmp_path / "pets" / f"{name}.png")
    config = TrainConfig(dataset=f"folder:{tmp_path / 'pets'}", image_size=8, color=False)
    before = cache.dataset(config)
    assert cache.dataset(config) is before
    for path in (tmp_path / "pets").rglob("*.png"):
        Image.new("L", (8, 8), 7).save(path)
    datasets.load(config)  # as a training's own process does
    after = cache.dataset(config)
    assert after.version != before.version and (after.test.images[:] == 7).all()


@pytest.mark.parametrize(("layout", "listed"), [("cats", ["."]), ("Training/cats", [".", "Training"])])
def test_a_file_that_comes_is_seen_without_a_look_at_each(
    layout: str, listed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / layout).mkdir(parents=True)
    os.utime(tmp_path / layout, (0, 0))  # seconds: the system's clock for files has coarse ticks
    os.utime(tmp_path / layout.partition("/")[0], (0, 0))
    os.utime(tmp_path, (0, 0))
    config = TrainConfig(dataset=f"folder:{tmp_path}")
    folders, looked = images._folders, list[Path]()
    monkeypatch.setattr(images, "_folders", lambda path: [looked.append(path), *folders(path)][1:])
    before = images.changed(config)
    assert looked == [tmp_path / name for name in listed]
    (tmp_path / layout / "new.png").touch()
    assert images.changed(config) > before


def test_an_ended_runs_summary_is_read_once_and_again_when_something_has_changed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, summarise = list[str](), summaries.summarise
    monkeypatch.setattr(summaries, "summarise", lambda run, *last: [asked.append(run.id), summarise(run, *last)][1])
    run.append([{"event": "end", "status": "stopped", "elapsed": 1.0}])
    assert [cache.summary(run).state for _ in range(3)] == ["stopped"] * 3 and len(asked) == 1
    run.rename("better")
    assert [cache.summary(run).name for _ in range(2)] == ["better"] * 2 and len(asked) == 2
    run.add_facts({"images": {"val": 7}})
    assert [cache.summary(run).held_out for _ in range(2)] == [7, 7] and len(asked) == 3
    with reopen_run(run):
        assert [cache.summary(run).state for _ in range(2)] == ["queued"] * 2 and len(asked) == 5  # it is live
    assert [cache.summary(run).state for _ in range(2)] == ["interrupted"] * 2 and len(asked) == 6
