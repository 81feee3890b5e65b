"""What memory a training step takes, told before it is taken: a server has no more than its visitors share.

>>> from cnnlab.config import TrainConfig
>>> from cnnlab.explain.anatomy import anatomy
>>> from cnnlab.models import outline
>>> parts = anatomy(outline(TrainConfig(model="simple_cnn"), 1, 28, 10), (1, 28, 28))
>>> step_bytes(parts, batch=64)
11770528
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cnnlab.explain.anatomy import Part
from cnnlab.machine import lacks_memory

MOST_BYTES = 1_500_000_000  # of a step for a look: ResNet-18 on 64 images of CIFAR-10, as float64, takes 1.4 GB
COPIES = 4  # of each weight: itself, its gradient, and what Adam remembers
SMALLER = "ResNet-18"  # what to look at instead


class TooLarge(ValueError):
    """A step that takes more memory than there is for it; the message says so."""


def step_bytes(parts: Sequence[Part], batch: int, width: int = 4) -> int:
    """About how many bytes a training step takes, its network's weights included.

    ``parts`` are the network's layers for one image, ``batch`` the images of a step, ``width`` the bytes of a number
    (8 in double precision). Measured peaks lie between three quarters and 1.7 times of it: what is computed in place
    takes less, the gradients of what is computed take more.
    """
    weights = sum(part.parameters for part in parts)
    values = math.prod(parts[0].input) + sum(math.prod(part.output) for part in parts)
    return width * (COPIES * weights + batch * values)


def expect_affordable(parts: Sequence[Part], batch: int, width: int = 4) -> None:
    """Raise TooLarge if a step, as in :func:`step_bytes`, takes more than MOST_BYTES."""
    takes, weights = step_bytes(parts, batch, width), step_bytes(parts, 0, width)
    if takes <= MOST_BYTES:
        return
    fitting = (MOST_BYTES - weights) // (step_bytes(parts, 1, width) - weights)
    if fitting < 2:  # of one image, batch norm would see a single value of each channel
        size, most = sum(part.parameters for part in parts), MOST_BYTES // (width * COPIES)
        raise TooLarge(
            f"A step of {size:,} parameters takes about {takes / 1e9:.1f} GB, too much for a look: choose a network of "
            f"well below {most:,} parameters, such as {SMALLER}."
        )
    raise TooLarge(
        f"A step of {batch:,} images takes about {takes / 1e9:.1f} GB, and a look may take {MOST_BYTES / 1e9:.1f} GB: "
        f"choose a batch size of at most {fitting:,}, or a smaller network."
    )


@contextmanager
def telling_of_memory() -> Iterator[None]:
    """Raise TooLarge where memory runs out inside the ``with``, on any device."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise TooLarge("There is no memory left for this step here: choose a smaller batch size or network.") from error
