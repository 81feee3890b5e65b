"""The tensors of a downloaded dataset, kept for the next process: torchvision alone takes two seconds to import.

>>> recall("mnist") or keep(torchvision_sets.load("mnist"), files)          # doctest: +SKIP
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cnnlab.datasets.base import ImageDataset, image_set
from cnnlab.paths import cache_dir, data_dir, written_whole

FORMAT = 1


def keep(dataset: ImageDataset, files: Iterable[Path]) -> None:
    """Keep ``dataset``, in memory, as it was read from ``files``; where nothing can be written, nothing is kept."""
    tensors: dict[str, Tensor] = {}
    for name, split in (("train", dataset.train), ("test", dataset.test)):
        rows = split.images[:].permute(0, 2, 3, 1).contiguous()
        tensors |= {f"{name}/images": rows, f"{name}/labels": split.labels}
    with suppress(OSError, SafetensorError):
        facts = {
            "format": FORMAT,
            "files": {str(file): _stamp(file) for file in files},
            "class_names": dataset.class_names,
            "mean": dataset.mean,
            "std": dataset.std,
        }
        cache_dir().mkdir(parents=True, exist_ok=True)
        with written_whole(_path(dataset.name)) as part:
            save_file(tensors, part, metadata={"facts": json.dumps(facts)})


def recall(name: str) -> ImageDataset | None:
    """The dataset called ``name`` as it was kept; None if it was not, or if its files have changed since."""
    try:
        with safe_open(_path(name), framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            if facts["format"] != FORMAT or any(_stamp(Path(f)) != then for f, then in facts["files"].items()):
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        train, test = tensors["train/images"].permute(0, 3, 1, 2), tensors["test/images"].permute(0, 3, 1, 2)
        return ImageDataset(
            name,
            tuple(facts["class_names"]),
            image_set(train, tensors["train/labels"]),
            image_set(test, tensors["test/labels"], len(train)),
            tuple(facts["mean"]),
            tuple(facts["std"]),
        )
    except (OSError, SafetensorError, LookupError, TypeError, ValueError):
        return None


def _path(name: str) -> Path:
    return cache_dir() / f"{name}-{hashlib.sha256(str(data_dir()).encode()).hexdigest()[:20]}.safetensors"


def _stamp(file: Path) -> list[int]:
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]
