"""Imports point one way, and training needs neither streamlit nor plotly."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# A module imports from the layers above its own (and a package from itself); `ui`, `pages` and `app` come after all.
LAYERS = [
    {"__init__", "registry", "paths", "seeding", "config", "locks", "tails", "records", "stopping"},
    {"parsing", "distributed", "pictures"},
    {"recipes", "runs", "metrics", "datasets", "models", "optim"},
    {"loader", "new_runs", "queue", "summary", "machine"},
    {"inference", "forecast", "curves"},
    {"engine", "checks"},
    {"checkpoints", "timing"},
    {"team"},
    {"train"},
    {"follow"},
    {"explain"},
    {"evaluation"},
    {"prediction", "launch", "console"},
    {"sweeps"},
    {"cli"},
    {"__main__"},
]
APART = {"figures", "ui"}
MODULES = sorted(PROJECT.glob("cnnlab/**/*.py"))


def layer(name: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if name in names)


def top(path: Path) -> str:
    """The module or package directly below cnnlab that the file belongs to."""
    return path.relative_to(PROJECT / "cnnlab").parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_imports_one_way(path):
    for name in imported(path):
        package, *rest = name.split(".")
        if top(path) != "ui":
            assert package != "streamlit", f"{path} imports {name}"
        if top(path) == "figures":
            foreign = package not in sys.stdlib_module_names and package not in ("numpy", "plotly")
            assert not foreign or name.startswith("cnnlab.figures"), f"{path} imports {name}"
        elif top(path) not in APART and package == "cnnlab":
            other = rest[0] if rest[0] in {top(p) for p in MODULES} else "__init__"
            if other == "figures":
                assert top(path) in ("cli", "evaluation"), f"{path} imports {name}"  # for files with figures alone
            else:
                assert other == top(path) or layer(other) < layer(top(path)), f"{path} imports {name}"


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("streamlit", "plotly", "kaleido"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from cnnlab.cli import main
status = main(["train", "--epochs", "1", "--train-images", "64", "--name", "headless"])
assert not {"torch._dynamo", "torchvision", "sklearn", "scipy", "pandas", "optuna", "sympy"} & set(sys.modules)
status = status or main(["evaluate", "headless", "--json"])
assert main(["plot", "headless", "curves.svg"]) == 1
sys.exit(status)
"""


def test_training_needs_neither_streamlit_nor_plotly_and_starts_without_slow_imports(fresh_folders, tmp_path):
    done = subprocess.run([sys.executable, "-c", BLOCKED], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Drawing needs the package plotly: install requirements.txt." in done.stderr
