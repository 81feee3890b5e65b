"""The command line, ``python -m cnnlab``: all that the dashboard does with runs, without a browser.

    python -m cnnlab train --recipe quick_digits --lr 0.02
    python -m cnnlab runs

Exit status: 0 done (a stopped training too), 1 failed, 2 wrong arguments, 130 interrupted. A training's last line on
standard output is its run folder's path.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pydantic_settings import CliSettingsSource, SettingsError

from cnnlab.cli import lists, questions, sweep, training
from cnnlab.cli.base import FAILED, OK, WRONG, Failure
from cnnlab.config import TrainConfig
from cnnlab.distributed.ranks import rank, world_size
from cnnlab.parsing import ConfigError
from cnnlab.registry import UnknownName, did_you_mean
from cnnlab.runs import RunError
from cnnlab.stopping import INTERRUPTED

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
SHARED = ("train", "resume")  # what torchrun may start; all else needs but one process


class OneSentenceParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence; argparse would list all the flags before."""

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else "."
        self.exit(WRONG, f"cnnlab: {message[:1].upper()}{message[1:]}{end} See {self.prog} --help.\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Say that nobody knows these arguments, and what may have been meant."""
        near = did_you_mean(unknown[0].split("=")[0], self._option_string_actions)
        hint = f".{near}" if near else ""
        if not unknown[0].startswith("-") and any(action.nargs == "+" for action in self._actions):
            hint = ". Options stand before or after all names"
        self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Under torchrun rank 0 runs it, and the others train along."""
    _write_anywhere()
    if rank() > 0:
        from cnnlab.follow import follow

        return follow()
    try:
        return _run(arguments)
    finally:
        if world_size() > 1:
            from cnnlab.team import dismiss_ranks

            dismiss_ranks()


def _run(arguments: Sequence[str] | None) -> int:
    try:
        given, unknown = command_parser().parse_known_args(arguments)
        if unknown:
            given.parser.refuse(unknown)
    except SystemExit as end:  # argparse has printed its message
        return int(end.code or 0)
    try:
        if world_size() > 1 and given.command not in SHARED:
            raise ConfigError(f"torchrun cannot share out '{given.command}': start it by python -m cnnlab.")
        if "settings_source" in given:
            given.settings = _settings(given.settings_source, vars(given))
        status: int = given.run_command(given)
        sys.stdout.flush()
        return status
    except (ConfigError, RunError, UnknownName) as error:
        return _complain(str(error), WRONG)
    except Failure as error:
        return _complain(str(error), FAILED)
    except BrokenPipeError:  # | head
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python writes the rest as it ends
        return OK
    except KeyboardInterrupt as error:
        return _complain(str(error) or "Interrupted.", INTERRUPTED)
    except OSError as error:
        if not error.filename and error.errno not in FULL:
            raise
        where = error.filename or "Standard output"
        return _complain(f"{where}: {error.strerror}. Look at its permissions and the room on its disk.", FAILED)
    except (RuntimeError, MemoryError) as error:
        from cnnlab.machine import memory_sentence  # brings torch, as what failed has

        if sentence := memory_sentence(error):
            return _complain(sentence, FAILED)
        raise


def _write_anywhere() -> None:
    """Let no output fail for where it goes: to nobody (``>&-``), or in letters that are not all there."""
    sys.stdout, sys.stderr = (stream or Path(os.devnull).open("w") for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _settings(source: CliSettingsSource[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The TrainConfig's fields among the arguments, lists and JSON decoded."""
    fields = {name: value for name, value in given.items() if name in TrainConfig.model_fields}
    try:
        return {name: [] if value == [""] else value for name, value in source(parsed_args=fields)().items()}
    except SettingsError as error:
        raise ConfigError(f"{error}: give a list as JSON or with commas, such as --hidden 128,64.") from None


def _complain(sentence: str, status: int) -> int:
    with suppress(OSError):  # nobody reads it any more
        print(f"cnnlab: {sentence}", file=sys.stderr)
    return status


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = OneSentenceParser(prog="python -m cnnlab", description="Train and question convolutional networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
        added.set_defaults(run_command=run, parser=added)
        return added

    for group in (training, sweep, questions, lists):
        group.add_commands(command)
    return parser
