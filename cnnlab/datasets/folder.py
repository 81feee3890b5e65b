"""A person's own images: ``folder:PATH`` with ``class/…`` or ``train|val|test/class/…`` inside.

Decoded once, in threads, then kept as one file of uint8 tensors, which later runs only map into memory::

    >>> load(Path("flowers"), size=64, color=True).class_names      # doctest: +SKIP
    ('daisy', 'rose', 'tulip')
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cnnlab.datasets.base import (
    TEST_SPLIT_SEED,
    DatasetError,
    ImageDataset,
    ImageSet,
    image_set,
    make_dataset,
    stratified_split,
)
from cnnlab.datasets.download import Progress, silent
from cnnlab.paths import cache_dir
from cnnlab.pictures import UnreadableImage, open_picture

EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
TEST_FRACTION = 0.2  # of the images, where there is no test folder
SPLIT_NAMES = ("train", "val", "test")
FORMAT = 1  # raise it when what is kept changes, so that old files are not read


@dataclass(frozen=True)
class _File:
    path: Path
    split: str
    label: int


def decode(path: Path, size: int, color: bool) -> np.ndarray:
    """The picture in ``path`` as uint8 [C, size, size], C = 3 in colour and 1 in grey.

    Its shorter side is scaled to ``size`` and its middle kept. Raises UnreadableImage with the reason.
    """
    picture = open_picture(path, color, least=(size, size))
    pixels = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)) if color else pixels[None].copy()


def load(root: Path, size: int, color: bool, on_progress: Progress = silent) -> ImageDataset:
    """The images below ``root`` as a dataset of ``size``×``size`` pixels; raises DatasetError with a sentence."""
    root = root.expanduser().resolve()
    files, class_names = _list(root)
    kept = cache_dir() / f"folder-{_fingerprint(root, files, size, color)}.safetensors"
    tensors, unreadable = _recall(kept) or _decode_all(files, size, color, kept, on_progress)
    everything = ImageSet(tensors["images"], tensors["labels"], tensors["ids"])
    split = tensors["splits"]
    parts = {name: everything.select((split == number).nonzero().flatten()) for number, name in enumerate(SPLIT_NAMES)}
    empty = [class_names[label] for label in range(len(class_names)) if not (parts["train"].labels == label).any()]
    if empty:
        raise DatasetError(
            f"No readable training image in class '{empty[0]}' of {root}: add some, or remove the class."
        )
    train, test = parts["train"], parts["test"]
    if len(test) == 0:
        train, test = stratified_split(train, TEST_FRACTION, TEST_SPLIT_SEED)
    if len(test) == 0:
        raise DatasetError(f"{root} has too few images to hold out a test split: add images, at least 3 a class.")
    dataset = make_dataset(f"folder:{root}", class_names, train, test)
    return replace(dataset, val=parts["val"] if len(parts["val"]) else None, unreadable=tuple(unreadable))


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def split_folders(root: Path) -> dict[str, Path]:
    """Where each split of the images below ``root`` lies: ``train`` alone is ``root`` itself. Raises DatasetError."""
    if not root.is_dir():
        raise DatasetError(f"There is no folder {root}: give folder:PATH with the path of your images.")
    parts = {p.name: p for p in _folders(root) if p.name in SPLIT_NAMES}
    if parts and "train" not in parts:
        raise DatasetError(f"{root} has {' and '.join(parts)}, but no train folder: add train/class/….")
    return parts or {"train": root}


def _list(root: Path) -> tuple[list[_File], tuple[str, ...]]:
    parts = split_folders(root)
    class_names = tuple(p.name for p in _folders(parts["train"]))
    if len(class_names) < 2:
        raise DatasetError(
            f"{parts['train']} has {len(class_names)} class folders, and a classifier needs at least 2: "
            "put the images of each class into a folder of their own."
        )
    files = []
    for split, folder in parts.items():
        for class_folder in _folders(folder):
            if class_folder.name not in class_names:
                raise DatasetError(
                    f"{class_folder} is a class that {parts['train']} does not have: rename or remove it."
                )
            label = class_names.index(class_folder.name)
            files += [_File(path, split, label) for path in _images(class_folder)]
    if not files:
        raise DatasetError(f"{root} holds no image files ({', '.join(sorted(EXTENSIONS))}).")
    return files, class_names


def _images(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in EXTENSIONS and not name.startswith("."):
                yield Path(place) / name


def _fingerprint(root: Path, files: list[_File], size: int, color: bool) -> str:
    digest = hashlib.sha256(f"{FORMAT} {root} {size} {color}".encode())
    for file in files:
        try:
            facts = file.path.stat()
            content = f"{facts.st_size} {facts.st_mtime_ns}"
        except OSError:  # a link that leads nowhere, say: decoding it will tell
            content = "none"
        digest.update(f"{file.path} {file.split} {file.label} {content}\n".encode())
    return digest.hexdigest()[:20]


def _recall(kept: Path) -> tuple[dict[str, torch.Tensor], list[str]] | None:
    try:
        with safe_open(kept, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["unreadable"])
    except (OSError, SafetensorError, KeyError):
        return None


def _decode_all(
    files: list[_File], size: int, color: bool, kept: Path, on_progress: Progress
) -> tuple[dict[str, torch.Tensor], list[str]]:
    images = torch.empty(len(files), 3 if color else 1, size, size, dtype=torch.uint8)
    readable = torch.ones(len(files), dtype=torch.bool)
    unreadable: list[str] = []

    def one(index: int) -> str | None:
        try:
            images[index] = torch.from_numpy(decode(files[index].path, size, color))
        except UnreadableImage as error:
            return str(error)
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for index, reason in enumerate(pool.map(one, range(len(files)))):
            if reason is not None:
                readable[index] = False
                unreadable.append(f"{files[index].path}: {reason}")
            if index % 200 == 199 or index + 1 == len(files):
                on_progress("Reading images", index + 1, len(files))
    numbered = image_set(images, torch.tensor([file.label for file in files]))
    chosen = numbered.select(readable.nonzero().flatten())
    splits = torch.tensor([SPLIT_NAMES.index(file.split) for file in files])[readable]
    tensors = {"images": chosen.images, "labels": chosen.labels, "ids": chosen.ids, "splits": splits}
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}.part")
        save_file(tensors, part, metadata={"unreadable": json.dumps(unreadable)})
        part.replace(kept)
    except (OSError, SafetensorError) as error:
        on_progress(
            f"Decoded images cannot be kept in {kept.parent} ({error}): set CNNLAB_CACHE to another folder",
            0,
            0,
        )
    return tensors, unreadable
