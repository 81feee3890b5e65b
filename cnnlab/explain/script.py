"""A plain PyTorch script that defines a network and trains it with the same settings, without this package.

>>> print(script(config, shape, mean, std))                              # doctest: +SKIP

It holds what the config needs and no more. For the same seed it draws the same weights, the same validation images and
the same batches, so on a CPU its losses are the lab's.
"""

import inspect
from collections.abc import Callable

from cnnlab import loader
from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS, FOLDER_PREFIX
from cnnlab.datasets.base import TEST_SPLIT_SEED
from cnnlab.datasets.digits import TEST_FRACTION
from cnnlab.explain.source import Shape, helper_source, network_source
from cnnlab.loader import SEED_STRIDE
from cnnlab.models import MODELS

TORCHVISION = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
DROPOUT = ("mlp", "cifar_cnn", "vgg16")  # networks with dropout of their own


class NoScript(ValueError):
    """A config that no script is written for; the message says why and what to choose."""


def script(config: TrainConfig, shape: Shape, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """The script for ``config`` on images of ``shape`` (in_channels, image_size, num_classes).

    ``mean`` and ``std`` are those of the scaling, a number a channel. Raises NoScript for image folders.
    """
    if config.dataset.startswith(FOLDER_PREFIX):
        raise NoScript("The script is written for the lab's own datasets: choose one in place of the image folder.")
    parts = [
        _head(config),
        _settings(config),
        _data(config, shape),
        _scaling(mean, std),
        helper_source(config).rstrip(),
        *(_plain(helper) for helper in _helpers(config)),
        "torch.manual_seed(SEED)  # draws the first weights\n"
        + network_source(config, shape)
        + '\nprint(f"{sum(p.numel() for p in model.parameters()):,} parameters")'
        + "\nmodel.to(DEVICE, memory_format=torch.channels_last)",
        _optimizer(config),
        _evaluation(config),
        _loop(config),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _augments(config: TrainConfig) -> bool:
    return bool(config.augment_shift or config.augment_flip or config.augment_rotation or config.augment_erase)


def _holds_out(config: TrainConfig) -> bool:
    return config.validation_fraction > 0 or config.dataset == "digits"


def _helpers(config: TrainConfig) -> list[Callable[..., object]]:
    chosen: list[tuple[Callable[..., object], object]] = [
        (loader._rotate, config.augment_rotation),
        (loader._flip_and_shift, config.augment_flip or config.augment_shift),
        (loader._erase, config.augment_erase),
    ]
    return [helper for helper, wanted in chosen if wanted]


def _plain(helper: Callable[..., object]) -> str:
    return inspect.getsource(helper).replace("def _", "def ").rstrip()


def _head(config: TrainConfig) -> str:
    functions = ["cross_entropy"]
    functions += ["affine_grid", "grid_sample"] if config.augment_rotation else []
    functions += ["interpolate"] if config.dataset == "digits" else []
    functions += ["pad"] if config.augment_flip or config.augment_shift else []
    functions += ["relu"] if config.model == "tiny_resnet" else []
    title = f'"""Trains {MODELS.get(config.model).title} on {DATASETS.get(config.dataset).title}."""\n'
    lines = ["import math"] if config.schedule in ("cosine", "one_cycle") or config.augment_rotation else []
    lines = [title, *lines, "import torch"]
    if config.dataset != "digits" or config.model in ("vgg16", "resnet18"):
        lines.append("import torchvision")
    if config.dataset == "digits":
        lines.append("from sklearn.datasets import load_digits")
    lines.append("from torch import Tensor, nn")
    lines.append(f"from torch.nn.functional import {', '.join(sorted(functions))}")
    return "\n".join(lines)


def _settings(config: TrainConfig) -> str:
    device = '"cuda" if torch.cuda.is_available() else "cpu"' if config.device == "auto" else repr(config.device)
    return "\n".join(
        [
            f"SEED, EPOCHS, BATCH, LR = {config.seed}, {config.epochs}, {config.batch_size}, {config.lr!r}",
            f"DEVICE = {device}",
        ]
    )


def _data(config: TrainConfig, shape: Shape) -> str:
    lines = [HOLD_OUT] if _holds_out(config) else []
    if config.dataset == "digits":
        size = shape[1]
        lines.append(
            "digits = load_digits()  # 1,797 of 8×8, with 16 for white\n"
            "grey = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) * (255 / 16)\n"
            f'large = interpolate(grey, size=({size}, {size}), mode="bicubic", align_corners=False)\n'
            "images, labels = large.clamp(0, 255).round().byte(), torch.tensor(digits.target)\n"
            f"held = hold_out(labels, {TEST_FRACTION}, seed={TEST_SPLIT_SEED})\n"
            "test_images, test_labels = images[held], labels[held]\n"
            "images, labels = images[~held], labels[~held]"
        )
    else:
        name = TORCHVISION[config.dataset]
        channels_first = ".permute(0, 3, 1, 2)" if shape[0] == 3 else ".unsqueeze(1)"
        lines.append(
            "def load(train: bool) -> tuple[Tensor, Tensor]:\n"
            f'    data = torchvision.datasets.{name}("data", train=train, download=True)\n'
            f"    return torch.as_tensor(data.data){channels_first}, torch.as_tensor(data.targets)\n\n"
        )
        lines.append("images, labels = load(train=True)\ntest_images, test_labels = load(train=False)")
    if config.validation_fraction:
        lines.append(
            f"held = hold_out(labels, {config.validation_fraction!r}, SEED)\n"
            "val_images, val_labels = images[held], labels[held]\n"
            "images, labels = images[~held], labels[~held]"
        )
    if config.train_images:
        lines.append(
            "order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SEED))\n"
            f"images, labels = images[order[:{config.train_images}]], labels[order[:{config.train_images}]]"
        )
    lines.append("images, labels = images.to(DEVICE), labels.to(DEVICE)")
    return "\n".join(lines)


HOLD_OUT = '''\
def hold_out(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Which images are held out: a share of each class."""
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(int(labels.max()) + 1):
        members = (labels == label).nonzero().flatten()
        count = max(0, min(round(len(members) * fraction), len(members) - 1))
        held[members[torch.randperm(len(members), generator=generator)[:count]]] = True
    return held

'''


def _scaling(mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    return (
        f"mean, std = {list(mean)}, {list(std)}\n"
        "scale = torch.tensor([1 / (255 * s) for s in std], device=DEVICE).view(1, -1, 1, 1)\n"
        "shift = torch.tensor([-m / s for m, s in zip(mean, std)], device=DEVICE).view(1, -1, 1, 1)\n\n\n"
        "def scaled(images: Tensor) -> Tensor:\n"
        '    """(images / 255 − mean) / std."""\n'
        "    floats = images.to(DEVICE, torch.float32, memory_format=torch.channels_last)\n"
        "    return floats * scale + shift\n"
    )


def _optimizer(config: TrainConfig) -> str:
    decay = f", weight_decay={config.weight_decay!r}" if config.weight_decay else ""
    if config.optimizer == "sgd":
        momentum = f", momentum={config.momentum!r}" if config.momentum else ""
        nesterov = ", nesterov=True" if config.nesterov else ""
        made = f"torch.optim.SGD(model.parameters(), lr=LR{momentum}{nesterov}{decay}, fused=True)"
    else:
        kind = "Adam" if config.optimizer == "adam" else "AdamW"
        decay = f", weight_decay={config.weight_decay!r}" if config.weight_decay or kind == "AdamW" else ""
        made = f"torch.optim.{kind}(model.parameters(), lr=LR{decay}, fused=True)"
    per_epoch = "per_epoch = len(labels) // BATCH + (len(labels) % BATCH > 1)  # a last batch of one image is left out"
    return "\n".join([f"optimizer = {made}", per_epoch, _schedule(config)]).rstrip()


def _schedule(config: TrainConfig) -> str:
    if config.schedule == "constant" and not config.warmup_epochs:
        return ""
    warmup = f"round({config.warmup_epochs!r} * per_epoch)"
    if config.schedule == "one_cycle":
        rise = warmup if config.warmup_epochs else "0.3 * total"
        return (
            "total = EPOCHS * per_epoch\n\n\n"
            "def lr_at(step: int) -> float:\n"
            '    """One cycle: a cosine up to the peak, then a cosine down."""\n'
            f"    top = max({rise} - 1, 1e-9)\n"
            "    if step <= top:\n"
            "        start, end, share = 1 / 25, 1.0, step / top\n"
            "    else:\n"
            "        start, end, share = 1.0, 1 / 25 / 1e4, (step - top) / max(total - 1 - top, 1e-9)\n"
            "    return LR * (end + (start - end) * (1 + math.cos(math.pi * share)) / 2)\n"
        )
    after = {
        "constant": "LR",
        "cosine": "LR * (1 + math.cos(math.pi * (step - warmup) / max(1, EPOCHS * per_epoch - warmup))) / 2",
        "step": f"LR * {config.step_gamma!r} ** ((step - warmup) // ({config.step_epochs} * per_epoch))",
    }[config.schedule]
    return (
        f"warmup = {warmup}\n\n\n"
        "def lr_at(step: int) -> float:\n"
        "    if step < warmup:\n"
        "        return LR * (step + 1) / (warmup + 1)\n"
        f"    return {after}\n"
    )


def _evaluation(config: TrainConfig) -> str:
    return '''\
@torch.inference_mode()
def evaluate(images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy."""
    model.eval()
    logits = torch.cat([model(scaled(part)) for part in images.split(1000)]).cpu()
    return cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).float().mean().item()
'''


def _loop(config: TrainConfig) -> str:
    seed = f"SEED * {SEED_STRIDE}"
    lines = ["step = 0"]
    lines += ["best = (float('inf'), 0)"] if config.validation_fraction else []
    lines += [
        "for epoch in range(1, EPOCHS + 1):",
        "    model.train()",
        f"    shuffle = torch.Generator().manual_seed({seed} + epoch)",
        "    order = torch.randperm(len(labels), generator=shuffle)",
        "    for number, chosen in enumerate(order.split(BATCH)[:per_epoch]):",
        "        pixels, targets = images[chosen], labels[chosen]",
        *_augmentation(config),
        "        inputs = scaled(pixels)",
    ]
    if config.schedule != "constant" or config.warmup_epochs:
        lines.append('        optimizer.param_groups[0]["lr"] = lr_at(step)')
    if config.dropout or (config.dropout is None and config.model in DROPOUT):
        lines.append(f"        torch.manual_seed({seed} + step)  # draws the dropout")
    smoothing = f", label_smoothing={config.label_smoothing!r}" if config.label_smoothing else ""
    forward = f"loss = cross_entropy(model(inputs), targets{smoothing})"
    if config.precision == "bfloat16":
        lines.append("        with torch.autocast(DEVICE, torch.bfloat16):")
        lines.append(f"            {forward.replace('model(inputs)', 'model(inputs).float()')}")
    else:
        lines.append(f"        {forward}")
    lines += ["        optimizer.zero_grad()", "        loss.backward()"]
    if config.grad_clip:
        lines.append(f"        nn.utils.clip_grad_norm_(model.parameters(), {config.grad_clip!r})")
    lines += [
        "        optimizer.step()",
        "        step += 1",
        "        if step <= 5 or step % 100 == 0:",
        '            print(f"step {step}: loss {loss.item():.6f}")',
        *_after_epoch(config),
        'print(f"test: loss %.4f, accuracy %.4f" % evaluate(test_images, test_labels))',
    ]
    return "\n".join(lines).replace('print(f"test', 'print("test')


def _augmentation(config: TrainConfig) -> list[str]:
    if not _augments(config):
        return []
    seed = f"(SEED * {SEED_STRIDE} + epoch) * {SEED_STRIDE} + number"
    lines = [f"dice = torch.Generator().manual_seed({seed})"]
    if config.augment_rotation:
        lines.append(f"pixels = rotate(pixels.float(), {config.augment_rotation!r}, dice)")
    if config.augment_flip or config.augment_shift:
        lines.append(f"pixels = flip_and_shift(pixels, {config.augment_flip}, {config.augment_shift}, dice)")
    if config.augment_erase:
        lines.append(f"pixels = erase(pixels, {config.augment_erase}, dice)")
    return ["        " + line for line in lines]


def _after_epoch(config: TrainConfig) -> list[str]:
    if not config.validation_fraction:
        return []
    lines = [
        "    loss, accuracy = evaluate(val_images, val_labels)",
        '    print(f"epoch {epoch}: validation loss {loss:.4f}, accuracy {accuracy:.4f}")',
        "    if loss < best[0]:",
        "        best = (loss, epoch)",
        '        torch.save(model.state_dict(), "best.pt")',
    ]
    if config.early_stopping:
        lines += [f"    if epoch - best[1] >= {config.early_stopping}:", "        break"]
    lines.append('model.load_state_dict(torch.load("best.pt", weights_only=True))')
    return lines
