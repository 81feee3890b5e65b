"""Every fault of a custom network comes with ways out that work."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnlab.config import ConvBlock
from cnnlab.explain.mending import fault_of
from cnnlab.models.base import ModelError
from cnnlab.models.custom import trace_sizes

harsh_blocks = st.lists(
    st.builds(
        ConvBlock,
        kernel=st.integers(1, 11),
        stride=st.integers(1, 4),
        padding=st.integers(0, 5),
        pool=st.sampled_from(["none", "max"]),
        pool_size=st.integers(1, 8),
    ),
    min_size=1,
    max_size=6,
).map(tuple)


def works(blocks: tuple[ConvBlock, ...], size: int) -> bool:
    try:
        trace_sizes(blocks, size)
    except ModelError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(blocks=harsh_blocks, size=st.integers(8, 40))
def test_a_fault_is_found_where_the_network_fails_and_two_ways_lead_past_it(blocks, size) -> None:
    fault = fault_of(blocks, size, 3)
    assert (fault is None) == works(blocks, size)
    assume(fault is not None)
    assert works(blocks[: fault.block - 1], size) and not works(blocks[: fault.block], size)
    assert fault.given[1] < fault.needed
    assert len(fault.mends) >= 2
    for mend in fault.mends:
        left = fault_of(mend.blocks, size, 3)
        assert left is None or left.block > fault.block or len(mend.blocks) < len(blocks)


def test_the_shapes_on_both_sides_are_told() -> None:
    plain = ConvBlock(channels=8, kernel=3, padding=0)
    fault = fault_of((plain, plain, plain, ConvBlock(kernel=5, padding=0)), 28, 1)
    assert fault is not None
    assert (fault.block, fault.layer, fault.given, fault.needed) == (4, "convolution", (8, 1, 1), 5)
    assert [mend.sentence for mend in fault.mends[:2]] == [
        "Set the kernel of block 4 to 1 and the pool of block 4 to none.",
        "Set the padding of block 4 to 2 and the pool of block 4 to none.",
    ]


def test_a_way_that_mends_the_whole_network_comes_first() -> None:
    blocks = (ConvBlock(pool_size=8), ConvBlock(pool_size=4), ConvBlock(pool_size=2))
    fault = fault_of(blocks, 28, 1)
    assert fault is not None and fault.block == 2 and fault.layer == "pooling"
    assert works(fault.mends[0].blocks, 28)
