"""What a step takes of memory is told before it is taken, and what is too large is refused in a sentence."""

import pytest

from cnnlab import models
from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.explain.anatomy import Part, anatomy
from cnnlab.explain.footprint import MOST_BYTES, TooLarge, expect_affordable, step_bytes, telling_of_memory

RESNET = TrainConfig(model="resnet18")


def parts_of(config: TrainConfig, channels: int = 3, size: int = 32) -> list[Part]:
    return anatomy(models.outline(config, channels, size, 10), (channels, size, size))


def test_a_step_takes_its_weights_four_times_and_each_layers_answers():
    config = TrainConfig(model="custom", blocks=(ConvBlock(channels=2, kernel=3, padding=1, pool="none"),), hidden=())
    parts = parts_of(config, 1, 4)
    weights, answers = sum(part.parameters for part in parts), sum(part.activation_bytes for part in parts) // 4
    assert step_bytes(parts, 5) == 4 * (4 * weights + 5 * (16 + answers))
    assert step_bytes(parts, 5, width=8) == 2 * step_bytes(parts, 5)


def test_what_the_pages_offer_by_default_is_affordable():
    for name in set(models.MODELS.names()) - {"vgg16"}:
        expect_affordable(parts_of(TrainConfig(model=name)), 64, width=8)


def test_a_batch_too_large_is_refused_with_one_that_fits():
    parts = parts_of(RESNET)
    with pytest.raises(TooLarge, match=r"step of 10,000 images takes about .* GB, and a look may take 1\.5 GB") as told:
        expect_affordable(parts, 10_000)
    fitting = int(str(told.value).split("at most ")[1].split(", or")[0])
    assert step_bytes(parts, fitting) <= MOST_BYTES < step_bytes(parts, fitting + 1)


def test_a_network_too_large_is_refused_whatever_the_batch():
    config = TrainConfig(model="custom", blocks=(), hidden=(65_536, 65_536))
    for batch in (0, 32):
        with pytest.raises(
            TooLarge, match=r"step of 4,299,\d+,\d+ parameters takes about 68\.8 GB, .* such as ResNet-18"
        ):
            expect_affordable(parts_of(config, 1, 8), batch)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: …"),
        RuntimeError("DefaultCPUAllocator: not enough memory: …"),
        RuntimeError("could not create a memory object"),
        RuntimeError("CUDA out of memory. …"),
    ],
)
def test_memory_that_runs_out_is_told(error):
    with pytest.raises(TooLarge, match="no memory left for this step here"), telling_of_memory():
        raise error


def test_other_errors_are_left_as_they_are():
    with pytest.raises(RuntimeError, match="sizes differ"), telling_of_memory():
        raise RuntimeError("sizes differ")
