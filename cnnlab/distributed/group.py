"""The processes that train together: who takes which images, and sums over all of them.

Every process takes its share of each global batch; a loss is divided by the images of the whole batch, so that the
*sum* of all gradients is the gradient of the mean over that batch, however uneven the shares are::

    mine = images[share(len(images))]
    loss, correct = sum_gradients(weights, loss, correct)      # one all-reduce for a step

Before :func:`join`, and on one process, each function gives back what it was given.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch import distributed as dist

from cnnlab.distributed.messages import Lost, meet
from cnnlab.distributed.ranks import local_rank, local_world_size, rank, world_size

_group = {"joined": False}  # asked several times in each step, and dist.is_initialized() is slow to answer


@contextmanager
def joined(device: torch.device, slot: int = 0) -> Iterator[None]:
    """All processes train together inside the ``with``: over gloo, and between GPUs over nccl.

    One process alone takes the GPU of its ``slot`` in the queue, so that several trainings at a time share them out.

    Raises ValueError where ``device`` is of a kind, or this host has too few of it, to give each process its own.
    """
    if world_size() == 1:
        if device.type == "cuda":
            torch.cuda.set_device(slot % torch.cuda.device_count())
        yield
        return
    mine = None
    if device.type == "cuda":
        if local_world_size() > torch.cuda.device_count():
            raise ValueError(
                f"{local_world_size()} processes are too many for {torch.cuda.device_count()} GPU here: "
                "give each its own, or set device = cpu."
            )
        mine = torch.device("cuda", local_rank())
        torch.cuda.set_device(mine)
    elif device.type != "cpu":
        raise ValueError(f"device = {device.type} cannot be shared among processes: set device = cpu.")
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    with _losses():
        dist.init_process_group(backend, rank=rank(), world_size=world_size(), device_id=mine)
    _group["joined"] = True
    yield
    meet("end")  # whoever leaves first would cut off what the others still read
    _group["joined"] = False
    dist.destroy_process_group()


@contextmanager
def _losses() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # DistBackendError too
        raise Lost(str(error)) from error


def together() -> bool:
    """Whether several processes train together now."""
    return _group["joined"]


def share(count: int) -> slice:
    """Which of ``count`` images this process takes: neighbours, as many as the others or one more; maybe none."""
    if not together():
        return slice(0, count)
    number, of = dist.get_rank(), dist.get_world_size()
    return slice(count * number // of, count * (number + 1) // of)


def sum_gradients(weights: Sequence[nn.Parameter], *figures: Tensor) -> list[Tensor]:
    """Add up the gradients of ``weights``, in place, and scalar ``figures``, which are given back: one all-reduce."""
    if not together():
        return list(figures)
    parts = [w.grad for w in weights if w.grad is not None] + [f.detach().float() for f in figures]
    flat = all_reduce(torch.cat([part.reshape(-1) for part in parts]))
    for part, summed in zip(parts, flat.split_with_sizes([part.numel() for part in parts]), strict=True):
        part.copy_(summed.view(part.shape))
    return parts[-len(figures) :]


def totals(figures: Sequence[float]) -> list[float]:
    """The sums over all processes, in double precision."""
    if not together():
        return list(figures)
    return [float(figure) for figure in all_reduce(torch.tensor(figures, dtype=torch.float64)).tolist()]


def any_of(wish: bool) -> bool:
    """Whether any process wishes so: all get the same answer at the same step."""
    return totals([wish])[0] > 0 if together() else wish


def all_reduce(values: Tensor) -> Tensor:
    """The sum of ``values`` over all processes, in place; raises Lost where another process is gone."""
    with _losses():
        dist.all_reduce(values)
    return values
