"""The same function, computed in less time: what a training calls in place of a network."""

import copy
from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

LARGE = 8_000_000  # multiply-adds of a batch: from here on, what oneDNN saves is more than handing over to it takes


def for_training(network: nn.Module) -> nn.Module:
    """A twin of ``network`` that shares its layers, weights and modes (train, eval) and answers the same, faster.

    Max-pooling goes first (:func:`pooled_first`); a chain calls its layers' ``forward``, for each look for hooks, which
    nobody sets there, takes two microseconds, and a perceptron's whole step half a millisecond: both bit for bit the
    same. Large linear layers are computed by oneDNN where it is the faster library: the same to rounding.
    """
    return _twins(pooled_first(network))


def pooled_first(network: nn.Module) -> nn.Module:
    """``network`` with the very same layers, but max-pooling before ReLU wherever a Sequential has them in turn.

    Answers and gradients are those of ``network`` bit for bit: the largest of a window passes ReLU or none does, and
    where it passes, both find it at the same place. ReLU then sees the pooled picture alone. Layers are shared, weights
    and modes with them; ``network`` itself stays as it is.
    """
    faster = {name: pooled_first(child) for name, child in network.named_children()}
    if isinstance(network, nn.Sequential):
        layers = list(faster.values())
        for place in range(len(layers) - 1):
            if type(layers[place]) is nn.ReLU and type(layers[place + 1]) is nn.MaxPool2d:
                layers[place : place + 2] = layers[place + 1], layers[place]
        faster = dict(zip(faster, layers, strict=True))
    return _with_children(network, faster)


def _twins(network: nn.Module) -> nn.Module:
    twin = _with_children(network, {name: _twins(child) for name, child in network.named_children()})
    kind = {nn.Sequential: _Chain, nn.Linear: _Linear if _onednn_is_faster() else nn.Linear}.get(type(network))
    if kind is None or kind is type(network):
        return twin
    twin = copy.copy(twin)
    twin.__class__ = kind
    return twin


def _with_children(network: nn.Module, children: dict[str, nn.Module]) -> nn.Module:
    """``network``, or where ``children`` are others or in another order, a twin of it that has them."""
    if all(children[name] is child for name, child in network.named_children()):
        return network
    twin = copy.copy(network)
    twin._modules = {**network._modules, **children}
    return twin


class _Chain(nn.Sequential):
    def forward(self, input: Tensor) -> Tensor:
        for layer in self._modules.values():
            input = layer.forward(input)
        return input


class _Linear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        large = len(input) * self.weight.numel() >= LARGE
        plain = input.dtype == torch.float32 and input.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        if not large or not plain or torch.compiler.is_compiling():
            return super().forward(input)
        return linear(input.to_mkldnn(), self.weight, self.bias).to_dense()


@cache
def _onednn_is_faster() -> bool:
    """Whether oneDNN multiplies matrices faster than MKL, PyTorch's own choice: twice as fast on AMD with AVX-512,
    which MKL uses on Intel's processors alone (benchmarks/README.md).
    """
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return "AMD" in str(capabilities.get("cpu_name")) and torch.backends.cpu.get_cpu_capability() == "AVX512"
