"""What a network answers, and on which device it computes.

>>> infer(network, images, config, scaling).argmax(1)                     # doctest: +SKIP
tensor([7, 2, 1])
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from cnnlab.config import TrainConfig
from cnnlab.datasets.view import Images, fetched
from cnnlab.loader import Scaling

EVAL_BATCH = 1000  # images at a time, at most; more leave the processor's caches
EVAL_PIXELS = EVAL_BATCH * 32 * 32  # likewise; of larger pictures fewer are taken, for each needs memory by its pixels


def pick_device(name: str) -> torch.device:
    """The device called ``name`` (auto, cpu, cuda, mps); raises ValueError for one that this machine lacks."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if here["cuda"] else "mps" if here["mps"] else "cpu")
    if not here.get(name):
        raise ValueError(
            f"device = {name} is not on this machine{_why_no_gpu() if name == 'cuda' else ''}: "
            f"give {', '.join(n for n in here if here[n])} or auto."
        )
    return torch.device(name)


def _why_no_gpu() -> str:
    """What PyTorch says about it: there may be a GPU with too old a driver."""
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return f" ({str(error).split('. ')[0].rstrip('.')})"
    return ""


def autocast(device: torch.device, config: TrainConfig) -> AbstractContextManager[object]:
    """Where ``config`` wants bfloat16, what makes layers compute in it."""
    return torch.autocast(device.type, torch.bfloat16) if config.precision == "bfloat16" else nullcontext()


@torch.inference_mode()
def infer(
    model: nn.Module,
    images: Images,
    config: TrainConfig,
    scaling: Scaling,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """The logits (float32 [N, K]) of ``model``, set to evaluation, for ``images`` (uint8 [N, C, H, W])."""
    model.eval()
    device = next(model.parameters()).device
    parts = []
    height, width = images.shape[2:]
    batch = max(1, min(EVAL_BATCH, EVAL_PIXELS // (height * width)))
    starts = range(0, max(1, len(images)), batch)
    for start, pixels in zip(starts, fetched(images, (slice(s, s + batch) for s in starts)), strict=True):
        inputs = scaling(pixels.to(device))
        with autocast(device, config):
            parts.append(model(inputs).float())
        on_progress(min(start + batch, len(images)), len(images))
    return torch.cat(parts)
