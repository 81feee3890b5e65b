"""The command line, ``python -m cnnlab``: all that the dashboard does with runs, without a browser.

    python -m cnnlab train --recipe quick_digits --lr 0.02
    python -m cnnlab runs

Exit status: 0 done (a stopped training too), 1 failed, 2 wrong arguments. A training's last line on standard output is
its run folder's path.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic_settings import CliSettingsSource, SettingsError

from cnnlab import recipes
from cnnlab.config import TrainConfig, shown
from cnnlab.distributed.ranks import rank, world_size
from cnnlab.parsing import ConfigError, adapt
from cnnlab.paths import runs_dir
from cnnlab.registry import UnknownName
from cnnlab.runs import (
    ENDED,
    Run,
    RunError,
    checked_name,
    create_run,
    find_run,
    list_runs,
    new_folder,
    reopen_run,
)

if TYPE_CHECKING:
    from cnnlab.prediction.many import Row
    from cnnlab.sweeps.folder import SweepFolder
    from cnnlab.sweeps.plan import Plan
    from cnnlab.sweeps.study import Trial

OK, FAILED, WRONG = 0, 1, 2
TRIALS = 20  # of a sweep
SHARED = ("train", "resume")  # what torchrun may start; all else needs but one process


class Failure(Exception):
    """A command that could not do its work: exit status 1, with the message."""


class OneSentenceParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence; argparse would list all the flags before."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"cnnlab: {message[:1].upper()}{message[1:]}. See {self.prog} --help.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Under torchrun rank 0 runs it, and the others train along."""
    if rank() > 0:
        from cnnlab.follow import follow

        return follow()
    try:
        return _run(arguments)
    finally:
        if world_size() > 1:
            from cnnlab.team import dismiss

            dismiss()


def _run(arguments: Sequence[str] | None) -> int:
    parser, sources = _parser()
    try:
        given = parser.parse_args(arguments)
    except SystemExit as end:  # argparse has printed its message
        return int(end.code or 0)
    try:
        if world_size() > 1 and given.command not in SHARED:
            raise ConfigError(f"torchrun cannot share out '{given.command}': start it by python -m cnnlab.")
        if given.command in sources:
            settings = {name: value for name, value in vars(given).items() if name in TrainConfig.model_fields}
            given.settings = _settings(sources[given.command], settings)
        status: int = given.run_command(given)
        return status
    except (ConfigError, RunError, UnknownName) as error:
        return _complain(str(error), WRONG)
    except Failure as error:
        return _complain(str(error), FAILED)
    except BrokenPipeError:  # | head
        sys.stderr.close()
        return OK


def _settings(source: CliSettingsSource[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The TrainConfig's fields among the arguments, lists and JSON decoded."""
    try:
        return source(parsed_args=dict(given))()
    except SettingsError as error:
        raise ConfigError(f"{error}: give a list as JSON or with commas, such as --hidden 128,64.") from None


def _complain(sentence: str, status: int) -> int:
    print(f"cnnlab: {sentence}", file=sys.stderr)
    return status


def _parser() -> tuple[argparse.ArgumentParser, dict[str, CliSettingsSource[Any]]]:
    """The parser, and for each command with all hyperparameters as flags what reads them."""
    parser = OneSentenceParser(prog="python -m cnnlab", description="Train and question convolutional networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
        added.set_defaults(run_command=run)
        return added

    train = command("train", "Train a network; every setting of the dashboard is a flag.", _train)
    train.add_argument("--recipe", metavar="NAME", help="begin with the settings of this recipe")
    train.add_argument("--name", help="the run folder's name; by default recipe, date and time")
    _add_runs_dir(train)
    sweep = command(
        "sweep", "Search over hyperparameters; each trial is a run, the hopeless ones are cut short.", _sweep
    )
    sweep.add_argument("--recipe", metavar="NAME", help="begin with the settings of this recipe")
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="a setting and its values, such as lr=1e-4..1e-1:log or batch_size=32,64,128; once for each setting",
    )
    sweep.add_argument("--trials", type=int, help=f"how many trials, with those of other workers (default: {TRIALS})")
    sweep.add_argument("--name", default="sweep", help="its name; that alone goes on with the sweep, or joins it")
    sweep.add_argument("--storage", metavar="URL", help="a database for workers on other hosts, such as sqlite:///FILE")
    _add_runs_dir(sweep)
    sources = {"train": _add_settings(train), "sweep": _add_settings(sweep)}
    for name, help, run in (
        ("resume", "Go on with a stopped, interrupted or failed run from its last checkpoint.", _resume),
        ("stop", "Ask a training to stop after its step, with all saved.", _stop),
        ("evaluate", "Loss and accuracy of a run, for each class too.", _evaluate),
        ("predict", "What a run takes pictures for: files, folders and zips.", _predict),
        ("plot", "Draw a run's curves into a file.", _plot),
    ):
        added = command(name, help, run)
        added.add_argument("run", metavar="RUN", help="a run's name or folder")
        _add_runs_dir(added)
        if name == "evaluate":
            added.add_argument(
                "--split", choices=("test", "val", "train"), default="test", help="which images (default: test)"
            )
            added.add_argument(
                "--report", metavar="FILE.html", type=Path, help="write the whole evaluation as one page"
            )
            added.add_argument("--csv", metavar="FILE.csv", type=Path, help="write each image's answer as a table")
        if name == "predict":
            added.add_argument("images", nargs="+", metavar="PATH", help="an image, a folder of images, or a zip")
            added.add_argument("--csv", metavar="FILE.csv", type=Path, help="write each picture's answer as a table")
            added.add_argument("--top", type=int, default=3, help="how many classes to name (default: 3)")
        if name in ("evaluate", "predict"):
            added.add_argument("--checkpoint", choices=("best", "last"), help="default: best, else last")
            added.add_argument("--json", action="store_true", help="print JSON")
        if name == "plot":
            added.add_argument("file", metavar="FILE", help="ends in .html, .png or .svg")
    _add_runs_dir(command("runs", "List the runs.", _runs))
    command("recipes", "List the recipes.", _recipes)
    command("models", "List the networks.", _models)
    command("datasets", "List the datasets.", _datasets)
    return parser, sources


def _add_settings(parser: argparse.ArgumentParser) -> CliSettingsSource[Any]:
    """Give ``parser`` a flag for each hyperparameter."""
    fields: Any = TrainConfig  # only its fields are read: it need not be the BaseSettings of the signature
    return CliSettingsSource(
        fields,
        root_parser=parser,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        formatter_class=argparse.HelpFormatter,
    )


def _add_runs_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs-dir", type=Path, metavar="DIR", help="where runs lie; default: CNNLAB_RUNS, else ./runs"
    )


def _folder(given: argparse.Namespace) -> Path:
    chosen: Path | None = given.runs_dir
    return chosen.expanduser().resolve() if chosen else runs_dir()


def _found(given: argparse.Namespace) -> Run:
    return find_run(given.run, _folder(given))


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _train(given: argparse.Namespace) -> int:
    base = recipes.get(given.recipe).config if given.recipe else TrainConfig()
    config = adapt(base, given.settings)
    folder = _folder(given)
    path = folder / checked_name(given.name) if given.name else new_folder(folder, config, given.recipe)
    facts = {"config": config.model_dump(mode="json"), "recipe": given.recipe, "processes": world_size()}
    run, lock = create_run(path, facts)  # before torch is imported: the dashboard waits for the lock
    with lock:
        from cnnlab.train import CHECK_ERRORS, check, versions

        run.add_facts({"versions": versions()})
        try:
            check(config)
        except CHECK_ERRORS as error:
            run.delete_unstarted()
            raise ConfigError(str(error)) from error
        return _do_train(run)


def _resume(given: argparse.Namespace) -> int:
    run = _found(given)
    with reopen_run(run):
        run.add_facts({"processes": world_size()})
        return _do_train(run)


def _do_train(run: Run) -> int:
    from cnnlab.console import ConsoleListener
    from cnnlab.train import train

    listener = ConsoleListener(run.log_path)
    try:
        status = train(run, listener)
    finally:
        listener.close()
    print(run.path, flush=True)
    return FAILED if status == "failed" else OK


def _sweep(given: argparse.Namespace) -> int:
    from cnnlab.sweeps.folder import SweepFolder

    if given.trials is not None and given.trials < 1:
        raise ConfigError(f"--trials {given.trials} is not allowed: give a whole number from 1 on, such as {TRIALS}.")
    folder = SweepFolder(_folder(given), checked_name(given.name))
    with folder.joined() as worker:  # before torch is imported: the dashboard waits for it
        try:
            from cnnlab.sweeps.study import SweepError, open_sweep
            from cnnlab.sweeps.sweep import check_sweep, run_sweep
        except ModuleNotFoundError as error:
            raise Failure(f"A sweep needs the package {error.name}: install requirements.txt.") from error
        from cnnlab.console import ConsoleListener

        try:
            plan = _plan(given, folder)
            check_sweep(plan.config, plan.varied)
            sweep = open_sweep(folder, given.storage)
            trials = run_sweep(sweep, plan, ConsoleListener, worker)
        except SweepError as error:
            raise Failure(str(error)) from error
    _print_trials(folder.name, plan, trials)
    return OK


def _plan(given: argparse.Namespace, folder: "SweepFolder") -> "Plan":
    """What to search for: what the arguments say, or, of a sweep that has begun, what it has searched for until now."""
    from cnnlab.sweeps.plan import Plan
    from cnnlab.sweeps.study import load_sweep

    if given.vary:
        base = adapt(recipes.get(given.recipe).config if given.recipe else TrainConfig(), given.settings)
        return Plan(base, tuple(given.vary), given.trials or TRIALS, given.recipe)
    if given.recipe or given.settings:
        raise ConfigError("Nothing is varied: give --vary, or leave the settings out to go on with a sweep.")
    plan = load_sweep(folder, given.storage).plan()
    if plan is None:
        raise ConfigError(f"The sweep '{folder.name}' has only just begun: try again in a moment.")
    return replace(plan, trials=given.trials or plan.trials)


def _print_trials(name: str, plan: "Plan", trials: "list[Trial]") -> None:
    from cnnlab.console import print_table

    names = [setting.name for setting in plan.varied]
    print_table(
        f"Sweep {name}, the best first",
        ("run", *names, "state", "validation accuracy"),
        (
            (
                t.run or "–",
                *(shown(t.settings[name]) if name in t.settings else "–" for name in names),
                t.state,
                t.reason if t.accuracy is None else f"{100 * t.accuracy:.2f} %",
            )
            for t in sorted(trials, key=lambda trial: -(trial.accuracy or 0.0))
        ),
    )


def _stop(given: argparse.Namespace) -> int:
    run = _found(given)
    state = run.state()
    if state in ENDED or state == "interrupted":
        raise RunError(f"{run.name} is {state}: there is nothing to stop.")
    run.request_stop()
    if not run.wait_until_ended(60):
        raise Failure(f"{run.name} was asked to stop and has not ended after 60 s; it will after its step.")
    print(f"{run.name} is {run.state()}.")
    return OK


# ── questions to a run ────────────────────────────────────────────────────────────────────────────────────────────


def _evaluate(given: argparse.Namespace) -> int:
    from cnnlab.checkpoints import CheckpointError
    from cnnlab.datasets import DatasetError
    from cnnlab.evaluation.evaluate import evaluate

    for path, ending in ((given.report, ".html"), (given.csv, ".csv")):
        if path and path.suffix.lower() != ending:
            raise ConfigError(f"'{path.name}' is not allowed: let the file end in {ending}.")
    run = _found(given)
    try:
        result = evaluate(run, given.split, given.checkpoint)
    except (CheckpointError, DatasetError) as error:
        raise Failure(str(error)) from error
    _write_evaluation(given, run, result)
    classes: list[dict[str, Any]] = [
        {"class": c.name, "correct": c.correct, "total": c.total, "accuracy": c.accuracy} for c in result.per_class
    ]
    figures = {"loss": result.loss, "accuracy": result.accuracy, "count": len(result.labels), "per_class": classes}
    if given.json:
        print(json.dumps(figures))
        return OK
    print(f"{run.name}, {result.checkpoint} checkpoint, {len(result.labels):,} {result.split} images")
    print(f"loss {result.loss:.4f}, accuracy {100 * result.accuracy:.2f} %")
    for c in result.per_class:
        share = "no images" if c.accuracy is None else f"{100 * c.accuracy:.1f} % ({c.correct}/{c.total})"
        print(f"Accuracy of {c.name}: {share}")
    return OK


def _write_evaluation(given: argparse.Namespace, run: Run, result: Any) -> None:
    if not (given.report or given.csv):
        return
    try:
        from cnnlab.evaluation.report import predictions_csv, report_html

        if given.csv:
            given.csv.write_bytes(predictions_csv(result))
        if given.report:
            given.report.write_text(report_html(run, result), "utf-8")
    except ModuleNotFoundError as error:
        raise Failure(f"Writing that needs the package {error.name}: install requirements.txt.") from error
    except OSError as error:
        raise Failure(f"{error.filename} cannot be written ({error.strerror}).") from error


def _predict(given: argparse.Namespace) -> int:
    from cnnlab.checkpoints import CheckpointError
    from cnnlab.datasets import DatasetError
    from cnnlab.prediction.many import as_csv, predict_many
    from cnnlab.prediction.novelty import novelty_of
    from cnnlab.prediction.predictor import load_predictor
    from cnnlab.prediction.sources import SourcesError, from_paths
    from cnnlab.prediction.temperature import calibrate

    if given.top < 1:
        raise ConfigError(f"--top {given.top} is not allowed: give a whole number from 1 on, such as 3.")
    if given.csv and given.csv.suffix.lower() != ".csv":
        raise ConfigError(f"'{given.csv.name}' is not allowed: let the file end in .csv.")
    run, novelty = _found(given), None
    try:
        predictor = load_predictor(run, given.checkpoint)
        predictor = replace(predictor, calibration=calibrate(run, predictor.name))
        with suppress(DatasetError):  # without its training images nobody knows what is unlike them
            novelty = novelty_of(predictor)
        rows = predict_many(predictor, from_paths(map(Path, given.images)), novelty)
        if given.csv:
            given.csv.write_bytes(as_csv(rows))
    except (CheckpointError, SourcesError) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{error.filename} cannot be written ({error.strerror}).") from error
    results = [_prediction(row, given.top) for row in rows]
    if given.json:
        print(json.dumps(results))
    elif given.csv:
        print(f"{len(rows):,} pictures in {given.csv}, {sum('error' in r for r in results):,} of them unreadable")
    else:
        print("\n".join(map(_prediction_line, results)))
    return OK if any("predictions" in result for result in results) else FAILED


def _prediction(row: "Row", top: int) -> dict[str, Any]:
    if row.answer is None:
        return {"path": row.source.name, "error": row.error}
    shares = [{"class": s.name, "probability": s.probability, "confidence": s.confidence} for s in row.answer.top(top)]
    return {"path": row.source.name, "predictions": shares, "unlike_training": row.unlike}


def _prediction_line(result: Mapping[str, Any]) -> str:
    if "error" in result:
        return f"{result['path']}: unreadable. {result['error']}"
    return (
        f"{result['path']}: "
        + ", ".join(f"{p['class']} {100 * p['confidence']:.1f} %" for p in result["predictions"])
        + ("; unlike anything in training: do not rely on it" if result["unlike_training"] else "")
    )


def _plot(given: argparse.Namespace) -> int:
    try:
        from cnnlab.figures.curves import curves_figure
        from cnnlab.figures.save import FigureError, save_figure
    except ModuleNotFoundError as error:
        raise Failure(f"Drawing needs the package {error.name}: install requirements.txt.") from error
    from cnnlab.curves import read_curves

    run = _found(given)
    try:
        save_figure(curves_figure(read_curves(run), run.name), Path(given.file))
    except FigureError as error:
        raise Failure(str(error)) from error
    print(given.file)
    return OK


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _runs(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.summary import summarise

    folder = _folder(given)
    rows = []
    for run in list_runs(folder):
        try:
            facts = summarise(run)
        except RunError as error:
            print(f"cnnlab: {error}", file=sys.stderr)
            continue
        best = f"{100 * facts.best_accuracy:.2f} %" if facts.best_accuracy is not None else "–"
        age = datetime.fromtimestamp(facts.created).strftime("%Y-%m-%d %H:%M")
        rows.append(
            (
                run.name,
                facts.state,
                facts.recipe or "–",
                facts.dataset,
                f"{facts.epoch}/{facts.epochs}",
                best,
                str(timedelta(seconds=round(facts.duration))),
                age,
            )
        )
    columns = ("run", "state", "recipe", "dataset", "epoch", "best validation accuracy", "duration", "created")
    print_table(f"{len(rows)} runs in {folder}", columns, rows)
    return OK


def _recipes(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table

    rows = []
    for name in recipes.RECIPES:
        recipe = recipes.get(name)
        c = recipe.config
        rows.append(
            (name, c.model, c.dataset, f"{c.optimizer} lr {c.lr:g}", str(c.batch_size), str(c.epochs), recipe.summary)
        )
    print_table("Recipes", ("recipe", "network", "dataset", "optimiser", "batch", "epochs", "what it is"), rows)
    return OK


def _models(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.models import MODELS, count_parameters, outline

    rows = []
    for name in MODELS:
        config = TrainConfig(model=name)
        grey = count_parameters(outline(config, 1, 28, 10))
        colour = count_parameters(outline(config, 3, 32, 10))
        rows.append((name, f"{grey:,}", f"{colour:,}", MODELS.get(name).summary))
    columns = ("network", "parameters at 28×28×1", "at 32×32×3", "what it is")
    print_table("Networks, for 10 classes", columns, rows)
    return OK


def _datasets(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.datasets import DATASETS

    rows = []
    for name in DATASETS:
        d = DATASETS.get(name)
        size = f"{d.image_size}×{d.image_size}×{d.in_channels}"
        here = "yes" if d.is_here() else f"no, {d.download_mb} MB to download"
        rows.append((name, size, str(d.num_classes), f"{d.train_count:,}", f"{d.test_count:,}", here, d.summary))
    rows.append(
        ("folder:PATH", "any", "any", "–", "–", "–", "Your own images: PATH/class/… or PATH/train|val|test/class/…")
    )
    print_table("Datasets", ("dataset", "images", "classes", "train", "test", "here", "what it is"), rows)
    return OK
