"""The part of a plain script that trains: the optimiser, its schedule, the loop and the evaluation.

>>> print(optimizer(TrainConfig(optimizer="sgd", momentum=0.9)).splitlines()[0])
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, fused=True)
"""

import inspect

from cnnlab import loader
from cnnlab.config import TrainConfig
from cnnlab.datasets import holds_out
from cnnlab.loader import SEED_STRIDE
from cnnlab.models import dropout_of

SCALED = '''\
def scaled(images: Tensor) -> Tensor:
    """Values from 0 to 255 as the network takes them."""
    return images.to(DEVICE, torch.float32, memory_format=torch.channels_last) * SCALE + SHIFT
'''

EVALUATE = '''\
@torch.inference_mode()
def evaluate(images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy."""
    model.eval()
    logits = torch.cat([model(scaled(part)) for part in images.split(1000)]).cpu().float()
    return cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).float().mean().item()
'''

AUTOCAST = "torch.autocast(DEVICE, torch.bfloat16)"

PLAIN = {  # of the loader's augmentation, as PyTorch alone says it
    "dice: AnyDice": "dice: torch.Generator",
    "dice.uniform()[0]": "torch.rand(len(x), generator=dice)",
    "dice.uniform(2)": "torch.rand(2, len(x), generator=dice)",
    "_sent(matrix, x.device)": "matrix.to(x.device)",
    "_sent(centre, x.device)": "centre.to(x.device)",
}


def functions(config: TrainConfig) -> list[str]:
    """The functions that training needs, the lab's own augmentations among them."""
    helpers = {loader.rotate: config.augment_rotation, loader.erase: config.augment_erase}
    copied = [inspect.getsource(helper) for helper, wanted in helpers.items() if wanted]
    for ours, plain in PLAIN.items():
        copied = [source.replace(ours, plain) for source in copied]
    evaluate = EVALUATE if config.precision == "float32" else EVALUATE.replace("@torch", f"@{AUTOCAST}\n@torch")
    return [SCALED, evaluate, *copied]


def optimizer(config: TrainConfig) -> str:
    """The optimiser and, where the learning rate changes, its schedule."""
    name = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}[config.optimizer]
    settings = ["model.parameters()", "lr=LR"]
    if config.momentum:
        settings.append(f"momentum={config.momentum!r}")
    if config.nesterov:
        settings.append("nesterov=True")
    if config.weight_decay or config.optimizer == "adamw":
        settings.append(f"weight_decay={config.weight_decay!r}")
    return "\n".join(
        [
            f"optimizer = torch.optim.{name}({', '.join(settings)}, fused=True)",
            "per_epoch = max(1, len(labels) // BATCH + (len(labels) % BATCH > 1))  # not a last one of one image",
            *_schedule(config),
        ]
    )


def _schedule(config: TrainConfig) -> list[str]:
    warmup = f"round({config.warmup_epochs!r} * per_epoch)"
    if config.schedule == "one_cycle":
        rise = f", pct_start=max(2, {warmup}) / total" if config.warmup_epochs else ""
        settings = f"optimizer, LR, total{rise}, cycle_momentum=False"
        return ["total = EPOCHS * per_epoch", f"schedule = torch.optim.lr_scheduler.OneCycleLR({settings})"]
    since = "(step - warmup)" if config.warmup_epochs else "step"
    total = "EPOCHS * per_epoch - warmup" if config.warmup_epochs else "EPOCHS * per_epoch"
    factor = {
        "constant": "1.0",
        "cosine": f"(1 + math.cos(math.pi * {since} / ({total}))) / 2",
        "step": f"{config.step_gamma!r} ** ({since} // ({config.step_epochs} * per_epoch))",
    }[config.schedule]
    if config.warmup_epochs:
        factor = f"(step + 1) / (warmup + 1)\n    if step < warmup else {factor}"
    elif config.schedule == "constant":
        return []
    return [
        *([f"warmup = {warmup}"] if config.warmup_epochs else []),
        "schedule = torch.optim.lr_scheduler.LambdaLR(",
        f"    optimizer, lambda step: {factor}",
        ")",
    ]


def loop(config: TrainConfig, size: int) -> str:
    """The loop over epochs and batches of images of ``size``×``size`` pixels, and the test at the end."""
    augmentation = _augmentation(config, size)
    each = "for number, chosen in enumerate(batches):" if augmentation else "for chosen in batches:"
    changes = config.schedule != "constant" or config.warmup_epochs
    lines = [
        "step = 0",
        *(['best = float("inf")'] if holds_out(config) else []),
        "for epoch in range(1, EPOCHS + 1):",
        "    model.train()",
        f"    shuffle = torch.Generator().manual_seed(SEED * {SEED_STRIDE:_} + epoch)",
        "    batches = torch.randperm(len(labels), generator=shuffle).split(BATCH)[:per_epoch]",
        f"    {each}",
        *_indented(
            [
                *augmentation,
                f"inputs = scaled({'pixels' if augmentation else 'images[chosen]'})",
                *_forward(config),
                "optimizer.zero_grad()",
            ]
        ),
        "        loss.backward()",
        *([f"        nn.utils.clip_grad_norm_(model.parameters(), {config.grad_clip!r})"] if config.grad_clip else []),
        "        optimizer.step()",
        *(["        schedule.step()"] if changes else []),
        "        step += 1",
        "        if step <= 5 or step % 100 == 0:",
        '            print(f"step {step}: loss {loss.item():.6f}")',
        *(_after_epoch(config) if holds_out(config) else []),
        'print("test: loss %.4f, accuracy %.4f" % evaluate(test_images, test_labels))',
    ]
    return "\n".join(lines)


def _indented(lines: list[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def _forward(config: TrainConfig) -> list[str]:
    lines = []
    if dropout_of(config):
        lines.append(f"torch.manual_seed(SEED * {SEED_STRIDE:_} + step)  # draws the dropout")
    smoothing = f", label_smoothing={config.label_smoothing!r}" if config.label_smoothing else ""
    if config.precision == "float32":
        return [*lines, f"loss = cross_entropy(model(inputs), labels[chosen]{smoothing})"]
    forward = f"    loss = cross_entropy(model(inputs).float(), labels[chosen]{smoothing})"
    return [*lines, f"with {AUTOCAST}:", forward]


def _augmentation(config: TrainConfig, size: int) -> list[str]:
    """From ``chosen`` to ``pixels``: the lab's throws of dice in its order; empty where nothing is to do."""
    lines = []
    if config.augment_rotation:
        lines.append(f"pixels = rotate(pixels.float(), {config.augment_rotation!r}, dice)")
    if config.augment_flip or config.augment_shift:
        lines += _flip_and_shift(config, size)
    if config.augment_erase:
        lines.append(f"pixels = erase(pixels, {config.augment_erase}, dice)")
    if not lines:
        return []
    seed = f"((SEED * {SEED_STRIDE:_} + epoch) * {SEED_STRIDE:_} + number) % 2**63"
    return [f"dice = torch.Generator().manual_seed({seed})", "pixels = images[chosen]", *lines]


def _flip_and_shift(config: TrainConfig, size: int) -> list[str]:
    most = config.augment_shift
    lines = ["chances = torch.rand(len(pixels), 1, 1, 1, generator=dice)"]
    if not config.augment_flip:
        lines = ["torch.rand(len(pixels), generator=dice)  # the lab's throws for mirroring"]
    if most or config.augment_erase:  # whose throws come after these
        lines.append(f"corners = torch.randint(0, {2 * most + 1}, (2, len(pixels)), generator=dice).tolist()")
    if most:
        lines.append(f"wide = zip(pad(pixels, [{most}] * 4), *corners)  # each image moved by up to {most} pixels")
        lines.append(f"pixels = torch.stack([image[:, y : y + {size}, x : x + {size}] for image, y, x in wide])")
    if config.augment_flip:
        lines.append("pixels = torch.where((chances < 0.5).to(DEVICE), pixels.flip(3), pixels)")
    return lines


def _after_epoch(config: TrainConfig) -> list[str]:
    patience = config.early_stopping
    return [
        "    val_loss, accuracy = evaluate(val_images, val_labels)",
        '    print(f"epoch {epoch}: validation loss {val_loss:.4f}, accuracy {accuracy:.4f}")',
        "    if val_loss < best:",
        f"        best{', best_epoch' if patience else ''} = val_loss{', epoch' if patience else ''}",
        '        torch.save(model.state_dict(), "best.pt")',
        *([f"    elif epoch - best_epoch >= {patience}:", "        break"] if patience else []),
        'model.load_state_dict(torch.load("best.pt", weights_only=True))',
    ]
