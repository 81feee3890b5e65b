"""Why a shortcut helps: how much gradient reaches each layer of a deep stack, with shortcuts and without.

>>> plain, residual = (gradient_norms(8, kind, torch.rand(4, 1, 8, 8)) for kind in (False, True))
>>> plain[0] < residual[0]
True

Sources: He et al., Deep residual learning for image recognition, 2016; for the other initial weights He et al., Delving
deep into rectifiers, 2015.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from cnnlab.seeding import seeded

CHANNELS = 16
CLASSES = 10


class _Stack(nn.Module):
    """Equal 3×3 convolutions with ReLU, one after the other; in a residual stack each adds to what came in."""

    def __init__(self, depth: int, residual: bool, in_channels: int) -> None:
        super().__init__()
        self.residual = residual
        self.stem = nn.Conv2d(in_channels, CHANNELS, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(depth))
        self.head = nn.Linear(CHANNELS, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.stem(x))
        for layer in self.layers:
            x = x + relu(layer(x)) if self.residual else relu(layer(x))
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


def gradient_norms(depth: int, residual: bool, images: Tensor, seed: int = 0, he: bool = False) -> list[float]:
    """Norm of the loss's gradient for each of ``depth`` layers' weights, the first layer first, at initialisation.

    ``images`` is float32 [N, C, H, W]; labels are drawn. Both kinds of stack get the same weights for the same ``seed``
    (PyTorch's defaults: of variance 1/(3·fan-in); with ``he`` of 2/fan-in, no biases), so that the shortcuts alone
    differ.
    """
    dice = torch.Generator().manual_seed(seed)
    with seeded(seed):
        stack = _Stack(depth, residual, images.shape[1])
        if he:
            _draw_as_he(stack)
    labels = torch.randint(CLASSES, (len(images),), generator=dice)
    cross_entropy(stack(images), labels).backward()  # type: ignore[no-untyped-call]
    norms = []
    for layer in stack.layers:
        assert isinstance(layer, nn.Conv2d) and layer.weight.grad is not None
        norms.append(layer.weight.grad.norm().item())
    return norms


def _draw_as_he(stack: nn.Module) -> None:
    for layer in stack.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
