"""Start and resume a training as a process of its own, which outlives the dashboard; stopping is Run.request_stop.

>>> run = start(TrainConfig(), recipe=None, runs=runs_dir())              # doctest: +SKIP
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnlab import SPIN_WHEN_NICE, recipes
from cnnlab.config import TrainConfig, applies
from cnnlab.new_runs import named_folder, new_folder, refuse_to_resume
from cnnlab.parsing import differences
from cnnlab.runs import LIVE, Run, RunError
from cnnlab.tails import tail

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds for the process to take its lock; it takes about half a second on an idle machine
ENDING = 40  # seconds; torchrun gives its processes 30
NICENESS = 5  # so that the page answers while both cores train

_children: list[subprocess.Popen[bytes]] = []  # asked now and then, so that none stays a zombie


def flags(config: TrainConfig, recipe: str | None) -> list[str]:
    """The arguments of ``python -m cnnlab train`` that give ``config``: a recipe, then what differs from it."""
    base = recipes.get(recipe).config if recipe else TrainConfig()
    arguments = ["--recipe", recipe] if recipe else []
    for name, value in differences(config, base).items():
        if not applies(name, config.model_dump()):
            continue  # the recipe's value goes by itself where it no longer counts
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            arguments += [flag, _argument(value)]
    return arguments


def _argument(value: Any) -> str:
    if isinstance(value, tuple):
        plain = [v.model_dump(mode="json") if hasattr(v, "model_dump") else v for v in value]
        return json.dumps(plain, separators=(",", ":"))
    return "null" if value is None else str(value)


def shown_command(arguments: list[str], processes: int = 1) -> str:
    """The command line that a person would type in a shell."""
    if processes == 1:
        return shlex.join(["python", "-m", "cnnlab", *arguments])
    variables = [f"{name}={value}" for name, value in _environment(processes).items()]
    return shlex.join([*variables, "torchrun", *torchrun_arguments(processes), "-m", "cnnlab", *arguments])


def torchrun_arguments(processes: int) -> list[str]:
    """The arguments of ``torchrun``; standalone: on this host alone, at a free port."""
    return ["--standalone", "--nproc-per-node", str(processes)]


def _environment(processes: int) -> dict[str, str]:
    """What ``torchrun`` would set too low where there are more cores than processes: the threads of each."""
    if processes == 1:
        return {}
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))}


def most_processes(device: str) -> int:
    """How many processes can share a training on ``device`` of this machine: one for each GPU, or core."""
    from cnnlab.inference import pick_device

    kind = pick_device(device).type
    if kind == "cuda":
        import torch

        return torch.cuda.device_count()
    return (os.cpu_count() or 1) if kind == "cpu" else 1


def start(config: TrainConfig, recipe: str | None, runs: Path, processes: int = 1, name: str = "") -> Run:
    """Start training in so many ``processes``; returns once the run is on disk.

    Without a ``name`` it is called after recipe or network and dataset, and the time. Raises RunError where it did not
    come to that.
    """
    from cnnlab.checks import CHECK_ERRORS, check  # brings torch, which flags() and shown_command() need not

    try:
        check(config)  # the process would say so too, but after its run has been shown
    except CHECK_ERRORS as error:
        raise RunError(str(error)) from error
    run = Run(named_folder(runs, name) if name else new_folder(runs, config, recipe))
    arguments = ["train", *flags(config, recipe), "--runs-dir", str(runs), "--name", run.id]
    try:
        _launch(run, arguments, processes)
    except RunError:
        if not run.exists():
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def resume(run: Run) -> None:
    """Go on with a run that was stopped, interrupted or failed, in as many processes as before where this machine has
    so many cores or GPUs; returns once its process holds the lock."""
    refuse_to_resume(run)
    before = int(run.facts().get("processes", 1))
    _launch(run, ["resume", str(run.path)], min(before, most_processes(run.config.device)) if before > 1 else 1)


def spawn(arguments: list[str], log_path: Path, processes: int = 1) -> subprocess.Popen[bytes]:
    """Start ``python -m cnnlab`` in a session of its own, so that it outlives us; what it prints goes to the log."""
    _children[:] = [child for child in _children if child.poll() is None]
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()  # a GPU's memory that we keep for later: the new process needs it now
    environment: Mapping[str, str] = {
        **os.environ,
        **_environment(processes),
        "PYTHONUNBUFFERED": "1",
        "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", SPIN_WHEN_NICE),  # its niceness may come after it has looked
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
    }
    engine = ["-m", "torch.distributed.run", *torchrun_arguments(processes)] if processes > 1 else []
    with log_path.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, *engine, "-m", "cnnlab", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    _children.append(child)
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
    return child


def _launch(run: Run, arguments: list[str], processes: int) -> None:
    before = _written(run)
    child = spawn(arguments, run.log_path, processes)
    if not begins(child, lambda: run.state() in LIVE and run.exists(), "training", run.log_path):
        begun = run.exists() and _written(run) != before
        if child.returncode == 2 or run.state() == "interrupted" or not begun:
            raise did_not_start("training", run.log_path)


def begins(child: subprocess.Popen[bytes], begun: Callable[[], bool], what: str, log_path: Path) -> bool:
    """Wait until a process has ``begun()``; False where it ended before: it was quicker than we, or has failed.

    One that takes too long is ended, for it must not begin once nobody waits for it; RunError then says so of ``what``.
    """
    deadline = time.monotonic() + PATIENCE
    while not begun():
        if child.poll() is not None:
            return False
        if time.monotonic() > deadline:
            _end(child)
            said = tail(log_path, 3) or "the machine may be busy, so try again."
            raise RunError(f"The {what} did not start within {PATIENCE} s: {said}")
        time.sleep(0.02)
    return True


def did_not_start(what: str, log_path: Path) -> RunError:
    """The error that the process of ``what`` ended before it began, with its last words."""
    return RunError(f"The {what} did not start: {tail(log_path, 3) or 'its process ended without a word.'}")


def _written(run: Run) -> tuple[int, int] | None:
    """Changes whenever a process writes a record of ``run``."""
    try:
        facts = run.metrics_path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process; torchrun passes the signal on to its own."""
    child.terminate()
    try:
        child.wait(ENDING)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
