"""The same function, computed in less time: what a training calls in place of a network."""

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

LARGE = 5_000_000  # multiply-adds of a batch for each thread: from here on, oneDNN saves more than our detour takes


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
        if torch.compiler.is_compiling() or input.numel() * self.out_features < LARGE * torch.get_num_threads():
            return super().forward(input)
        if input.dtype != torch.float32 or input.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        answers: Tensor = _ByOneDNN.apply(input, self.weight, self.bias)
        return answers


class _ByOneDNN(torch.autograd.Function):
    """``torch.nn.functional.linear`` of inputs float32 [B, I], weight [O, I] and bias [O]: all its products by oneDNN.

    ``to_mkldnn``, PyTorch's public way there, copies, and its gradient of the weight takes longer than MKL's.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        inputs, weight = ctx.saved_tensors
        wants_inputs, _, wants_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if wants_inputs else None,
            _product(gradient.t(), inputs.t()),
            gradient.sum(0) if wants_bias else None,
        )


def _product(rows: Tensor, columns: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ columns.t() + bias``."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, columns, bias, "none", [], "")
    return product


@cache
def _onednn_is_faster() -> bool:
    """Whether oneDNN multiplies matrices faster than MKL, PyTorch's own choice: twice as fast on AMD with AVX-512,
    which MKL uses on Intel's processors alone (benchmarks/README.md).
    """
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return "AMD" in str(capabilities.get("cpu_name")) and torch.backends.cpu.get_cpu_capability() == "AVX512"
