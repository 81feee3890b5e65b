"""What every layer of a network answers to images, in the order of the calls; additions and other plain calls too.

>>> layers = activations(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), torch.zeros(1, 1, 8, 8))
>>> [(layer.name, layer.kind, tuple(layer.output.shape)) for layer in layers]
[('0', 'Conv2d', (1, 4, 6, 6)), ('1', 'ReLU', (1, 4, 6, 6))]
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

IMAGE = -1  # stands for the network's input among a layer's sources

KINDS = {
    "relu": "ReLU",
    "relu_": "ReLU",
    "add": "Add",
    "add_": "Add",
    "__add__": "Add",
    "__radd__": "Add",
    "__iadd__": "Add",
    "cat": "Concat",
    "flatten": "Flatten",
    "view": "Flatten",
    "reshape": "Flatten",
}
"""How plain functions are called here; any other goes by its own name."""


@dataclass(frozen=True)
class Layer:
    """One call of a layer.

    Attributes:
        name: its place in the network, such as ``features.0``; unique.
        kind: its class, such as ``Conv2d``; ``Add``, ``Flatten`` … for a plain function.
        sources: the layers whose outputs it took, by place in the list; IMAGE for the network's input.
        output: its answer as it was then, [N, C, H, W] or [N, features], not changed by later in-place layers.
        module: the layer itself, with its weights; None for a plain function.
    """

    name: str
    kind: str
    sources: tuple[int, ...]
    output: Tensor
    module: nn.Module | None


def activations(network: nn.Module, inputs: Tensor) -> list[Layer]:
    """Every layer's output, in evaluation mode and without gradients, for ``inputs`` (float32 [N, C, H, W]).

    ``network`` stays as it is, also while it is asked: a twin that shares its weights answers. ``inputs`` lie on its
    device; on the meta device shapes alone come out, at no cost. Layers that do nothing (Identity) are left out.
    """
    twin = twin_of(network).eval()
    recorder = _Recorder({id(inputs): IMAGE}, kept=[inputs])
    with torch.no_grad(), recorder.listening(twin), recorder:
        twin(inputs)
    return recorder.layers


def twin_of(network: nn.Module) -> nn.Module:
    """A network of its own with the very weights of ``network``: hooks and modes of one do not touch the other."""
    return copy.deepcopy(network, {id(t): t for t in chain(network.parameters(), network.buffers())})


def strongest_channels(output: Tensor) -> list[int]:
    """The channels of ``output`` ([C, H, W] or [features]) by mean absolute value, the strongest first."""
    strength = output.abs().flatten(1).mean(1) if output.dim() > 1 else output.abs()
    return strength.argsort(descending=True, stable=True).tolist()


@dataclass
class _Recorder(TorchFunctionMode):
    """Hears leaf layers through hooks, and through the mode all plain functions that are called between them."""

    producers: dict[int, int]  # id of a tensor -> place of the layer that gave it
    kept: list[Any]  # tensors live on while we listen, or their ids would be given to others
    layers: list[Layer] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)  # names of the modules that are running, the outermost first
    in_leaf: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    @contextmanager
    def listening(self, twin: nn.Module) -> Iterator[None]:
        """Hooks on every module of ``twin`` for as long as the block lasts."""
        handles = []
        for name, module in twin.named_modules():
            leaf = next(module.children(), None) is None
            handles.append(module.register_forward_pre_hook(lambda m, i, n=name, f=leaf: self._enter(n, f)))
            handles.append(module.register_forward_hook(lambda m, i, o, n=name, f=leaf: self._leave(n, f, m, i, o)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, name: str, leaf: bool) -> None:
        self.inside.append(name)
        self.in_leaf = leaf

    def _leave(self, name: str, leaf: bool, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        if leaf and not isinstance(module, nn.Identity):
            self._add(name, type(module).__name__, self._sources(inputs), output, module)
        self.inside.pop()
        self.in_leaf = False  # after _add, whose own calls are none of the network's

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if self.in_leaf or not self.inside:
            return func(*args, **(kwargs or {}))
        sources = self._sources(args)  # before the call: an in-place one gives its input back
        output = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if isinstance(output, Tensor) and name != "__get__" and sources:
            kind = KINDS.get(name, name)
            self._add(f"{self.inside[-1]}.{kind.lower()}".lstrip("."), kind, sources, output, None)
        return output

    def _sources(self, inputs: tuple[Any, ...]) -> tuple[int, ...]:
        flat = chain.from_iterable(i if isinstance(i, tuple | list) else (i,) for i in inputs)
        return tuple(self.producers[id(i)] for i in flat if isinstance(i, Tensor) and id(i) in self.producers)

    def _add(self, name: str, kind: str, sources: tuple[int, ...], output: Tensor, module: nn.Module | None) -> None:
        taken = sum(layer.name.partition(" ")[0] == name for layer in self.layers)  # a layer may be called twice
        unique = f"{name} ({taken + 1})" if taken else name
        self.layers.append(Layer(unique, kind, sources, output.detach().clone(), module))
        self.producers[id(output)] = len(self.layers) - 1
        self.kept.append(output)
