"""A training process keeps freed memory for its next step, and waits for its threads as its niceness allows."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from cnnlab.config import TrainConfig
from cnnlab.machine import THREADS, computing_threads, keep_freed_memory, thread_count
from cnnlab.seeding import seeded

ROOT = Path(__file__).resolve().parents[1]

FAULTS = """
import resource, torch
from cnnlab.machine import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [torch.ones(1_000_000) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
print(keep_freed_memory())
faults()
print(faults() * 10 < usual)
"""


SPIN = "import cnnlab, os; print(os.environ.get('GOMP_SPINCOUNT'))"


def said_by(*command: str, **environment: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment, cwd=ROOT)
    return done.stdout.split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_freed_memory_is_not_given_back():
    assert said_by(sys.executable, "-c", FAULTS) == ["True", "True"]


def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LD_PRELOAD", "libjemalloc.so.2")
    assert not keep_freed_memory()


@pytest.mark.skipif(sys.platform == "win32", reason="nice")
def test_threads_of_a_nice_process_do_not_spin_for_long():
    assert said_by("nice", "-n", "5", sys.executable, "-c", SPIN) == ["1000"]
    assert said_by("nice", "-n", "5", sys.executable, "-c", SPIN, GOMP_SPINCOUNT="7") == ["7"]
    if not os.nice(0):
        assert said_by(sys.executable, "-c", SPIN) == ["None"]


def test_small_steps_take_one_thread_and_the_former_number_comes_back():
    mlp, large = TrainConfig(model="mlp", batch_size=20), TrainConfig(model="vgg16", batch_size=20)
    assert (thread_count(mlp, 1, 28, 10), thread_count(large, 3, 32, 10)) == (1, THREADS)
    with computing_threads(THREADS + 1):
        assert torch.get_num_threads() == THREADS + 1
    assert torch.get_num_threads() == THREADS


def test_threads_are_counted_while_another_thread_draws():
    with seeded(0):
        counted = ThreadPoolExecutor(1).submit(thread_count, TrainConfig(model="mlp", batch_size=20), 1, 28, 10)
        assert counted.result(timeout=10) == 1


def test_two_that_compute_with_threads_of_their_own_take_turns_and_leave_the_usual_number():
    met, entered = threading.Event(), threading.Event()

    def second() -> None:
        torch.get_num_threads()  # the first one's, for this thread
        met.set()
        with computing_threads(THREADS):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with computing_threads(THREADS + 1):
            other = pool.submit(second)
            assert met.wait(10) and not entered.wait(0.2)
        other.result(timeout=10)
    assert ThreadPoolExecutor(1).submit(torch.get_num_threads).result() == THREADS
