"""Layers that look at the whole batch although each process has a share of it: batch norm and dropout.

Their outputs and gradients are those of one process to float tolerance, on every device; torch's SyncBatchNorm would
work on GPUs alone. Weights, names and evaluation are those of the layers that they replace::

    model = over_all_processes(model)
    begin_batch(count)                    # before each forward pass: how many images all processes have together
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, dropout

from cnnlab.distributed.group import all_reduce, share, together

_batch = {"count": 0}


def begin_batch(count: int) -> None:
    """Say how many images the batch has over all processes."""
    _batch["count"] = count


def over_all_processes(model: nn.Module) -> nn.Module:
    """``model`` with its batch norm and dropout over all processes; unchanged where there is but one."""
    if together():
        for layer in model.modules():
            for plain, ours in ((nn.BatchNorm2d, GlobalBatchNorm2d), (nn.Dropout, GlobalDropout)):
                if type(layer) is plain:
                    layer.__class__ = ours  # the same weights under the same names
    return model


class GlobalDropout(nn.Dropout):
    """Dropout by the dice of the whole batch, of which each process uses its share.

    All processes draw the same numbers, for they are seeded alike: more dice than needed, but no communication.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or not self.p:
            return input
        whole = torch.ones((_batch["count"], *input.shape[1:]), dtype=input.dtype, device=input.device)
        return input * dropout(whole, self.p)[share(_batch["count"])]


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """Batch norm by mean and variance of the whole batch: two small all-reduces, one of them backward.

    Ioffe and Szegedy, Batch normalization, 2015, with its gradients; the moments of the shares are added up in double
    precision, where their difference loses nothing.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        output, mean, variance, count = _Normalise.apply(input, self.weight, self.bias, self.eps)
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            rate = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, rate)
            self.running_var.lerp_(variance * (count / (count - 1)), rate)
        result: Tensor = output
        return result


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(x normalised, mean [C], variance [C], values per channel) over all processes; x [B, C, H, W], B may be 0."""
        mine, channels = x.numel() // x.shape[1], x.shape[1]
        moments = torch.zeros(2 * channels + 1, dtype=torch.float64, device=x.device)
        if mine:
            variance, mean = torch.var_mean(x.to(weight.dtype), (0, 2, 3), correction=0)
            mean, variance = mean.double(), variance.double()
            moments = torch.cat([mean, variance + mean * mean, torch.ones_like(mean[:1])]) * mine
        all_reduce(moments)
        mean, square = (moments[:-1] / moments[-1]).split_with_sizes([channels, channels])
        variance = (square - mean * mean).clamp_min(0).to(weight.dtype)
        mean, count = mean.to(weight.dtype), moments[-1].to(weight.dtype)
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance, count)
        ctx.set_materialize_grads(False)
        return batch_norm(x, mean, variance, weight, bias, eps=eps), mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of this share's values; those of weight and bias are of this share alone."""
        x, weight, mean, variance, count = ctx.saved_tensors
        dy, deviation = gradients[0], (variance + ctx.eps).rsqrt()
        if x.numel():  # as if mean and variance were constants; a GPU wants them twice
            dx, dweight, dbias = torch.ops.aten.native_batch_norm_backward(
                dy, x, weight, mean, variance, mean, deviation, False, ctx.eps, [True, True, True]
            )
        else:
            dx, dweight, dbias = torch.zeros_like(x), torch.zeros_like(weight), torch.zeros_like(weight)
        means = all_reduce(torch.cat([dbias, dweight])) / count
        mean_dbias, mean_dweight = means.split_with_sizes([len(weight), len(weight)])
        slope = weight * deviation * deviation * mean_dweight  # what comes through the variance
        shift = weight * deviation * mean_dbias - slope * mean  # and through the mean
        return torch.addcmul(dx - _by_channel(shift), x, -_by_channel(slope)), dweight, dbias, None


def _by_channel(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1)
