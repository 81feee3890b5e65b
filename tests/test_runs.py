"""Run folders: their states are asked of the lock, their records read as far as they are whole, their names checked."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import new_runs
from cnnlab.checkpoints import read_checkpoint
from cnnlab.config import TrainConfig
from cnnlab.curves import read_curves
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.locks import is_held
from cnnlab.new_runs import create_run, new_folder, reopen_run
from cnnlab.paths import write_whole
from cnnlab.runs import Run, RunError, checked_name, find_run, list_runs
from cnnlab.summary import summarise
from cnnlab.sweeps.folder import list_sweeps
from cnnlab.train import Listener, train

FACTS = {"config": TrainConfig().model_dump(mode="json"), "recipe": None}


@pytest.fixture
def queued_run(tmp_path: Path) -> Run:
    """A run folder that nobody works on any more: created, then its lock let go."""
    run, held = create_run(tmp_path / "runs/one", FACTS)
    held.lock.release()
    return run


def another(folder: Path, name: str) -> Run:
    run, held = create_run(folder / name, FACTS)
    held.lock.release()
    return run


# ── states ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("records", "alive", "dead"),
    [
        ([], "queued", "interrupted"),
        ([{"event": "start"}], "running", "interrupted"),
        ([{"event": "start"}, {"event": "step", "step": 1}], "running", "interrupted"),
        ([{"event": "start"}, {"event": "epoch", "step": 1}, {"event": "queued"}], "queued", "interrupted"),
        ([{"event": "end", "status": "finished"}], "finished", "finished"),
        ([{"event": "end", "status": "stopped"}], "stopped", "stopped"),
        ([{"event": "end", "status": "failed"}], "failed", "failed"),
        ([{"event": "end", "status": "stopped"}, {"event": "queued"}], "queued", "interrupted"),
    ],
    ids=str,
)
def test_a_state_follows_from_the_lock_and_the_last_record(queued_run, records, alive, dead):
    queued_run.append(records)
    assert queued_run.state() == dead
    with queued_run.lock():
        assert queued_run.state() == alive


def test_a_lock_is_held_as_long_as_its_process_lives(tmp_path):
    code = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    lock = tmp_path / "lock"
    assert not is_held(lock)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        assert is_held(lock) and is_held(lock)
        process.kill()
    assert not is_held(lock)


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
def test_who_asks_whether_a_lock_is_held_does_not_hold_it_for_others(tmp_path):
    import fcntl

    with (tmp_path / "lock").open("wb") as asker:
        fcntl.flock(asker, fcntl.LOCK_SH)
        assert not is_held(tmp_path / "lock")
        fcntl.flock(asker, fcntl.LOCK_EX)
        assert is_held(tmp_path / "lock")


def test_real_trainings_pass_through_their_states(trainer, until, fresh_folders):
    few = ("--train-images", "64", "--validation-fraction", "0", "--batch-size", "8")
    process = trainer.start("train", *few, "--epochs", "1000", "--name", "killed", OMP_NUM_THREADS="1")
    killed, stopped, waits = (Run(fresh_folders / name) for name in ("killed", "stopped", "waits"))
    until(lambda: killed.state() == "running", "the start")
    first = trainer.start("train", *few, "--name", "stopped", OMP_NUM_THREADS="1")
    until(lambda: list(fresh_folders.glob(".queue/ticket-*")), "the second run's place in the line")
    second = trainer.start("train", *few, "--epochs", "1", "--name", "waits", OMP_NUM_THREADS="1")
    until(lambda: len(list(fresh_folders.glob(".queue/ticket-*"))) == 2, "the third run's place in the line")
    assert (killed.state(), stopped.state(), waits.state()) == ("running", "queued", "queued")
    until(lambda: (waits.last_record("queued") or {}).get("ahead") == 1, "word of its place")
    assert stopped.last_record("queued")["ahead"] == 0

    stopped.request_stop()
    assert first.wait(60) == 0 and stopped.state() == "stopped"
    assert stopped.last_record("step") is None and "waited" in stopped.last_record("end")["message"]
    process.kill()
    until(lambda: killed.state() == "interrupted", "the first run's interruption")
    assert second.wait(60) == 0 and waits.state() == "finished"


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_record_of_a_long_log_is_found_from_its_end(queued_run):
    queued_run.append([{"event": "epoch", "step": 1, "note": "ü" * 1000}])
    queued_run.append([{"event": "step", "step": n, "filling": "x" * 50} for n in range(5000)])
    assert queued_run.metrics_path.stat().st_size > 5 * 65536
    assert queued_run.last_record()["step"] == 4999
    assert queued_run.last_record("epoch") == {"event": "epoch", "step": 1, "note": "ü" * 1000}
    assert queued_run.last_record("queued")["event"] == "queued"
    assert queued_run.last_record("eval") is None


def test_a_record_longer_than_what_is_read_at_a_time_is_whole(queued_run):
    queued_run.append([{"event": "epoch", "step": 1, "long": "x" * 200_000}, {"event": "step", "step": 2}])
    assert len(queued_run.last_record("epoch")["long"]) == 200_000


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(0, 200), max_size=20), cut=st.integers(0, 60), tail=st.integers(16, 100))
def test_only_whole_lines_count_wherever_the_file_ends(queued_run, monkeypatch, lengths, cut, tail):
    monkeypatch.setattr("cnnlab.tails.CHUNK", tail)
    records = [{"event": "step", "step": n, "x": "y" * length} for n, length in enumerate(lengths)]
    content = b"".join(json.dumps(r).encode() + b"\n" for r in records)
    content = content[: max(0, len(content) - cut)]
    queued_run.metrics_path.write_bytes(content)
    whole = records[: content.count(b"\n")]
    assert list(queued_run.records()) == whole
    assert queued_run.last_record() == (whole[-1] if whole else None)


@pytest.mark.parametrize("change", ["request_stop", "rename", "resume"])
def test_a_folder_that_cannot_be_written_to_is_told_in_a_sentence(queued_run, monkeypatch, change):
    def refused(*given: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied", str(queued_run.path))

    changes = {
        "request_stop": ("pathlib.Path.touch", queued_run.request_stop),
        "rename": ("cnnlab.runs.write_whole", lambda: queued_run.rename("other")),
        "resume": ("cnnlab.runs.Run.append", lambda: reopen_run(queued_run)),
    }
    patched, call = changes[change]
    monkeypatch.setattr(patched, refused)
    with pytest.raises(RunError, match=rf"{queued_run.path} cannot be written to \(Permission denied\)"):
        call()
    assert not queued_run.alive()  # nothing holds it


def test_a_damaged_record_is_passed_over_where_a_run_goes_on(queued_run):
    with queued_run.metrics_path.open("ab") as file:
        file.write(b'{"event": "step"}\n{"event": "step", "step": "1"}\n')
    queued_run.append([{"event": "step", "step": 1}, {"event": "step", "step": 2}])
    queued_run.forget_after(1)
    assert list(queued_run.records()) == [{"event": "step", "step": 1}]


def test_a_half_written_record_spoils_neither_the_state_nor_what_follows(queued_run):
    queued_run.append([{"event": "start", "step": 0, "time": 1.0}, {"event": "step", "step": 1}])
    with queued_run.metrics_path.open("ab") as file:
        file.write(b'{"event": "st')
    assert queued_run.state() == "interrupted"
    with reopen_run(queued_run):
        assert queued_run.state() == "queued"
        assert [r["event"] for r in queued_run.records()] == ["queued", "start", "step", "queued"]


def test_going_on_from_a_step_forgets_later_records_and_ends(queued_run):
    events = [("step", 1), ("epoch", 1), ("step", 2), ("eval", 2), ("step", 3), ("end", 3)]
    queued_run.append([{"event": event, "step": step} for event, step in events])
    queued_run.forget_after(2)
    assert [(r["event"], r["step"]) for r in queued_run.records()] == events[:4]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    write_whole(tmp_path / "file", b"old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", "no bytes")  # type: ignore[arg-type]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    done = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: done.append("synced") or sync(file))
    monkeypatch.setattr(Path, "replace", lambda part, path: done.append("replaced") or replace(part, path))
    write_whole(tmp_path / "file", b"new")
    assert done == ["synced", "replaced"]


def test_many_threads_may_write_the_same_file_at_once(tmp_path):
    contents = {str(number).encode() * 10_000 for number in range(8)}
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            list(pool.map(lambda content: write_whole(tmp_path / "file", content), contents))
            assert (tmp_path / "file").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_checkpoints_that_follow_each_other_within_a_second_are_told_apart(queued_run):
    path = queued_run.checkpoint_path("best")
    path.parent.mkdir()
    path.touch()
    times = []
    for written in (10**18, 10**18 + 1000):
        os.utime(path, ns=(written, written))
        times.append(queued_run.checkpoint_time("best"))
    assert times == [10**18, 10**18 + 1000]


def test_a_run_knows_whether_it_is_there_and_where_its_answers_are_kept(queued_run):
    assert queued_run.exists() and not Run(queued_run.path.parent).exists()
    names = [queued_run.predictions_path("val", checkpoint).name for checkpoint in (None, "last")]
    assert names == ["predictions-val.npz", "predictions-val-last.npz"]


# ── making, finding, naming, deleting ─────────────────────────────────────────────────────────────────────────────


def test_a_new_folder_is_named_after_its_recipe_or_network_and_dataset(tmp_path):
    assert new_folder(tmp_path, TrainConfig(), "quick_digits").name.startswith("quick_digits-")
    assert new_folder(tmp_path, TrainConfig(), None).name.startswith("simple_cnn-digits-")
    odd = new_folder(tmp_path, TrainConfig(dataset="folder:/home/me/" + "my flowers/" * 9 + "ö"), None)
    assert checked_name(odd.name) == odd.name and odd.name.startswith("simple_cnn-ö-")


def test_runs_that_begin_together_get_folders_of_their_own(tmp_path):
    folders = {new_folder(tmp_path, TrainConfig(), "mlp") for _ in range(20)}
    assert len(folders) == 20 and all(folder.is_dir() for folder in folders)


def test_where_no_folder_can_be_made_a_sentence_says_so(tmp_path):
    (tmp_path / "file").touch()
    for make in (
        lambda: new_folder(tmp_path / "file", TrainConfig(), None),
        lambda: create_run(tmp_path / "file/run", FACTS),
    ):
        with pytest.raises(RunError, match=rf"The run folder {tmp_path}/file/.* cannot be made .* CNNLAB_RUNS\.$"):
            make()


def test_a_name_is_given_to_one_run(queued_run):
    with pytest.raises(RunError, match="There is a run called one already: choose another --name, or delete that one"):
        create_run(queued_run.path, FACTS)


def test_a_finished_or_live_run_is_not_reopened(queued_run):
    with queued_run.lock(), pytest.raises(RunError, match=r"one is queued: there is nothing to resume\."):
        reopen_run(queued_run)
    queued_run.append([{"event": "end", "status": "finished"}])
    with pytest.raises(RunError, match="one has finished: there is nothing to resume"):
        reopen_run(queued_run)
    assert not is_held(queued_run.path / "lock")


def test_a_run_whose_process_is_about_to_end_is_not_reopened_nor_deleted_under_it(queued_run, monkeypatch):
    monkeypatch.setattr(new_runs, "LEAVING", 0.1)
    monkeypatch.setattr(Run, "wait_until_ended", lambda self, seconds: not is_held(self.path / "lock"))
    with queued_run.lock():
        queued_run.append([{"event": "end", "status": "stopped"}])
        with pytest.raises(RunError, match="one is stopped, but its last process has not ended yet: try again"):
            reopen_run(queued_run)
        with pytest.raises(RunError, match="did not stop within 30 s"):
            queued_run.delete()
    queued_run.delete()
    assert not queued_run.path.exists()


def test_the_end_of_a_with_lets_go_of_the_lock(tmp_path):
    run, held = create_run(tmp_path / "one", FACTS)
    assert run.alive()
    with held:
        assert run.alive()
    assert not run.alive()
    with reopen_run(run) as lock:
        assert run.alive()
    assert not run.alive() and not lock.is_locked


def test_reopening_takes_back_a_request_to_stop(queued_run):
    queued_run.request_stop()
    assert queued_run.stop_requested()
    with reopen_run(queued_run):
        assert not queued_run.stop_requested()


def test_a_run_is_found_by_folder_name_path_and_given_name(queued_run, monkeypatch):
    runs = queued_run.path.parent
    queued_run.rename("My best ✨"[:7])
    for text in ("one", str(queued_run.path), "My best"):
        assert find_run(text, runs).path == queued_run.path
    monkeypatch.chdir(runs)
    assert find_run("./one", Path("/nowhere")).path == queued_run.path


def test_a_folder_that_cnnlab_did_not_write_is_no_run_and_one_among_the_runs_comes_first(queued_run, monkeypatch):
    runs, elsewhere = queued_run.path.parent, queued_run.path.parent.parent / "models"
    for name in ("one", "bert"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "config.json").write_text('{"model_type": "bert"}')
    monkeypatch.chdir(elsewhere)
    assert find_run("one", runs).path == queued_run.path
    for text in ("bert", str(elsewhere / "one"), "../models/one"):
        with pytest.raises(RunError, match=r"holds no 'config': it was not written by cnnlab\.$"):
            find_run(text, runs)
    (queued_run.path / "config.json").write_text("damaged")
    assert find_run("one", runs).path == queued_run.path


def test_a_run_that_is_not_there_is_answered_with_those_that_are(queued_run):
    for text in ("two", "x" * 5000, "~nobody-here", "", "a\0b"):
        with pytest.raises(RunError, match=r"There is no run '.*' in .*\. Available: one\."):
            find_run(text, queued_run.path.parent)
    with pytest.raises(RunError, match="Available: none yet"):
        find_run("one", queued_run.path)
    queued_run.rename("baseline")
    for number in range(10):
        another(queued_run.path.parent, f"r{number}")
    with pytest.raises(RunError, match=r" and 1 more, which `runs` lists\. Did you mean baseline\?$"):
        find_run("basline", queued_run.path.parent)


def test_a_name_that_two_runs_share_is_ambiguous(queued_run):
    second = another(queued_run.path.parent, "two")
    for run in (queued_run, second):
        (run.path / "name").write_text("same")  # by two people at once
    with pytest.raises(RunError, match="2 runs are called 'same': give one of the folders two, one"):
        find_run("same", queued_run.path.parent)


@pytest.mark.parametrize(
    "name", ["", " ", "../up", "a/b", ".hidden", "-flag", "x" * 101, "a\nb", "a\0b", "<b>", "new\n"]
)
def test_a_name_that_cannot_be_used_is_refused(queued_run, name):
    if name == "new\n":
        queued_run.rename(name)  # outer blanks fall away
        assert queued_run.name == "new"
        return
    with pytest.raises(RunError, match="cannot be a run's name: use 1 to 100 letters"):
        queued_run.rename(name)
    assert queued_run.name == "one"


def test_a_renamed_run_keeps_its_folder(queued_run):
    queued_run.rename("Größer, schöner (2)")
    assert (queued_run.name, queued_run.id) == ("Größer, schöner (2)", "one") and queued_run.path.is_dir()


def test_a_name_that_another_run_has_is_refused(queued_run):
    second = another(queued_run.path.parent, "two")
    second.rename("best")
    for taken in ("two", "best", " best "):
        with pytest.raises(RunError, match=f"^Another run is called '{taken.strip()}' already: choose"):
            queued_run.rename(taken)
    assert queued_run.name == "one"
    second.rename("best")
    second.rename("two")  # its own


def test_a_deleted_run_is_gone_with_all_its_files(queued_run):
    (queued_run.path / "checkpoints").mkdir()
    queued_run.delete()
    assert not queued_run.path.exists() and list_runs(queued_run.path.parent) == []


def test_who_deletes_what_another_deletes_too_hears_of_no_fault(queued_run):
    for file in range(200):
        (queued_run.path / f"file-{file}").touch()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(Run.delete, [queued_run] * 4)) == [None] * 4
    assert not queued_run.path.exists()
    queued_run.delete()  # it is gone, as wished


def test_a_run_that_cannot_be_deleted_is_told_in_a_sentence(queued_run, monkeypatch):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(RunError, match=r"one could not be deleted \(.*Permission denied"):
        queued_run.delete()


def test_deleting_a_queued_run_stops_it_first(queued_run, monkeypatch):
    asked = []
    monkeypatch.setattr(Run, "wait_until_ended", lambda run, seconds: asked.append(run.stop_requested()))
    with queued_run.lock(), pytest.raises(RunError, match="did not stop within 30 s"):
        queued_run.delete()
    assert asked == [True]


def test_deleting_a_live_run_stops_it_first(trainer, until, fresh_folders):
    process = trainer.start("train", "--epochs", "1000", "--train-images", "64", "--name", "live")
    run = Run(fresh_folders / "live")
    until(lambda: run.last_record("step"), "the first step")
    run.delete()
    assert not run.path.exists() and process.wait(30) is not None


def test_runs_are_listed_from_the_newest_on_and_other_folders_left_out(queued_run):
    runs = queued_run.path.parent
    another(runs, "a")
    (runs / "notes").mkdir()
    (runs / "file").touch()
    assert [run.id for run in list_runs(runs)] == ["a", "one"]
    assert list_runs(runs / "nowhere") == []


def test_a_folder_that_may_not_be_looked_into_hides_no_other_run_nor_sweep(queued_run, monkeypatch):
    runs = queued_run.path.parent
    for folder in ("private", "sweeps/private", "sweeps/search"):
        (runs / folder).mkdir(parents=True)
    (runs / "sweeps/search/journal").touch()
    stat = Path.stat

    def refused(path: Path, **given: object) -> os.stat_result:
        if path.parent.name == "private":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **given)

    monkeypatch.setattr(Path, "stat", refused)
    assert [run.id for run in list_runs(runs)] == ["one"]
    assert [sweep.name for sweep in list_sweeps(runs)] == ["search"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"config": 5}', '{"config": {"epochs": 0}}', "\xff"])
def test_a_damaged_config_is_said_in_a_sentence(queued_run, content):
    (queued_run.path / "config.json").write_text(content, "latin-1")
    with pytest.raises(RunError, match=str(queued_run.path)):
        _ = queued_run.config
    with pytest.raises(RunError):
        summarise(queued_run)
    assert [run.id for run in list_runs(queued_run.path.parent)] == ["one"]


def test_a_summary_says_what_a_list_shows(queued_run):
    queued_run.append(
        [
            {"event": "start", "step": 0, "time": 1.0},
            {"event": "epoch", "step": 9, "epoch": 3, "best/accuracy": 0.75, "test/accuracy": 0.5, "elapsed": 4.0},
            {"event": "end", "step": 9, "epoch": 3, "status": "stopped", "elapsed": 5.0},
        ]
    )
    found = summarise(queued_run)
    assert (found.name, found.state, found.epoch, found.config.epochs) == ("one", "stopped", 3, 5)
    assert (found.best_accuracy, found.watched_accuracy, found.duration) == (0.75, 0.5, 5.0)


def test_a_run_that_was_cut_off_in_its_first_epoch_took_until_its_last_record(queued_run):
    now = round(time.time()) + 1
    queued_run.append([{"event": "start", "step": 0, "time": now, "elapsed": 2.0}, {"event": "step", "step": 1}])
    os.utime(queued_run.metrics_path, (now + 7, now + 7))
    assert summarise(queued_run).duration == 9.0
    queued_run.append([{"event": "epoch", "step": 2, "epoch": 1, "elapsed": 12.0}, {"event": "step", "step": 3}])
    assert summarise(queued_run).duration == 12.0


def test_a_run_without_records_took_no_time(queued_run):
    queued_run.metrics_path.unlink()
    assert (summarise(queued_run).state, summarise(queued_run).duration) == ("interrupted", 0.0)


def test_the_time_for_which_a_resumed_run_was_away_and_waits_is_none_of_its_own(queued_run):
    long_ago = time.time() - 1_000_000
    queued_run.append([{"event": "start", "step": 0, "time": long_ago, "elapsed": 0.0}, {"event": "step", "step": 1}])
    queued_run.append([{"event": "end", "step": 1, "epoch": 1, "status": "stopped", "elapsed": 5.0}])
    with reopen_run(queued_run):
        assert summarise(queued_run).state == "queued" and summarise(queued_run).duration == 5.0
        queued_run.request_stop()
        assert train(queued_run, Listener()) == "stopped"
    assert queued_run.last_record("end")["elapsed"] == 5.0 and summarise(queued_run).duration == 5.0


def trained(path: Path, values: dict[str, object], **facts: object) -> Run:
    """A run of a perceptron on twenty digits, an epoch of which is one step."""
    config = TrainConfig(model="mlp", train_images=20, batch_size=20, **values)
    run, held = create_run(path, {**FACTS, "config": config.model_dump(mode="json"), **facts})
    with held:
        assert train(run, Listener()) == "finished"
    return run


def test_best_is_the_checkpoint_with_the_lowest_loss_and_carries_weights_alone(tmp_path):
    run = trained(tmp_path / "one", {"epochs": 20, "lr": 0.03})  # it soon learns them by heart
    end = run.last_record("epoch")
    assert end["best/epoch"] < end["epoch"] == 20
    best, last = (read_checkpoint(run.checkpoint_path(name)) for name in ("best", "last"))
    assert (best.step, last.step) == (end["best/epoch"], 20)
    assert evaluate(run, "val", "best").loss == pytest.approx(end["best/loss"], rel=1e-4)
    of_optimiser = [sum(key.startswith("optimizer.") for key in saved.tensors) for saved in (best, last)]
    assert of_optimiser[0] == 0 < of_optimiser[1]


def test_a_resumed_run_has_learnt_from_the_images_it_began_with_too(tmp_path):
    run = trained(tmp_path / "one", {"epochs": 1}, images_version="old")
    assert run.facts()["images_version"] == "old"


def test_what_is_damaged_hides_neither_the_rest_of_its_run_nor_other_runs(tmp_path):
    run = another(tmp_path, "a")
    run.append([{"event": "step", "step": 1}])
    with run.metrics_path.open("ab") as file:
        file.write(b'{"event": "st\n\xff\xfe\n[1]\n{"step": 2}\n')
    run.append([{"event": "step", "step": 3}])
    assert [r["step"] for r in run.records() if r["event"] == "step"] == [1, 3]
    with run.metrics_path.open("ab") as file:
        file.write(b'{"event": "end", \n')
    assert run.last_record()["step"] == 3 and run.last_record("end") is None
    (run.path / "name").write_bytes(b"\xff\xfe")
    run.add_facts({"created": None})
    assert run.name == run.id and run.created == 0 and list_runs(tmp_path) == [run]
    assert read_curves(run) == {}


@pytest.mark.parametrize("name", ["sweeps", "Sweeps", "kernels.json"])
def test_no_run_is_called_like_what_else_lies_there(name):
    with pytest.raises(RunError, match="have another use"):
        checked_name(name)
