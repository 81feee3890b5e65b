"""The queue: so many trainings at a time, in the order in which they came, whatever becomes of them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from filelock import FileLock

from cnnlab.locks import is_held
from cnnlab.queue import most_at_a_time, turn

HOLDER = """
import sys
from pathlib import Path
from cnnlab.queue import turn
runs, give_up = Path(sys.argv[1]), Path(sys.argv[1], sys.argv[2])
with turn(runs, lambda ahead: print("waits behind", ahead, flush=True), give_up.exists) as slot:
    print("gave up" if slot is None else "runs", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def enter(tmp_path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that take a turn in one folder, and hold it until their input is closed."""
    started = []

    def start(name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(tmp_path), name]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:  # closes its pipes
            pass


def says(process: subprocess.Popen[str], line: str) -> bool:
    """Whether ``line`` is what the process says next (waits for it)."""
    return process.stdout.readline() == line + "\n"


def test_one_runs_and_the_others_follow_in_order_though_one_dies_and_one_gives_up(enter, tmp_path):
    first = enter("first")
    assert says(first, "runs")
    line = []
    for place, name in enumerate(("dies", "gives_up", "second", "third")):
        line.append(enter(name))
        assert says(line[-1], f"waits behind {place}")
    dies, gives_up, second, third = line

    dies.kill()
    assert says(gives_up, "waits behind 0") and says(second, "waits behind 1") and says(third, "waits behind 2")
    (tmp_path / "gives_up").touch()
    assert says(gives_up, "gave up") and says(second, "waits behind 0") and says(third, "waits behind 1")

    first.stdin.close()
    assert says(second, "runs") and says(third, "waits behind 0")
    second.kill()  # a slot is free when its process ends, however it ends
    assert says(third, "runs")


def test_a_setting_allows_more_at_a_time(enter, monkeypatch):
    monkeypatch.setenv("CNNLAB_MAX_TRAININGS", "2")
    one = enter("one")
    assert says(one, "runs")
    assert says(enter("two"), "runs")
    three = enter("three")
    assert says(three, "waits behind 0")
    one.stdin.close()
    assert says(three, "runs")


def test_a_turn_is_told_how_many_wait_ahead_and_leaves_no_ticket(tmp_path):
    with turn(tmp_path, lambda ahead: None, lambda: False) as slot:
        assert slot == 0 and is_held(tmp_path / ".queue/slot-0")
        told: list[int] = []
        with turn(tmp_path, told.append, lambda: bool(told)) as second:
            assert second is None and told == [0]
    assert not is_held(tmp_path / ".queue/slot-0") and not list(tmp_path.glob(".queue/ticket-*"))


def test_each_of_several_trainings_has_a_slot_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLAB_MAX_TRAININGS", "2")
    first, second = (turn(tmp_path, lambda ahead: None, lambda: False) for _ in range(2))
    with first as one, second as two:
        assert (one, two) == (0, 1)  # of several GPUs each takes another


def test_who_comes_later_waits_behind_also_where_the_clock_is_set_back(tmp_path, monkeypatch):
    clock = count(10**18, -1)
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    told: list[int] = []

    def come_later(ahead: int) -> None:
        with turn(tmp_path, told.append, lambda: bool(told)) as slot:
            assert slot is None

    with turn(tmp_path, lambda ahead: None, lambda: False), turn(tmp_path, come_later, lambda: bool(told)):
        assert told == [1]


def test_a_free_slot_is_for_who_came_first(tmp_path):
    told: list[int] = []
    (tmp_path / ".queue").mkdir()
    with FileLock(tmp_path / ".queue/ticket-1"), turn(tmp_path, told.append, lambda: bool(told)) as slot:
        assert slot is None and told == [1]


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", " "])
def test_a_number_of_trainings_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("CNNLAB_MAX_TRAININGS", text)
    with pytest.raises(ValueError, match=f"CNNLAB_MAX_TRAININGS = {text} is not allowed: give a whole number from 1"):
        most_at_a_time()


def test_the_setting_is_one_unless_it_is_said(monkeypatch):
    monkeypatch.delenv("CNNLAB_MAX_TRAININGS", raising=False)
    assert most_at_a_time() == 1
    monkeypatch.setenv("CNNLAB_MAX_TRAININGS", "")
    assert most_at_a_time() == 1
    monkeypatch.setenv("CNNLAB_MAX_TRAININGS", "3")
    assert most_at_a_time() == 3
