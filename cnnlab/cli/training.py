"""The commands of a training and of its run: train, resume, stop, rename, delete."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cnnlab.cli.base import (
    FAILED,
    OK,
    AddCommand,
    Failure,
    add_recipe,
    add_run,
    add_runs,
    add_runs_dir,
    add_settings,
    config_of,
    folder_of,
    run_of,
    runs_of,
)
from cnnlab.distributed.ranks import world_size
from cnnlab.new_runs import create_run, new_folder, reopen_run
from cnnlab.parsing import ConfigError
from cnnlab.runs import ENDED, LIVE, Run, RunError, checked_name, list_runs, refuse_taken

if TYPE_CHECKING:
    from cnnlab.train import Listener


def add_commands(command: AddCommand) -> None:
    """Add the commands."""
    train = command("train", "Train a network; every setting of the dashboard is a flag.", _train)
    add_recipe(train)
    train.add_argument("--name", help="the run folder's name; by default recipe, date and time")
    add_runs_dir(train)
    add_settings(train)
    add_run(command("resume", "Go on with a stopped, interrupted or failed run from its last checkpoint.", _resume))
    add_run(command("stop", "Ask a training to stop after its step, with all saved.", _stop))
    rename = command("rename", "Give a run another name; its folder keeps its own.", _rename)
    add_run(rename)
    rename.add_argument("name", metavar="NEW", help="its new name")
    add_runs(command("delete", "Remove runs for good, with their metrics and weights; nothing is asked.", _delete))


def _train(given: argparse.Namespace) -> int:
    config = config_of(given)
    folder = folder_of(given)
    path = _named(folder, given.name) if given.name else new_folder(folder, config, given.recipe)
    facts = {"config": config.model_dump(mode="json"), "recipe": given.recipe, "processes": world_size()}
    run, held = create_run(path, facts)  # before torch is imported: the dashboard waits for the lock
    with held:
        try:
            from cnnlab.checks import CHECK_ERRORS, check
            from cnnlab.console import ConsoleListener
            from cnnlab.train import versions

            listener = ConsoleListener(run.log_path)
            run.add_facts({"versions": versions()})
            try:
                check(config)
            except CHECK_ERRORS as error:
                raise ConfigError(str(error)) from error
        except (ConfigError, KeyboardInterrupt):
            run.delete_unstarted()
            raise
        return _do_train(run, listener)


def _named(folder: Path, name: str) -> Path:
    """Where the run ``name`` will lie; raises RunError where it cannot be a run's name, or another run is called so."""
    path = folder / checked_name(name)
    refuse_taken(path.name, (run for run in list_runs(folder) if run.id != path.name))
    return path


def _resume(given: argparse.Namespace) -> int:
    run = run_of(given)
    with reopen_run(run):
        from cnnlab.console import ConsoleListener

        run.add_facts({"processes": world_size()})
        return _do_train(run, ConsoleListener(run.log_path))


def _do_train(run: Run, listener: "Listener") -> int:
    from cnnlab.train import train

    try:
        status = train(run, listener)
    except KeyboardInterrupt:  # the second one
        raise KeyboardInterrupt(f"{run.name} was cut off: resume {run.id} goes on from its last checkpoint.") from None
    finally:
        listener.close()
    print(run.path, flush=True)
    return FAILED if status == "failed" else OK


def _stop(given: argparse.Namespace) -> int:
    run = run_of(given)
    state = run.state()
    if state in ENDED or state == "interrupted":
        raise RunError(f"{run.name} is {state}: there is nothing to stop.")
    run.request_stop()
    if not run.wait_until_ended(60):
        raise Failure(f"{run.name} was asked to stop and has not ended after 60 s; it will after its step.")
    print(f"{run.name} is {run.state()}.")
    return OK


def _rename(given: argparse.Namespace) -> int:
    run = run_of(given)
    run.rename(given.name)
    print(f"{run.id} is called {run.name}.")
    return OK


def _delete(given: argparse.Namespace) -> int:
    runs = runs_of(given)
    for run in runs:
        if (state := run.state()) in LIVE:
            raise RunError(f"{run.name} is {state}: stop it first.")
    for run in runs:
        run.delete()
        print(f"{run.path} is deleted.")
    return OK
