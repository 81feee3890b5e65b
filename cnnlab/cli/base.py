"""What all commands share: how they end, and the arguments by which they name runs and hyperparameters."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pydantic.fields import FieldInfo
from pydantic_settings import CliSettingsSource

from cnnlab import recipes
from cnnlab.config import ConvBlock, TrainConfig, choices, limits, shown
from cnnlab.parsing import ConfigError, adapt, allowed
from cnnlab.paths import FOLDER_PREFIX, expanded, folder_path, runs_dir, write_whole
from cnnlab.runs import Run, find_run

OK, FAILED, WRONG = 0, 1, 2
METAVARS: dict[Any, str] = {
    str: "NAME",
    int: "N",
    float: "X",
    float | None: "X",
    tuple[int, ...]: "N,N",
    tuple[ConvBlock, ...]: "JSON",
}


class Failure(Exception):
    """A command that could not do its work: exit status 1, with the message."""


class AddCommand(Protocol):
    """Adds the command ``name``, which does ``run`` and gives its exit status; gives its parser."""

    def __call__(self, name: str, help: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser: ...


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` a flag for each hyperparameter; what was given is then in ``settings``, by name."""
    fields: Any = TrainConfig  # only its fields are read: it need not be the BaseSettings of the signature
    source: CliSettingsSource[Any] = CliSettingsSource(
        fields,
        root_parser=parser,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        formatter_class=argparse.HelpFormatter,
    )
    parser.set_defaults(settings_source=source)
    for action in parser._actions:
        if info := TrainConfig.model_fields.get(action.dest):
            action.help = _help(action.dest, info).replace("%", "%%")
            if action.nargs != 0 and not choices(info):  # else argparse names what may follow
                action.metavar = METAVARS.get(info.annotation, "VALUE")


def _help(name: str, info: FieldInfo) -> str:
    """What a setting does, what is allowed, and its default as the command line takes it."""
    default = "null" if info.default is None else shown(info.default)
    range = f"{allowed(name, info)}; " if "tuple" in str(info.annotation) or limits(info)[1] else ""
    return f"{info.description} ({range}default: {default})"


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the recipe to begin with."""
    parser.add_argument("--recipe", metavar="NAME", help="begin with the settings of this recipe")


def config_of(given: argparse.Namespace) -> TrainConfig:
    """The recipe and the hyperparameters of the arguments; a folder of images has its whole path, for other places.

    Raises ConfigError or UnknownName.
    """
    config = adapt(recipes.get(given.recipe).config if given.recipe else TrainConfig(), given.settings)
    if not config.dataset.startswith(FOLDER_PREFIX) or config.dataset == FOLDER_PREFIX:
        return config
    return config.model_copy(update={"dataset": f"{FOLDER_PREFIX}{folder_path(config.dataset).resolve()}"})


def add_run(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` a run, see :func:`run_of`."""
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    add_runs_dir(parser)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` one run or several, see :func:`runs_of`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    add_runs_dir(parser)


def add_runs_dir(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the folder of runs, see :func:`folder_of`."""
    parser.add_argument(
        "--runs-dir", type=Path, metavar="DIR", help="where runs lie; default: CNNLAB_RUNS, else ./runs"
    )


def write_file(path: Path, content: bytes) -> None:
    """Write ``path``, the new content or none of it; raises Failure with a sentence."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise Failure(f"{path} cannot be written ({error.strerror}).") from error


def check_file(path: Path | None, *endings: str) -> None:
    """Before long work: raise ConfigError where ``path``, if any, has none of ``endings`` or lies in no folder."""
    if path and path.suffix.lower() not in endings:
        raise ConfigError(f"'{path.name}' is not allowed: let the file end in {', '.join(endings)}.")
    if path and not path.absolute().parent.is_dir():
        raise ConfigError(f"'{path}' cannot be written: there is no folder '{path.parent}'.")


def folder_of(given: argparse.Namespace) -> Path:
    """The folder of runs that the arguments mean."""
    chosen: Path | None = given.runs_dir
    return expanded(chosen).resolve() if chosen else runs_dir()


def run_of(given: argparse.Namespace) -> Run:
    """The run that the arguments mean; raises RunError where there is none."""
    return find_run(given.run, folder_of(given))


def runs_of(given: argparse.Namespace) -> list[Run]:
    """The runs that the arguments mean, each once; raises RunError where there is none."""
    return list({run.path: run for run in (find_run(text, folder_of(given)) for text in given.runs)}.values())
