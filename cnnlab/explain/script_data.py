"""The part of a plain script that reads the images and holds some of them out.

>>> print(reading(TrainConfig(dataset="mnist", validation_fraction=0), (1, 28, 10)).splitlines()[-1])
images, labels = images.to(DEVICE), labels.to(DEVICE)
"""

import json

from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS, FOLDER_PREFIX, folder_path
from cnnlab.datasets.base import TEST_FRACTION, TEST_SPLIT_SEED
from cnnlab.datasets.class_folders import split_folders
from cnnlab.models import Shape
from cnnlab.pictures import enough

TORCHVISION = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}

STATISTICS = '''\
def statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, from how often each of its 256 values occurs; in units of 255, [C, 1, 1]."""
    counts = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(1)])
    share, values = counts / counts.sum(1, keepdim=True).double(), torch.arange(256).double() / 255
    mean = (share * values).sum(1, keepdim=True)
    std = (share * (values - mean) ** 2).sum(1, keepdim=True).sqrt().round(decimals=6)
    return mean.round(decimals=6).unsqueeze(2), std.where(std > 0, 1.0).unsqueeze(2)
'''

SCALING = {
    "unit": ["SCALE, SHIFT = 1 / 255, 0.0  # to 0 … 1"],
    "half": ["SCALE, SHIFT = 2 / 255, -1.0  # to −1 … 1"],
    "dataset": [
        "MEAN, STD = statistics(images)",
        "SCALE, SHIFT = (1 / (255 * STD)).float().to(DEVICE), (-MEAN / STD).float().to(DEVICE)",
    ],
}
"""Scaling -> the lines that turn it into a factor and an offset, once the training images are there."""

HOLD_OUT = '''\
def hold_out(images: Tensor, labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The rest's images and labels, then those of the ``share`` of each class that is held out."""
    dice = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        held[members[torch.randperm(len(members), generator=dice)[: round(len(members) * share)]]] = True
    return images[~held], labels[~held], images[held], labels[held]
'''

HOLD_OUT_FILES = '''\
def hold_out(
    images: Tensor, labels: Tensor, keys: list[int], share: float, seed: int
) -> tuple[Tensor, Tensor, list[int], Tensor, Tensor]:
    """The rest's images, labels and keys, then images and labels of the ``share`` of each class that is held out.

    Drawn by their hashes: where files come and go, hardly any other changes its part.
    """
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten().tolist()
        members.sort(key=lambda place: hashlib.sha256(f"{seed} {keys[place]}".encode()).digest())
        held[members[: round(len(members) * share)]] = True
    rest = [key for key, out in zip(keys, held) if not out]
    return images[~held], labels[~held], rest, images[held], labels[held]
'''

PICTURE = '''\
def picture(path: str) -> Tensor:
    """The middle of an upright picture, uint8 [C, {size}, {size}].

    Unlike in the lab transparent pixels keep their colour, 16 bits are cut off, and a damaged file ends the script.
    """
    opened = Image.open(path)
    opened.draft("RGB", ({enough}, {enough}))  # a larger JPEG is decoded at a fraction of its size
    upright = ImageOps.exif_transpose(opened).convert("RGB"){grey}
    return pil_to_tensor(ImageOps.fit(upright, ({size}, {size}), Image.Resampling.BILINEAR))
'''

LOAD = '''\
def load(folder: str) -> tuple[Tensor, Tensor, list[int]]:
    """Images, labels, and a key for each file, by its path below ROOT.

    Unlike in the lab GIF and AVIF are left out, the same picture under two names may be parted, and every folder needs
    a picture of every class.
    """
    files = torchvision.datasets.ImageFolder(folder, loader=picture)
    images, labels = zip(*files)
    names = [Path(path).relative_to(ROOT).as_posix() for path, _ in files.samples]
    keys = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True) for name in names]
    return torch.stack(images), torch.tensor(labels), keys
'''


def title(config: TrainConfig) -> str:
    """The dataset's name for people."""
    if config.dataset.startswith(FOLDER_PREFIX):
        return f"the pictures in {folder_path(config.dataset).name}"
    return DATASETS.get(config.dataset).title


def picture_function(size: int, color: bool) -> str:
    """The function that reads a picture as datasets.folder.decode does, in colour or grey, ``size`` pixels wide."""
    return PICTURE.format(size=size, enough=enough(size)[0], grey="" if color else '.convert("L")')


def functions(config: TrainConfig, shape: Shape) -> list[str]:
    """The functions that reading needs."""
    found = []
    folders = _folders(config)
    if folders:
        found += [picture_function(shape[1], color=shape[0] == 3), LOAD]
    drawn_test = config.dataset == "digits" or (folders and "test" not in folders)
    if drawn_test or (config.validation_fraction and "val" not in folders):
        found.append(HOLD_OUT_FILES if folders else HOLD_OUT)
    if config.scaling == "dataset":
        found.append(STATISTICS)
    return found


def reading(config: TrainConfig, shape: Shape) -> str:
    """The lines after which images, labels, and those of the other splits are there, and how they are scaled."""
    folders = _folders(config)
    if folders:
        root = json.dumps(str(folder_path(config.dataset).resolve()), ensure_ascii=False)
        lines = [f"ROOT = {root}", *_folder(folders)]
    else:
        lines = _digits(shape[1]) if config.dataset == "digits" else _torchvision(config.dataset, shape[0])
    lines += SCALING[config.scaling]
    if "val" in folders:
        lines.append(f"val_images, val_labels, _ = load({folders['val']})")
    elif config.validation_fraction:
        keys = "keys, " if folders else ""
        held = f"hold_out(images, labels, {keys}{config.validation_fraction!r}, SEED)"
        lines.append(f"images, labels, {keys}val_images, val_labels = {held}")
    if config.train_images:
        order = "torch.randperm(len(labels), generator=torch.Generator().manual_seed(SEED))"
        lines.append(f"some = {order}[:{config.train_images}]")
        lines.append("images, labels = images[some], labels[some]")
    return "\n".join([*lines, "images, labels = images.to(DEVICE), labels.to(DEVICE)"])


def _folders(config: TrainConfig) -> dict[str, str]:
    """The splits of an image folder and where they lie, in quotes; empty for any other dataset."""
    if not config.dataset.startswith(FOLDER_PREFIX):
        return {}
    found = split_folders(folder_path(config.dataset).resolve())
    return {name: json.dumps(str(path), ensure_ascii=False) for name, path in found.items()}


def _folder(folders: dict[str, str]) -> list[str]:
    lines = [f"images, labels, keys = load({folders['train']})"]
    if "test" in folders:
        return [*lines, f"test_images, test_labels, _ = load({folders['test']})"]
    held = f"hold_out(images, labels, keys, {TEST_FRACTION}, seed={TEST_SPLIT_SEED})"
    return [*lines, f"images, labels, keys, test_images, test_labels = {held}"]


def _digits(size: int) -> list[str]:
    held = f"hold_out(images, torch.tensor(digits.target), {TEST_FRACTION}, seed={TEST_SPLIT_SEED})"
    return [
        "digits = load_digits()  # 1,797 of 8×8, with 16 for white",
        "grey = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) * (255 / 16)",
        f'images = interpolate(grey, size=({size}, {size}), mode="bicubic").clamp(0, 255).round().byte()',
        f"images, labels, test_images, test_labels = {held}",
    ]


def _torchvision(name: str, in_channels: int) -> list[str]:
    channels_first = ".permute(0, 3, 1, 2)" if in_channels == 3 else ".unsqueeze(1)"
    split = f'torchvision.datasets.{TORCHVISION[name]}("data", train=train, download=True)'
    return [
        f"train, test = ({split} for train in (True, False))",
        f"images, labels = torch.as_tensor(train.data){channels_first}, torch.as_tensor(train.targets)",
        f"test_images, test_labels = torch.as_tensor(test.data){channels_first}, torch.as_tensor(test.targets)",
    ]
