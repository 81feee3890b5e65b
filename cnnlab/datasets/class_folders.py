"""Which files are a person's images: ``class/…`` or ``train|val|test/class/…`` below a folder."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cnnlab.config import SPLITS
from cnnlab.datasets.error import DatasetError
from cnnlab.paths import expanded, printable
from cnnlab.pictures import EXTENSIONS, is_hidden, picture_paths

CALLED = {name: name for name in SPLITS} | {
    "training": "train",
    "valid": "val",
    "validation": "val",
    "testing": "test",
}
"""What people call the folder of a split, in small letters."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image file below a root folder: its split is train, val or test, its label the place of its class."""

    path: str  # a Path takes four times the memory
    below: int  # from which letter on it is the path below the root
    split: str
    label: int

    @property
    def name(self) -> str:
        """The path below the root, the same on every system, for people."""
        return printable(self.path[self.below :].replace(os.sep, "/"))

    @property
    def key(self) -> int:
        """A hash of its name, in [-2**63, 2**63)."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "big", signed=True)


def find_images(root: Path) -> tuple[list[ImageFile], tuple[str, ...]]:
    """The image files below ``root``, split by split and class by class, and the names of the classes in their order.

    Raises DatasetError with a sentence where they are not laid out like a dataset.
    """
    parts = split_folders(root)
    class_names = tuple(printable(p.name) for p in _folders(parts["train"]))
    if len(class_names) < 2:
        raise DatasetError(
            f"{parts['train']} has {len(class_names)} class folders, and a classifier needs at least 2: "
            "put the images of each class into a folder of their own."
        )
    files = []
    for split, folder in parts.items():
        for class_folder in _folders(folder):
            name = printable(class_folder.name)
            if name not in class_names:
                raise DatasetError(
                    f"{folder / name} is a class that {parts['train']} does not have: rename or remove it."
                )
            label = class_names.index(name)
            files += [ImageFile(path, len(str(root)) + 1, split, label) for path in picture_paths(class_folder)]
    if not files:
        raise DatasetError(f"{root} holds no image files ({', '.join(sorted(EXTENSIONS))}).")
    return files, class_names


def file_names(root: Path) -> list[str]:
    """The paths below ``root`` of its images, by their ids; raises DatasetError."""
    return [file.name for file in find_images(expanded(root).resolve())[0]]


def split_folders(root: Path) -> dict[str, Path]:
    """Where each split of the images below ``root`` lies: ``train`` alone is ``root`` itself. Raises DatasetError."""
    expect_folder(root)
    inside = _folders(root)
    splits = [p for p in inside if p.name.lower() in CALLED and (_folders(p) or not _has_images(p))]  # else a class
    parts = {CALLED[p.name.lower()]: p for p in splits}
    if not parts:
        return {"train": root}
    if "train" not in parts:
        raise DatasetError(
            f"{root} has {' and '.join(p.name for p in splits)}, but no train folder: add train/class/…."
        )
    if twice := [p.name for p in splits if p not in parts.values()]:
        names = [p.name for p in splits if CALLED[p.name.lower()] == CALLED[twice[0].lower()]]
        raise DatasetError(f"{root} has {' and '.join(names)}, which are the same split: keep one of them.")
    if others := [p.name for p in inside if p not in splits]:
        raise DatasetError(
            f"{root} has {' and '.join(others)} beside {parts['train'].name}, which nothing is done with: call a split "
            f"train, val or test, and move what else there is away."
        )
    return {split: path for split, path in parts.items() if split == "train" or _has_images(path)}


def expect_folder(path: Path) -> None:
    """Raise DatasetError where ``path`` is no folder."""
    if not is_folder(path):
        raise DatasetError(f"There is no folder '{path}': give the path of one, or put it back there.")


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder, whatever a person calls it."""
    try:
        return path.is_dir()
    except OSError:  # a name of 1,000 letters
        return False


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.iterdir() if p.is_dir() and not is_hidden(p.name))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): choose another folder.") from error


def _has_images(folder: Path) -> bool:
    return next(picture_paths(folder), None) is not None
