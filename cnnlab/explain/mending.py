"""Where a custom network's picture vanishes, and ways to mend it that work.

>>> from cnnlab.config import ConvBlock
>>> fault = fault_of((ConvBlock(kernel=5, padding=0, pool="none"),), image_size=4, in_channels=1)
>>> fault.mends[0].sentence
'Set the kernel of block 1 to 3.'
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from cnnlab.config import MOST_PADDING, ConvBlock
from cnnlab.models.base import ModelError
from cnnlab.models.custom import trace_sizes

Blocks = tuple[ConvBlock, ...]
MOST_MENDS = 3


@dataclass(frozen=True)
class Mend:
    """A way out: what to do, and the blocks after it was done."""

    sentence: str
    blocks: Blocks


@dataclass(frozen=True)
class Fault:
    """The first layer that cannot work.

    Attributes:
        block: its block, from 1 on.
        layer: ``convolution`` or ``pooling``.
        given: the shape (C, H, W) that comes to it.
        needed: the least width and height that it could work on.
        mends: ways out, those first that make the whole network work; at least two.
    """

    block: int
    layer: str
    given: tuple[int, int, int]
    needed: int
    mends: tuple[Mend, ...]


def fault_of(blocks: Blocks, image_size: int, in_channels: int) -> Fault | None:
    """What is wrong with ``blocks`` for images of [in_channels, image_size, image_size]; None if nothing is."""
    number = _failing(blocks, image_size)
    if number is None:
        return None
    side = trace_sizes(blocks[: number - 1], image_size)[-1]
    channels = blocks[number - 2].channels if number > 1 else in_channels
    block = blocks[number - 1]
    ways = {way.sentence: (way, _failing(way.blocks, image_size)) for way in _ways(blocks, number, side)}
    gone = len(blocks) - 1  # a removed block leaves its number to the next, which may have a fault of its own
    helping = [(w, left) for w, left in ways.values() if left is None or left > number or len(w.blocks) == gone]
    mends = tuple(way for way, left in sorted(helping, key=lambda h: h[1] is not None))[:MOST_MENDS]
    if block.kernel > side + 2 * block.padding:
        return Fault(number, "convolution", (channels, side, side), block.kernel - 2 * block.padding, mends)
    after = (side + 2 * block.padding - block.kernel) // block.stride + 1
    return Fault(number, "pooling", (block.channels, after, after), block.pool_size, mends)


def _failing(blocks: Blocks, image_size: int) -> int | None:
    """The first block (from 1 on) that cannot work."""
    for number in range(1, len(blocks) + 1):
        try:
            trace_sizes(blocks[:number], image_size)
        except ModelError:
            return number
    return None


def _ways(blocks: Blocks, number: int, side: int) -> list[Mend]:
    """All that may help the block ``number``, whose input is ``side`` pixels wide."""
    block = blocks[number - 1]
    room = side + 2 * block.padding
    ways = []
    if block.kernel > room:
        kernel = room - (room % 2 == 0 and room > 1)  # odd kernels have a middle
        ways.append(_fitted(blocks, number, side, kernel=kernel))
        ways.append(_fitted(blocks, number, side, padding=block.kernel // 2))
    else:
        after = (room - block.kernel) // block.stride + 1
        ways.append(_changed(blocks, number, pool="none"))
        if after > 1:
            ways.append(_changed(blocks, number, pool_size=after))
        if block.stride > 1:
            ways.append(_changed(blocks, number, stride=1))
        needed = (block.pool_size - 1) * block.stride + block.kernel  # pixels, padding included
        wide = (padding for padding in range(block.padding + 1, MOST_PADDING + 1) if side + 2 * padding >= needed)
        ways += [_changed(blocks, number, padding=least) for least in islice(wide, 1)]
    for earlier in range(number - 1, 0, -1):
        if blocks[earlier - 1].pool != "none" and blocks[earlier - 1].pool_size > 1:
            ways.append(_changed(blocks, earlier, pool="none"))
    ways.append(Mend(f"Remove block {number}.", (*blocks[: number - 1], *blocks[number:])))
    return ways


def _changed(blocks: Blocks, number: int, **values: Any) -> Mend:
    changed = blocks[number - 1].model_copy(update=values)
    said = " and ".join(f"the {name.replace('_', ' ')} of block {number} to {value}" for name, value in values.items())
    return Mend(f"Set {said}.", (*blocks[: number - 1], changed, *blocks[number:]))


def _fitted(blocks: Blocks, number: int, side: int, **values: int) -> Mend:
    """``values`` that let the convolution of block ``number`` work; its pool goes where that is too little."""
    block = blocks[number - 1].model_copy(update=values)
    after = (side + 2 * block.padding - block.kernel) // block.stride + 1
    without = {"pool": "none"} if block.pool != "none" and block.pool_size > after else {}
    return _changed(blocks, number, **values, **without)
