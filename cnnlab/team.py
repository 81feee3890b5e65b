"""The processes of one training: rank 0 calls the others together, and finds out which is missing.

Rank 0 alone writes the run folder. Each other rank holds a lock of its own there, ``lock-1``, ``lock-2`` and so on, for
as long as it lives: gone or not is asked of the lock, as for the run itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from filelock import FileLock
from torch import Tensor

from cnnlab import engine
from cnnlab.checkpoints import read_checkpoint, restore
from cnnlab.datasets import DatasetError, ImageDataset
from cnnlab.distributed.group import all_reduce
from cnnlab.distributed.messages import ASK_AGAIN, Lost, heard, tell
from cnnlab.distributed.ranks import rank, world_size
from cnnlab.engine import TrainState
from cnnlab.locks import is_held
from cnnlab.runs import Run

STRAGGLER = 20.0  # seconds for a process to come when the run was asked to stop, by torchrun perhaps, for it is gone
REASON = 5.0  # seconds until a lost process shows why: its lock falls with it


def call_together(run: Run) -> None:
    """Call the other processes to ``run``, once its data are here; returns when all are ready.

    Raises Lost where one is gone, or does not come although the run was asked to stop.
    """
    tell("run", str(run.path))
    for other in range(1, world_size()):
        asked_to_stop = 0.0
        while heard(f"ready/{other}") is None:
            came, here = heard(f"here/{other}") is not None, is_held(run.rank_lock_path(other))
            if heard(f"failed/{other}") or (came and not here):
                raise Lost(f"Rank {other} ended before the training began.")
            asked_to_stop = asked_to_stop or (time.monotonic() if run.stop_requested() else 0.0)
            if asked_to_stop and time.monotonic() - asked_to_stop > STRAGGLER:
                raise Lost(f"Rank {other} did not come.")
            time.sleep(ASK_AGAIN)
    tell("go", "")


def dismiss_ranks() -> None:
    """Let the other processes end, unless they were called to a run."""
    if heard("run") is None:
        tell("run", "")


@contextmanager
def hold_rank_lock(run: Run) -> Iterator[None]:
    """Hold this rank's lock in ``run`` inside the ``with``."""
    with FileLock(run.rank_lock_path(rank())):
        tell(f"here/{rank()}", "")
        yield


def remove_rank_locks(run: Run) -> None:
    """Take the locks of other ranks, those of earlier processes too, out of the folder of a run that has ended."""
    for path in run.path.glob("lock-*"):
        path.unlink(missing_ok=True)


def why_lost(run: Run) -> str:
    """Which process of ``run`` is gone and why, as a sentence; for rank 0, which could reach it no more."""
    until = time.monotonic() + REASON
    while time.monotonic() < until:
        for other in range(1, world_size()):
            gone = not is_held(run.rank_lock_path(other))  # asked first: it says why before it goes
            host = heard(f"ready/{other}")
            name = f"Rank {other} of {world_size()} processes" + (f" (on {host})" if host else "")
            if reason := heard(f"failed/{other}"):
                return f"{name} failed: {reason}"
            if gone:
                return f"{name} was cut off: a person or the machine ended it. The run can be resumed."
        time.sleep(ASK_AGAIN)
    return "The connection between the processes was lost. The run can be resumed."


def starting_state(run: Run, dataset: ImageDataset) -> TrainState:
    """The network and optimiser of ``run`` as its last checkpoint has them, or new ones: the same in all processes.

    Raises CheckpointError, and DatasetError where the processes have other images or weights than rank 0.
    """
    config = run.config
    state = engine.new_state(config, dataset)
    last = run.checkpoint_path("last")
    if last.is_file():
        restore(state, read_checkpoint(last))
    if world_size() > 1:
        _refuse_others(state, dataset)
    return state


def _refuse_others(state: TrainState, dataset: ImageDataset) -> None:
    counts = torch.tensor([state.step, len(dataset.train), int(dataset.train.labels.sum())])
    mine = torch.cat([counts, torch.stack([_checksum(value) for value in state.model.state_dict().values()])])
    table = torch.zeros(world_size(), len(mine), dtype=torch.int64)
    table[rank()] = mine
    for other, row in enumerate(all_reduce(table)):
        if not row.equal(table[0]):
            raise DatasetError(
                f"Rank {other} has other images or weights than rank 0: let all hosts see the same folder of runs, and "
                "the same data."
            )


def _checksum(values: Tensor) -> Tensor:
    """The sum of the bits of ``values``, as whole numbers: exact, in whatever order a processor adds."""
    whole = values.detach().cpu().contiguous()
    return (whole.view(torch.int32) if whole.is_floating_point() else whole).sum(dtype=torch.int64)
