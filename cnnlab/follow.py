"""What every process but rank 0 does: its share of the training, in silence. It writes nothing and prints only errors.

::

    torchrun --standalone --nproc-per-node 2 -m cnnlab train --recipe quick_digits
"""

import platform
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from cnnlab import datasets, engine
from cnnlab.distributed.group import joined
from cnnlab.distributed.messages import Lost, tell, wait_to_hear
from cnnlab.distributed.ranks import rank
from cnnlab.engine import NotFinite
from cnnlab.inference import pick_device
from cnnlab.machine import prepare_process
from cnnlab.runs import Run
from cnnlab.stopping import signals_request
from cnnlab.team import hold_rank_lock, starting_state

OK, FAILED = 0, 1
STOPPING = 5.0  # seconds in which rank 0 may still call after a signal that both got
LAST_WORD = 10.0  # seconds for rank 0 to write down who is missing, before this process is missing too


def follow() -> int:
    """Wait until rank 0 calls, however long its turn takes, and train along; returns the exit status."""
    signals: list[float] = []  # when they came
    with signals_request(lambda: signals.append(time.monotonic())):
        called = wait_to_hear("run", lambda: bool(signals) and time.monotonic() - signals[0] > STOPPING)
        if not called:
            return OK
        run = Run(Path(called))
        with hold_rank_lock(run):
            return _answer(run, lambda: bool(signals))


def _answer(run: Run, should_stop: Callable[[], bool]) -> int:
    try:
        _train_along(run, should_stop)
        return OK
    except NotFinite:
        return FAILED  # all ranks see it after the same step, and rank 0 says it
    except Lost:
        print(f"cnnlab: rank {rank()} lost the connection to the other processes.", file=sys.stderr, flush=True)
        run.wait_until_ended(LAST_WORD)
        return FAILED
    except Exception as error:
        traceback.print_exc()
        tell(f"failed/{rank()}", f"{type(error).__name__}: {error}")
        return FAILED


def _train_along(run: Run, should_stop: Callable[[], bool]) -> None:
    config = run.config
    dataset = datasets.load(config)
    tell(f"ready/{rank()}", platform.node())
    if wait_to_hear("go", give_up=lambda: run.wait_until_ended(0)) is None:
        raise Lost("rank 0 ended")
    with joined(pick_device(config.device)):
        state = starting_state(run, dataset)
        prepare_process(dataset, config)
        for _ in engine.fit(state, dataset, config, should_stop):
            pass
