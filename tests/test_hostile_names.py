"""What a link or a name says is shown letter by letter: as Markdown it could fetch pictures, and show links as ours.

Every page is opened where all names are hostile, by links that are hostile in every field, and all that it sends to the
browser is looked through: only in a field of PLAIN may a name be as it is.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from google.protobuf.message import Message
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab.cli import main
from cnnlab.config import TrainConfig
from cnnlab.explain.kernel_shelf import Shelf
from cnnlab.explain.kernels import make_kernel
from cnnlab.runs import find_run
from cnnlab.ui.filters.state import WIDGETS
from tests.conftest import PROJECT
from tests.pages import script

SOURCES = [*PROJECT.glob("cnnlab/ui/**/*.py"), *PROJECT.glob("pages/*.py")]
HOSTILE = "![x](y)"
PLAIN = {
    ("Selectbox", "options"), ("Selectbox", "raw_value"), ("Selectbox", "placeholder"), ("MultiSelect", "options"),
    ("MultiSelect", "raw_values"), ("TextInput", "default"), ("TextInput", "value"), ("Code", "code_text"),
    ("PageLink", "query_string"), ("BidiComponent", "json"), ("PlotlyChart", "spec"), ("PlotlyChart", "alt"),
}  # fmt: skip
"""(message, field) whose text the browser does not take as Markdown; our own components' data among them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Images and runs where the folder, a class, its files, a run, its recipe, its end and a kernel are HOSTILE."""
    top = tmp_path_factory.mktemp("hostile")
    images = top / HOSTILE
    for number in range(40):
        image = images / ("other" if number % 2 else HOSTILE) / f"{HOSTILE}{number}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (28, 28), 6 * number).save(image)
    (images / HOSTILE / f"{HOSTILE}.png").write_text("no picture")
    with pytest.MonkeyPatch.context() as patched:
        for name in ("data", "runs", "cache"):
            patched.setenv(f"CNNLAB_{name.upper()}", str(top / name))
        for name in ("own", "failed"):
            settings = ["--recipe", "quick_digits", "--dataset", f"folder:{images}", "--epochs", "1", "--name", name]
            assert main(["train", *settings]) == 0
            run = find_run(name, top / "runs")
            (run.path / "name").write_text(HOSTILE)
            run.add_facts({"recipe": HOSTILE})
        run.append([{"event": "end", "status": "failed", "message": HOSTILE}])
        (top / "runs/damaged").mkdir()
        (top / "runs/damaged/config.json").write_text(json.dumps({"config": {"model": HOSTILE}}))
        Shelf(top / "runs/kernels.json").save(make_kernel([[1, 2], [3, 4]]), HOSTILE)
        yield images


def unescaped(app: AppTest) -> list[tuple[str, str, str]]:
    """Where a page has sent HOSTILE as Markdown: message, field and text."""
    nodes = [(node.type, node.proto) for node in app._tree if getattr(node, "proto", None)]
    sent = [
        (message, field, text) for kind, proto in nodes for message, field, text in _texts(proto)
        if HOSTILE in text and (kind == "table" or message != "ArrowData")
    ]  # fmt: skip
    return [(m, f, text[:200]) for m, f, text in sent if (m, f) not in PLAIN and not f.endswith("id")]


def _texts(message: Message) -> Iterator[tuple[str, str, str]]:
    """All texts in ``message`` and in those that it holds."""
    for field, value in message.ListFields():
        single = isinstance(value, Message | str | bytes | int | float)
        for part in [value] if single else value.values() if isinstance(value, Mapping) else value:
            if isinstance(part, Message):
                yield from _texts(part)
            elif isinstance(part, str | bytes):
                text = part if isinstance(part, str) else part.decode("utf-8", "replace")
                yield message.DESCRIPTOR.name, field.name, text


def opened(page: str, address: Mapping[str, str], **state: object) -> AppTest:
    app = script(f"pages/{page}.py", address, {name.replace("__", "."): value for name, value in state.items()}).run()
    assert not app.exception, app.exception[0].message
    return app


KEYS = {key for file in SOURCES for key in re.findall(r'"(\w+\.[\w.]+)"', file.read_text("utf-8"))}
EVERYWHERE = dict.fromkeys(KEYS, HOSTILE)  # what may be a field of a link: all that the pages' code calls so
FILTERS = dict.fromkeys([*WIDGETS, "preset", "bias", "absolute", "threshold"], HOSTILE)
NAMED = {"k": "1,2;3,4", "name": HOSTILE, "source": "Dataset", "dataset": f"folder:{HOSTILE}", "bank": f"run:{HOSTILE}",
         "chain": quote(f"saved:{HOSTILE}", safe=""), "chosen": quote(f"saved:{HOSTILE}", safe="")}  # fmt: skip
GONE = {"chain": quote(f"saved:gone{HOSTILE}", safe="")}
TRAIN = dict.fromkeys([*TrainConfig.model_fields, "recipe", "run", "sweep"], HOSTILE)
EVALUATE = ("Confusion", "Classes", "Images", "Feature map", "Calibration", "Curves", "Take away")
NETWORK = ("Anatomy", "Flow", "One training step", "Calculator & quiz", "Classics", "Code")
LEARNT = {"network.source": "A trained run's network", "network.run": "own"}
LINKS: list[tuple[str, dict[str, str]]] = [
    *(("filters", {**link, "view": view}) for link in (FILTERS, NAMED) for view in ("One filter", "Chain", "Layer")),
    ("filters", {**NAMED, **GONE, "view": "Chain"}),
    *(("filters", {**NAMED, "view": "Layer", "bank": bank}) for bank in ("run:own", "chosen")),
    ("filters", {**NAMED, "view": "Layer", "bank": "chosen", "chosen": "own", "k": "1|2|3"}),
    *(("train", {**TRAIN, "view": view}) for view in ("new", "run", "all", "sweeps")),
    *(("train", {"view": "run", "run": run}) for run in ("own", "failed", "damaged")),
    *(("train", {"view": view, "dataset": f"folder:{HOSTILE}"}) for view in ("new", "sweeps")),
    *((page, EVERYWHERE) for page in ("network", "evaluate", "predict")),
    *(("evaluate", {**EVERYWHERE, "evaluate.run": "own", "evaluate.view": view}) for view in EVALUATE),
    *(("network", {**EVERYWHERE, **LEARNT, "network.view": view}) for view in NETWORK),
]


@pytest.mark.parametrize(("page", "address"), LINKS, ids=[f"{page}{n}" for n, (page, _) in enumerate(LINKS)])
def test_what_a_link_says_is_no_markdown(folder: Path, page: str, address: dict[str, str]) -> None:
    assert unescaped(opened(page, address)) == []


@pytest.mark.parametrize("view", ["new", "sweeps"])
def test_what_a_folder_is_called_is_no_markdown(folder: Path, view: str) -> None:
    assert unescaped(opened("train", {"view": view, "dataset": f"folder:{folder}"})) == []
    assert unescaped(opened("filters", {"source": "Dataset", "dataset": f"folder:{folder}"})) == []


@pytest.mark.parametrize("way", ["Draw", "Folder", "Test images"])
def test_what_a_picture_shows_is_no_markdown(folder: Path, way: str) -> None:
    state = {"predict__way": way, "predict__folder": str(folder / HOSTILE)}
    assert unescaped(opened("predict", {"predict.run": "own"}, **state)) == []


def test_runs_that_are_compared_are_no_markdown(folder: Path) -> None:
    app = opened("train", {"view": "all", "compare": "own/failed"})
    assert app.table and unescaped(app) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_an_error_is_shown_through_plain(path: Path) -> None:
    """No ``st.error(str(error))``: an error's sentence quotes what a person has typed."""
    for handler in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for call in ast.walk(handler):
                if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("st."):
                    assert not _bare(call, handler.name), f"{path.name}:{call.lineno}: give it words.plain(str(error))"


def _bare(node: ast.AST, name: str) -> bool:
    """Whether ``name`` stands in ``node``, but not in a call of ``plain``."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "plain":
        return False
    if isinstance(node, ast.Name):
        return node.id == name
    return any(_bare(child, name) for child in ast.iter_child_nodes(node))
