"""A network's layers in the groups that a person sees: VGG's five, residual blocks, the classifier.

>>> from cnnlab.explain.anatomy import anatomy
>>> from cnnlab.config import TrainConfig
>>> from cnnlab.models import outline
>>> parts = anatomy(outline(TrainConfig(model="vgg16"), 3, 224, 1000), (3, 224, 224))
>>> [group.title for group in groups_of(parts)]
['Group 1', 'Group 2', 'Group 3', 'Group 4', 'Group 5', 'Classifier']
"""

from dataclasses import dataclass

from cnnlab.explain.anatomy import Part


@dataclass(frozen=True)
class Group:
    """Layers that belong together, in order."""

    title: str
    parts: tuple[Part, ...]

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of what leaves the group."""
        return self.parts[-1].output


def groups_of(parts: list[Part]) -> list[Group]:
    """Every layer in one group: a residual block, or convolutions up to their pooling, or the linear layers."""
    runs: list[list[Part]] = []
    blocks = {part.name.rpartition(".")[0] for part in parts if part.kind == "Add"}
    for part in parts:
        if not runs or _begins(part, runs[-1], blocks):
            runs.append([])
        runs[-1].append(part)
    return _titled(runs, blocks)


def block_of(part: Part, blocks: set[str]) -> str:
    """The residual block that the layer lies in; empty for none."""
    return next((block for block in blocks if part.name.startswith(block + ".")), "")


def _begins(part: Part, run: list[Part], blocks: set[str]) -> bool:
    """Whether ``part`` begins a new group after ``run``."""
    if block_of(part, blocks) != block_of(run[-1], blocks):
        return True
    if part.kind in ("Conv2d", "ZeroPad2d"):
        return any("Pool" in p.kind for p in run) and not block_of(part, blocks)
    has_features = any(p.kind == "Conv2d" for p in run)
    return part.kind == "Flatten" and has_features


def _titled(runs: list[list[Part]], blocks: set[str]) -> list[Group]:
    groups, convolutions, residual = [], 0, 0
    for run in runs:
        if block_of(run[0], blocks):
            residual += 1
            title = f"Residual {residual}"
        elif any(p.kind == "Linear" for p in run):
            title = "Classifier"
        else:
            convolutions += 1
            title = f"Group {convolutions}"
        groups.append(Group(title, tuple(run)))
    return groups
