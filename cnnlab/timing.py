"""How long a training step takes here, measured on made-up images.

>>> time_step(config, in_channels=1, image_size=28, num_classes=10)       # doctest: +SKIP
0.0021
"""

import time

import torch

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.engine import TrainState, train_step
from cnnlab.inference import pick_device
from cnnlab.loader import Batch, Scaling
from cnnlab.optim import make_optimizer
from cnnlab.seeding import seeded

TIMED_STEPS = 12  # of which the first two warm up
TIMED_SECONDS = 0.4  # but no more than that
GIVE_WAY = 0.001  # seconds between two steps: who waits to draw, such as another visitor's network, gets in
VERY_LONG = 4.0  # seconds: a step that takes so long is not done twice


def time_step(config: TrainConfig, in_channels: int, image_size: int, num_classes: int) -> float:
    """Seconds that one training step of ``config`` takes here and now: the fastest of a few on made-up images."""
    device = pick_device(config.device)
    took: list[float] = []
    with seeded(config.seed):
        model = models.build(config, in_channels, image_size, num_classes)
        pixels = torch.randint(256, (config.batch_size, in_channels, image_size, image_size), dtype=torch.uint8)
        labels = torch.randint(num_classes, (config.batch_size,)).to(device)
    model.to(device).to(memory_format=torch.channels_last)
    state = TrainState(model, make_optimizer(model.parameters(), config))
    network = models.for_training(model)
    batch = Batch(Scaling((0.5,) * in_channels, (0.5,) * in_channels)(pixels.to(device)), labels, len(labels))
    while len(took) < 4 or (len(took) < TIMED_STEPS and sum(took[2:]) < TIMED_SECONDS):
        time.sleep(GIVE_WAY)
        with seeded(config.seed):  # a step seeds its dropout
            started = time.perf_counter()
            train_step(state, network, batch, config, config.lr)[0].item()  # waits for the device
            took.append(time.perf_counter() - started)
        enough = TIMED_SECONDS if len(took) > 1 else VERY_LONG  # the first one warms up
        if took[-1] > enough:
            break
    return min(took)
