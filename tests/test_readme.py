"""What the README names exists."""

import re
from pathlib import Path

import pytest

from cnnlab import recipes
from cnnlab.cli import main
from tests.test_imports import layer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BASH = [line for block in re.findall(r"```bash\n(.*?)```", README, re.S) for line in block.splitlines()]
SETUP = [line for line in BASH if ".venv" in line]
COMMANDS = [line.split("#")[0].split() for line in BASH if line.startswith("python -m cnnlab")]


def test_two_commands_set_everything_up() -> None:
    assert len(SETUP) == 2
    for line in SETUP:
        assert line.startswith("test -d .venv || python3 -m venv .venv;")
        requirements = re.search(r"-r (\S+)", line)
        assert requirements and (ROOT / requirements[1]).is_file()
    assert SETUP[0].endswith("streamlit run app.py")
    assert SETUP[1].endswith("python -m pytest -n 2")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[3])
def test_every_named_command_and_flag_exists(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command[3], "--help"]) == 0
    helped = capsys.readouterr().out
    assert all(flag in helped for flag in command if flag.startswith("--"))


def test_every_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    known = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.M)
    assert sorted(known) == sorted({command[3] for command in COMMANDS})


def test_every_recipe_is_named() -> None:
    assert re.findall(r"^\| `(\w+)` \|", README, re.M) == recipes.RECIPES.names()


def test_every_setting_of_the_environment_is_named() -> None:
    used = {
        name
        for path in (ROOT / "cnnlab").rglob("*.py")
        for name in re.findall(r"CNNLAB_[A-Z]+(?:_[A-Z]+)*", path.read_text("utf-8"))
    }
    assert used <= set(re.findall(r"`(CNNLAB_[A-Z_]+)`", README))


def test_the_file_tree_is_true() -> None:
    tree = README.split("```\n", 1)[1] if "```\napp.py" not in README else README.split("```\n")[-2]
    folder = ""
    for line in tree.splitlines():
        names = re.match(r"( *)((?:[\w./-]+[ ]?)+)", line)
        assert names
        for name in names[2].split():
            if not re.fullmatch(r"\.?[\w-]+(\.\w+|/\w*)", name):
                continue
            assert (ROOT / (folder if names[1] else "") / name).exists(), name
        if not names[1]:
            folder = names[2].split()[0]


def test_the_file_tree_is_whole() -> None:
    here = {p.name for p in (ROOT / "cnnlab").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    tree = README.split("```\n", 1)[1] if "```\napp.py" not in README else README.split("```\n")[-2]
    named = set(re.findall(r"\w+\.py\b", tree)) | set(re.findall(r"(\w+)/", tree))
    assert here - {"__init__.py", "__main__.py"} <= named


def test_the_file_tree_is_in_the_order_of_the_imports() -> None:
    lines = README.split("cnnlab/    ", 1)[1].split("  figures/", 1)[0].splitlines()[1:]
    modules = [name for line in lines for name in re.findall(r"(\w+)(?:\.py|/)(?=\s)", line[:24])]
    layers = [layer(name) for name in modules]
    assert len(layers) > 30 and layers == sorted(layers)


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target
