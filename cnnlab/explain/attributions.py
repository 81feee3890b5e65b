"""Which pixels speak for a class: Grad-CAM, integrated gradients and occlusion, for any network here.

>>> grad_cam(network, dataset.test.images[0], saved.scaling, 3).shape               # doctest: +SKIP
(28, 28)

All take an ``image`` uint8 [C, H, W], the ``scaling`` that the network was trained with, and the ``label`` of the class
to explain; all give float32 [H, W]. They explain logits, before softmax: a probability near 1
has no gradient left. The network may be on any device and in use elsewhere meanwhile: nothing of it is changed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnlab.loader import Scaling

AT_ONCE = 256  # changed copies of the image that go through the network at a time
STEPS = 50  # of the path that is integrated, as captum's default
FOLLOWS = (nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.Tanh)  # what belongs to the convolution before it

Map = NDArray[np.float32]


class AttributionError(ValueError):
    """A method that cannot answer for this network; the message says why and what can."""


@dataclass(frozen=True)
class Method:
    """A method's title, what its map means, whether it has a sign, whether it needs a convolution; and itself."""

    title: str
    summary: str
    signed: bool
    needs_convolution: bool
    explain: Callable[[nn.Module, Tensor, Scaling, int], Map]


def grad_cam(network: nn.Module, image: Tensor, scaling: Scaling, label: int) -> Map:
    """Where the last convolution found what speaks for the class: in [0, 1], the largest value 1.

    The map is all 0 where nothing speaks for the class. Coarse: it is enlarged from the last convolution's picture
    (bilinear). Selvaraju et al., Grad-CAM, 2017, by captum. Raises AttributionError where there is no convolution.
    """
    from captum.attr import LayerAttribution, LayerGradCam

    def explain(twin: nn.Module, inputs: Tensor, black: Tensor) -> Tensor:
        layer = last_convolution(twin)
        if layer is None:
            raise AttributionError(
                "Grad-CAM looks at the last convolution, and this network has none: take integrated gradients or "
                "occlusion, which look at the image."
            )
        maps = LayerGradCam(twin, layer).attribute(inputs, label, relu_attributions=True)
        large = LayerAttribution.interpolate(maps, inputs.shape[-2:], "bilinear")[:, 0]
        largest = large.max()
        scaled: Tensor = large / torch.where(largest > 0, largest, 1.0)
        return scaled

    return _explained(explain, network, image, scaling)


def integrated_gradients(network: nn.Module, image: Tensor, scaling: Scaling, label: int, steps: int = STEPS) -> Map:
    """What each pixel adds to the class's logit, or takes off, on the way from a black image to this one.

    Signed, in logits; the map's sum is the logit's difference between the two images, nearly so for few ``steps``. A
    black pixel gets 0. Channels are summed. Sundararajan et al., Axiomatic attribution for deep networks, 2017, by
    captum.
    """
    from captum.attr import IntegratedGradients

    def explain(twin: nn.Module, inputs: Tensor, black: Tensor) -> Tensor:
        method = IntegratedGradients(twin)
        parts: Tensor = method.attribute(inputs, black, label, n_steps=steps, internal_batch_size=AT_ONCE)
        return parts.sum(1)

    return _explained(explain, network, image, scaling)


def occlusion(network: nn.Module, image: Tensor, scaling: Scaling, label: int, window: int | None = None) -> Map:
    """How much the class's logit falls when a black square covers the pixel: the mean over all squares that do.

    Signed, in logits. ``window`` is the square's side, by default a quarter of the image's; it moves by a third of
    itself. Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014, by captum.
    """
    from captum.attr import Occlusion

    channels, size = image.shape[0], image.shape[-1]
    side = min(window or max(1, size // 4), size)
    step = max(1, side // 3)

    def explain(twin: nn.Module, inputs: Tensor, black: Tensor) -> Tensor:
        parts: Tensor = Occlusion(twin).attribute(
            inputs,
            (channels, side, side),
            (channels, step, step),
            black,
            label,
            perturbations_per_eval=AT_ONCE,
        )
        return parts.mean(1)  # a square covers all channels, so that all hold the same

    return _explained(explain, network, image, scaling)


METHODS = {
    "grad_cam": Method(
        "Grad-CAM", "Where the last convolution found what speaks for the class.", False, True, grad_cam
    ),
    "integrated_gradients": Method(
        "Integrated gradients", "What each pixel adds to the class, or takes off.", True, False, integrated_gradients
    ),
    "occlusion": Method(
        "Occlusion", "How much less of the class is seen when a black square covers the place.", True, False, occlusion
    ),
}


def methods_for(network: nn.Module) -> dict[str, Method]:
    """Those of METHODS that can answer for ``network``."""
    has = last_convolution(network) is not None
    return {name: method for name, method in METHODS.items() if has or not method.needs_convolution}


def last_convolution(network: nn.Module) -> nn.Module | None:
    """The layer whose outputs are the last convolution's feature maps; None where there is no convolution.

    It is the convolution with its batch norm and activation. In a residual network it is the last block as a whole:
    its convolution alone would lack what the shortcut brings.
    """
    children = list(network.children())
    for number in reversed(range(len(children))):
        child = children[number]
        if isinstance(child, nn.Conv2d):
            while number + 1 < len(children) and isinstance(children[number + 1], FOLLOWS):
                number += 1
            return children[number]
        if any(isinstance(part, nn.Conv2d) for part in child.modules()):
            return last_convolution(child) if isinstance(child, nn.Sequential) else child
    return None


def _explained(
    explain: Callable[[nn.Module, Tensor, Tensor], Tensor], network: nn.Module, image: Tensor, scaling: Scaling
) -> Map:
    """What ``explain(twin, inputs, black)`` makes of ``image`` as a batch of one, whatever the caller's mode."""
    with torch.inference_mode(False), torch.enable_grad():
        twin = _twin(network)
        images = image[None].to(next(twin.parameters()).device)
        black = scaling(torch.zeros_like(images))
        found = explain(twin, scaling(images).requires_grad_(), black)
        return found[0].detach().float().cpu().numpy()


def _twin(network: nn.Module) -> nn.Module:
    """A copy of ``network`` that shares its weights, in evaluation, ready for gradients of its input.

    The hooks that an explanation sets stay on the copy. ReLU in place would overwrite the maps that are asked for.
    """
    own = {id(p): nn.Parameter(_plain(p), requires_grad=False) for p in network.parameters()}
    shared = {id(b): _plain(b) for b in network.buffers()}
    twin = copy.deepcopy(network, {**own, **shared}).eval()
    for part in twin.modules():
        if hasattr(part, "inplace"):
            part.inplace = False  # type: ignore[assignment]
    return twin


def _plain(weight: Tensor) -> Tensor:
    """The same numbers in the same place; a tensor made in inference mode is copied, for gradients refuse it."""
    return weight.clone() if weight.is_inference() else weight.detach()
