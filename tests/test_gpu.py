"""What a GPU would be asked, on machines without one: tensors of device cuda that have a shape and no values."""

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnnlab import engine, loader, models
from cnnlab.config import TrainConfig
from cnnlab.datasets.base import ImageDataset
from cnnlab.distributed.group import joined
from cnnlab.inference import infer
from cnnlab.loader import epoch_batches, scaling_of

CUDA = torch.device("cuda", 0)


class Waits(TorchDispatchMode):
    """Notes whatever makes the processor wait for the GPU: a value that is read, a tensor that is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **kwargs or {})
        here, there = (
            {leaf.device.type for leaf in tree_leaves(some) if isinstance(leaf, Tensor)}
            for some in (result, (args, kwargs))
        )
        if function is torch.ops.aten._local_scalar_dense.default or (here == {"cpu"} and "cuda" in there):
            self.noted.append(str(function))
        return result


def moved(model: nn.Module) -> nn.Module:
    """``model`` with made-up weights on the GPU."""
    for layer in model.modules():
        for kept in (layer._parameters, layer._buffers):
            for name, tensor in kept.items():
                if tensor is not None:
                    there = torch.empty(tensor.shape, dtype=tensor.dtype, device=CUDA)
                    kept[name] = nn.Parameter(there) if isinstance(tensor, nn.Parameter) else there
    return model


def made_up_gradients(network: nn.Module) -> None:
    for weight in network.parameters():
        weight.grad = torch.empty_like(weight)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "fast_cnn", "augment_flip": True, "augment_shift": 2},
        {"model": "tiny_resnet", "augment_rotation": 10, "augment_erase": 4, "dropout": 0.1},
        {"model": "mlp", "grad_clip": 1.0},
    ],
)
@pytest.mark.parametrize("free", [1 << 30, 1000])
def test_images_reach_the_gpu_and_nothing_waits_for_it(colour_squares: ImageDataset, monkeypatch, settings, free):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    monkeypatch.setattr(torch.cuda, "manual_seed", lambda seed: None)
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(Tensor, "backward", lambda loss: made_up_gradients(network))  # which needs a real GPU
    config = TrainConfig(batch_size=32, **settings)
    images, scaling = colour_squares.splits(config).train, scaling_of(config, colour_squares)
    loader._rows.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        network, train = moved(models.build(config, *colour_squares.shape)), images.to(CUDA)
        assert train.images.device.type == ("cpu" if free == 1000 else "cuda") and train.labels.device == CUDA
        state = engine.TrainState(network, torch.optim.SGD(network.parameters(), 0.1))
        with Waits() as waits:
            for batch in epoch_batches(train, config, 1, scaling):
                assert batch.inputs.device == batch.labels.device == CUDA
                loss, correct, _ = engine.train_step(state, network, batch, config, 0.1)
                assert loss.device == correct.device == CUDA
        assert waits.noted == []
        assert infer(network, train.images, config, scaling).device == CUDA
    loader._rows.cache_clear()


def test_trainings_that_run_at_a_time_take_a_gpu_each(monkeypatch: pytest.MonkeyPatch):
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    for slot in range(3):
        with joined(CUDA, slot):
            pass
    assert taken == [0, 1, 0]
