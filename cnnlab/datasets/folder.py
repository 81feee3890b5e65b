"""A person's own images: ``folder:PATH`` with ``class/…`` or ``train|val|test/class/…`` inside.

Decoded once, in threads, into a file of pixels; later runs read it, or only map it where it is larger than the budget::

    >>> load(Path("flowers"), size=64, color=True).class_names      # doctest: +SKIP
    ('daisy', 'rose', 'tulip')
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cnnlab.config import SPLITS
from cnnlab.datasets.base import (
    TEST_FRACTION,
    TEST_SPLIT_SEED,
    ImageDataset,
    ImageSet,
    channel_statistics,
    stratified_split,
)
from cnnlab.datasets.class_folders import ImageFile, find_images
from cnnlab.datasets.download import Progress, silent
from cnnlab.datasets.error import DatasetError
from cnnlab.datasets.mapped import MappedImages, new_file, read_images
from cnnlab.datasets.memory import memory_budget
from cnnlab.datasets.view import ImageView
from cnnlab.paths import cache_dir, expanded, printable, write_whole, written_whole
from cnnlab.pictures import UnreadableImage, enough, fitted, open_picture

Shape = tuple[int, int, int, int]
"""[N, H, W, C]."""

KINDS = (".npy", ".safetensors", ".json")  # of the files that are kept of a folder
TELL_EVERY = 0.1  # seconds between two reports of how far the decoding is; a training asks then whether to stop
AT_A_TIME = 1000  # files given to the threads: each that waits takes memory
FORMAT = 4  # raise it when what is kept changes, so that old files are not read


@dataclass(frozen=True)
class _Decoded:
    """``images`` has a row for each file; the rest is of those with a picture. ``ids`` are rows, ``keys`` hashes of
    the paths below the root, ``version`` one of all files: their names there, splits, labels and contents.
    """

    images: Tensor | MappedImages
    labels: Tensor
    ids: Tensor
    keys: Tensor
    splits: Tensor
    unreadable: tuple[str, ...]
    copies: tuple[str, ...]
    version: str

    def parts(self) -> dict[str, ImageSet]:
        """The images by the split that the folder gives them."""
        everything = ImageSet(ImageView(self.images, self.ids), self.labels, self.ids, self.keys)
        return {n: everything.select((self.splits == k).nonzero().flatten()) for k, n in enumerate(SPLITS)}


def decode(path: Path, size: int, color: bool) -> NDArray[np.uint8]:
    """The picture in ``path`` as uint8 [C, size, size], C = 3 in colour and 1 in grey.

    Its shorter side is scaled to ``size`` and its middle kept. Raises UnreadableImage with the reason.
    """
    picture = open_picture(path, least=enough(size))
    if not color:
        picture = picture.convert("L")  # from RGB, as in prediction
    pixels = np.asarray(fitted(picture, size))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)) if color else pixels[None].copy()


def load(root: Path, size: int, color: bool, on_progress: Progress = silent) -> ImageDataset:
    """The images below ``root`` as a dataset of ``size``×``size`` pixels; raises DatasetError with a sentence."""
    root = expanded(root).resolve()
    files, class_names = find_images(root)
    stem = _stem(root, size, color)
    kept = _kept(stem, files)
    decoded = _recall(kept)
    if decoded is None:
        begun = time.time()
        decoded = _decode_all(files, (len(files), size, size, 3 if color else 1), kept, on_progress)
        _remove_older(kept, stem, begun)
    parts = decoded.parts()
    train, val, test = (parts[name] for name in SPLITS)
    empty = [name for label, name in enumerate(class_names) if not (train.labels == label).any()]
    if empty:
        raise DatasetError(
            f"No readable training image in class '{empty[0]}' of {root}: add some, or remove the class."
        )
    for split in ("val", "test"):
        if len(parts[split]) == 0 and any(file.split == split for file in files):
            raise DatasetError(f"No image in the {split} folder of {root} can be read: mend its images, or remove it.")
    if len(test) == 0:
        train, test = stratified_split(train, TEST_FRACTION, TEST_SPLIT_SEED)
    if len(test) == 0:
        raise DatasetError(f"{root} has too few images to hold out a test split: add images, at least 3 a class.")
    mean, std = _statistics(kept, train)
    held_out = val if len(val) else None
    told = decoded.unreadable, decoded.copies
    return ImageDataset(f"folder:{root}", class_names, train, test, mean, std, held_out, *told, decoded.version)


def version_of(root: Path, size: int, color: bool) -> str | None:
    """The ``version`` that loading them would give; None where they have to be decoded first. Raises DatasetError."""
    root = expanded(root).resolve()
    try:
        with safe_open(_kept(_stem(root, size, color), find_images(root)[0]).with_suffix(".safetensors"), "pt") as file:
            version: str = file.metadata()["version"]
            return version
    except (OSError, SafetensorError, KeyError):
        return None


def last_decoded(root: Path, size: int, color: bool) -> float:
    """When any process last decoded the images below ``root``, in seconds since 1970; 0 if none has."""
    kept = cache_dir().glob(f"{_stem(expanded(root).resolve(), size, color)}-*.safetensors")
    return max((path.stat().st_mtime for path in kept), default=0.0)


def _remove_older(kept: Path, stem: str, begun: float) -> None:
    """Remove what was decoded of the same images before they changed; who has it open reads on.

    What another process has written since ``begun`` (seconds since 1970), or is writing, stays.
    """
    for path in kept.parent.glob(f"{stem}-*"):
        if not path.name.startswith(f"{kept.name}.") and path.suffix in KINDS:
            with suppress(OSError):
                if path.stat().st_mtime < begun:
                    path.unlink()


def _stem(root: Path, size: int, color: bool) -> str:
    """How the names of all begin that is kept of the images below ``root``."""
    return f"folder-{hashlib.sha256(os.fsencode(f'{root} {size} {color}')).hexdigest()[:12]}"


def _kept(stem: str, files: list[ImageFile]) -> Path:
    """Where ``files`` are kept as they are now, as far as can be told without reading them; without its ending."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for file in files:
        try:
            facts = Path(file.path).stat()
            content = f"{facts.st_size} {facts.st_mtime_ns}"
        except OSError:  # a link that leads nowhere, say: decoding it will tell
            content = "none"
        digest.update(os.fsencode(f"{file.path} {file.split} {file.label} {content}\n"))
    return cache_dir() / f"{stem}-{digest.hexdigest()[:20]}"


def _recall(kept: Path) -> _Decoded | None:
    try:
        with safe_open(kept.with_suffix(".safetensors"), framework="pt") as file:
            labels, ids, keys, splits = (file.get_tensor(key) for key in ("labels", "ids", "keys", "splits"))
            facts = file.metadata()
            unreadable, copies = (tuple(json.loads(facts[key])) for key in ("unreadable", "copies"))
            version = facts["version"]
        images = read_images(kept.with_suffix(".npy"), memory_budget())
    except (OSError, SafetensorError, KeyError, ValueError, EOFError):
        return None
    return _Decoded(images, labels, ids, keys, splits, unreadable, copies, version)


def _decode_all(files: list[ImageFile], shape: Shape, kept: Path, on_progress: Progress) -> _Decoded:
    """Decode into a file, or into memory where none can be written."""
    try:
        with new_file(kept.with_suffix(".npy"), shape) as write:
            found = _decode(files, shape, write, on_progress)
        images = read_images(kept.with_suffix(".npy"), memory_budget())
        decoded = _described(images, files, *found)
        tensors = {name: getattr(decoded, name) for name in ("labels", "ids", "keys", "splits")}
        with written_whole(kept.with_suffix(".safetensors")) as part:
            told = {name: json.dumps(getattr(decoded, name)) for name in ("unreadable", "copies")}
            save_file(tensors, part, metadata={**told, "version": decoded.version})
        return decoded
    except (OSError, SafetensorError) as error:
        problem = f"Decoded images cannot be kept in {kept.parent} ({error}): set CNNLAB_CACHE to another folder"
        if math.prod(shape) > memory_budget():
            raise DatasetError(f"{problem}. They take more memory than CNNLAB_MEMORY_GB allows.") from error
    rows: list[NDArray[np.uint8]] = []
    found = _decode(files, shape, rows.append, on_progress)
    on_progress(problem, 0, 0)
    return _described(torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2), files, *found)


def _decode(
    files: list[ImageFile], shape: Shape, write: Callable[[NDArray[np.uint8]], object], on_progress: Progress
) -> tuple[dict[int, str], dict[int, int], str]:
    """Decode ``files`` in threads and ``write`` them in order.

    Gives why some, by their place, are black; of which earlier place others are copies, pixel by pixel; their version.
    """
    black = np.zeros(shape[1:], np.uint8)

    def one(file: ImageFile) -> tuple[bytes, tuple[NDArray[np.uint8], bytes] | str]:
        path = Path(file.path)
        try:
            pixels = decode(path, shape[1], color=shape[3] == 3)
            return _content(path), (pixels.transpose(1, 2, 0), hashlib.sha256(pixels.data).digest())
        except UnreadableImage as error:
            return _content(path), str(error)

    version = hashlib.sha256()
    unreadable: dict[int, str] = {}
    copies: dict[int, int] = {}
    seen: dict[bytes, int] = {}
    told = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), AT_A_TIME):
            for index, (content, found) in enumerate(pool.map(one, files[start : start + AT_A_TIME]), start):
                file = files[index]
                version.update(f"{file.name} {file.split} {file.label} ".encode() + content)
                if isinstance(found, str):
                    unreadable[index] = found
                    write(black)
                else:
                    write(found[0])
                    if (first := seen.setdefault(found[1], index)) != index:
                        copies[index] = first
                if time.monotonic() - told > TELL_EVERY or index + 1 == len(files):
                    told = time.monotonic()
                    on_progress("Reading images", index + 1, len(files))
    return unreadable, copies, version.hexdigest()[:20]


def _content(path: Path) -> bytes:
    """A hash of what is in a file; nothing where it cannot be read, or is a pipe, which might never end."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def _described(
    images: Tensor | MappedImages,
    files: list[ImageFile],
    unreadable: dict[int, str],
    copies: dict[int, int],
    version: str,
) -> _Decoded:
    """``images`` with what ``files`` say of them, without those that are unreadable; copies share a key."""
    ids = torch.tensor([index for index in range(len(files)) if index not in unreadable], dtype=torch.int64)
    labels = torch.tensor([file.label for file in files])[ids]
    keys = torch.tensor([files[copies.get(index, index)].key for index in range(len(files))])[ids]
    splits = torch.tensor([SPLITS.index(file.split) for file in files])[ids]
    problems = tuple(f"{printable(files[k].path)}: {why}" for k, why in unreadable.items())
    doubles = tuple(_copy(files[k], files[first]) for k, first in copies.items())
    return _Decoded(images, labels, ids, keys, splits, problems, doubles, version)


def _copy(file: ImageFile, first: ImageFile) -> str:
    but = ", though of another class" if file.label != first.label else ""
    return f"{file.name} is the same picture as {first.name}{but}"


def _statistics(kept: Path, train: ImageSet) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and deviation of the training images, kept beside them, for a large file takes long to read."""
    path = kept.with_suffix(".json")
    try:
        mean, std = json.loads(path.read_text())
        return tuple(mean), tuple(std)
    except (OSError, ValueError):
        found = channel_statistics(train.images)
        with suppress(OSError):
            write_whole(path, json.dumps(found).encode())
        return found
