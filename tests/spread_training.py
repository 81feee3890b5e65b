"""Trainings for test_distributed.py, run alike in its own process and under torchrun:

torchrun --standalone --nproc-per-node 2 -m tests.spread_training RESULTS.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnlab import recipes
from cnnlab.distributed.group import all_reduce, joined, share, sum_gradients, together
from cnnlab.distributed.layers import begin_batch, over_all_processes
from cnnlab.distributed.ranks import rank
from cnnlab.engine import fit, new_state
from cnnlab.parsing import adapt
from tests.conftest import coloured_squares

AUGMENTED = {"augment_shift": 2, "augment_flip": True, "augment_rotation": 10, "augment_erase": 5}
# Kinks and Adam turn a rounding error, as with more threads, into another step: with batch norm the rate is low.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "batch norm, augmentation, an uneven last batch": (
        "quick_digits",
        AUGMENTED | {"epochs": 1, "eval_every": 3, "optimizer": "sgd", "lr": 0.001},
    ),
    "no batch norm": ("simple_cnn", {"epochs": 1}),
    "dropout": ("mlp", {"epochs": 1, "lr": 0.1}),
    "colour, dropout, momentum": ("cifar_cnn", {"epochs": 1, "lr": 0.02}),
    "a last batch of two images": (  # smooth: a kink would turn rounding errors into another choice
        "quick_mnist",
        {"model": "custom", "blocks": [{"activation": "gelu", "pool": "avg"}] * 2, "epochs": 2, "batch_size": 107,
         "validation_fraction": 0.1},
    ),
    "blocks, clipping, smoothing": (
        "quick_digits",
        {"model": "custom", "dropout": 0.3, "epochs": 1, "grad_clip": 0.5, "label_smoothing": 0.1, "eval_every": 4,
         "eval_images": 1},
    ),
}  # fmt: skip
TIMINGS = ("images_per_second", "seconds", "elapsed")


def training(case: str) -> dict[str, Any]:
    """The records of a training, and its weights at the end."""
    recipe, values = CASES[case]
    config = adapt(recipes.get(recipe).config, {"device": "cpu", "dataset": "digits"} | values)
    dataset = coloured_squares(320, 3, 32) if recipe == "cifar_cnn" else coloured_squares(320, 1, 28)
    state = new_state(config, dataset)
    records = [
        {"event": r.event, "step": r.step} | {k: v for k, v in r.values.items() if k not in TIMINGS}
        for r in fit(state, dataset, config)
    ]
    weights = {name: value.flatten().tolist() for name, value in state.model.state_dict().items()}
    return {"records": records, "weights": weights}


def layers() -> dict[str, Any]:
    """Gradients and statistics of batch norm and dropout on seven images, in double precision."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, momentum=None), nn.Flatten(), nn.Dropout(0.4),
        nn.Linear(12, 4),
    ).double()  # fmt: skip
    inputs, targets = torch.randn(7, 2, 4, 4).double() * 3 + 1, torch.randn(7, 4).double()
    mine = share(7)
    model, x = over_all_processes(model), inputs[mine].requires_grad_()
    for _ in range(2):
        begin_batch(7)
        ((model(x) - targets[mine]) ** 2).sum().backward()
    sum_gradients(list(model.parameters()))
    places = all_reduce(inputs.clone().zero_().index_copy_(0, torch.arange(7)[mine], x.grad)) if together() else x.grad
    found = dict(model.named_buffers()) | {n: w.grad for n, w in model.named_parameters()} | {"inputs": places}
    return {name: value.flatten().tolist() for name, value in found.items()}


if __name__ == "__main__":
    with joined(torch.device("cpu")):
        results = {case: training(case) for case in CASES} | {"layers": layers()}
    Path(f"{sys.argv[1]}.{rank()}").write_text(json.dumps(results))
