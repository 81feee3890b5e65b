"""Questions to a run, and what it gives away: evaluate, predict, plot, export."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.cli.base import (
    FAILED,
    OK,
    AddCommand,
    Failure,
    add_run,
    add_runs,
    check_file,
    run_of,
    runs_of,
    write_file,
)
from cnnlab.config import SPLITS
from cnnlab.parsing import ConfigError
from cnnlab.paths import expanded
from cnnlab.runs import Run, names_of

if TYPE_CHECKING:
    from cnnlab.datasets import ImageSet
    from cnnlab.evaluation.evaluate import Evaluation
    from cnnlab.prediction.many import Row
    from cnnlab.prediction.predictor import Predictor


def add_commands(command: AddCommand) -> None:
    """Add the commands."""
    evaluate = command("evaluate", "Loss and accuracy of a run, for each class too.", _evaluate)
    add_run(evaluate)
    evaluate.add_argument("--split", choices=SPLITS, default="test", help="which images (default: test)")
    evaluate.add_argument("--report", metavar="FILE.html", type=Path, help="write the whole evaluation as one page")
    evaluate.add_argument("--csv", metavar="FILE.csv", type=Path, help="write each image's answer as a table")
    predict = command("predict", "What a run takes pictures for: files, folders and zips.", _predict)
    add_run(predict)
    predict.add_argument("images", nargs="+", metavar="PATH", help="an image, a folder of images, or a zip")
    predict.add_argument("--csv", metavar="FILE.csv", type=Path, help="write each picture's answer as a table")
    predict.add_argument("--top", type=int, default=3, help="how many classes to name (default: 3); a CSV file has two")
    export = command("export", "Write a run's network into a file that needs PyTorch alone.", _export)
    add_run(export)
    export.add_argument("file", metavar="FILE.pt2", type=Path, help="where to write it")
    for asked in (evaluate, predict, export):
        asked.add_argument("--checkpoint", choices=("best", "last"), help="default: best, else last")
    for asked in (evaluate, predict):
        asked.add_argument("--json", action="store_true", help="print JSON")
    predict.epilog = "Its confidence is calibrated on validation images; its probability is the network's own."
    plot = command("plot", "Draw the curves of a run, or of several over each other, into a file.", _plot)
    add_runs(plot)
    plot.add_argument("file", metavar="FILE", type=Path, help="ends in .html, .png or .svg")
    plot.add_argument("--split", choices=SPLITS, default="val", help="whose curves of several runs (default: val)")


def _evaluate(given: argparse.Namespace) -> int:
    from cnnlab.checkpoints import CheckpointError
    from cnnlab.datasets import DatasetError
    from cnnlab.evaluation.evaluate import CHANGED, evaluate, have_changed

    for path, ending in ((given.report, ".html"), (given.csv, ".csv")):
        check_file(path, ending)
    run = run_of(given)
    try:
        result = evaluate(run, given.split, given.checkpoint)
        if given.split != "train" and have_changed(run, result.version):
            print(f"cnnlab: {CHANGED.format(given.split)}", file=sys.stderr)
    except (CheckpointError, DatasetError) as error:
        raise Failure(str(error)) from error
    _write_evaluation(given, run, result)
    if given.json:
        print(json.dumps(_figures(run, result)))
        return OK
    print(f"{run.name}, {result.checkpoint} checkpoint, {len(result.labels):,} {result.split} images")
    print(f"loss {result.loss:.4f}, accuracy {100 * result.accuracy:.2f} %")
    for c in result.per_class:
        share = "no images" if c.accuracy is None else f"{100 * c.accuracy:.1f} % ({c.correct}/{c.total})"
        print(f"Accuracy of {c.name}: {share}")
    return OK


def _figures(run: Run, result: "Evaluation") -> dict[str, Any]:
    """What JSON says of an evaluation; the confusion's rows are true classes, in the order of ``per_class``."""
    return {
        "run": run.id,
        "checkpoint": result.checkpoint,
        "split": result.split,
        **vars(result.scores),
        "accuracy": result.accuracy,
        "accuracy_interval": result.scores.interval,
        "per_class": [
            {
                "class": c.name,
                "correct": c.correct,
                "total": c.total,
                "accuracy": c.accuracy,
                "precision": c.precision,
                "f1": c.f1,
            }
            for c in result.per_class
        ],
        "confusion": result.confusion.tolist(),
    }


def _write_evaluation(given: argparse.Namespace, run: Run, result: Any) -> None:
    if not (given.report or given.csv):
        return
    try:
        from cnnlab.evaluation.report import predictions_csv, report_html

        if given.csv:
            write_file(given.csv, predictions_csv(result, _files(run, result)))
        if given.report:
            write_file(given.report, report_html(run, result, _images(run, result)).encode())
    except ModuleNotFoundError as error:
        raise Failure(f"Writing that needs the package {error.name}: install requirements.txt.") from error


def _images(run: Run, result: "Evaluation") -> "ImageSet | None":
    from cnnlab.datasets import DatasetError, load, refuse_download
    from cnnlab.evaluation.evaluate import images_of
    from cnnlab.registry import UnknownName

    try:
        refuse_download(run.config.dataset)
        return images_of(result, load(run.config).splits(run.config))
    except (DatasetError, UnknownName) as error:  # they are gone, but the answers were kept
        print(f"cnnlab: The report is without pictures. {error}", file=sys.stderr)
        return None


def _files(run: Run, result: "Evaluation") -> list[str]:
    from cnnlab.datasets import file_names
    from cnnlab.evaluation.evaluate import version_now

    if version_now(run.config) != result.version:  # they are gone, or others, but the answers were kept
        return []
    return file_names(run.config)


def _predict(given: argparse.Namespace) -> int:
    from cnnlab.checkpoints import CheckpointError
    from cnnlab.datasets import DatasetError
    from cnnlab.prediction.many import as_csv, predict_many
    from cnnlab.prediction.novelty import FEW, novelty_of
    from cnnlab.prediction.sources import SourcesError, from_paths

    if given.top < 1:
        raise ConfigError(f"--top {given.top} is not allowed: give a whole number from 1 on, such as 3.")
    for text in given.images:
        if "://" in text:
            raise ConfigError(f"'{text}' is an address, and none is fetched: download the picture, and give its path.")
    check_file(given.csv, ".csv")
    run, novelty = run_of(given), None
    try:
        predictor = _calibrated(run, given.checkpoint)
        try:
            novelty = novelty_of(predictor)
            unsure = FEW if novelty.of_few else ""
        except DatasetError as error:  # without its training images nobody knows what is unlike them
            unsure = f"Whether a picture is unlike its training images is not known. {error}"
        sources = from_paths(expanded(Path(text)) for text in given.images)
        rows = predict_many(predictor, sources, novelty)
        if given.csv:
            write_file(given.csv, as_csv(rows))
    except (CheckpointError, SourcesError) as error:
        raise Failure(str(error)) from error
    if why := predictor.calibration.why:
        print(f"cnnlab: Its confidence is not calibrated. {why}", file=sys.stderr)
    for note in filter(None, (unsure, sources.note)):
        print(f"cnnlab: {note}", file=sys.stderr)
    results = [_prediction(row, given.top) for row in rows]
    if given.json:
        print(json.dumps(results))
    elif given.csv:
        print(
            f"{len(rows):,} pictures in {given.csv}, {sum('error' in r for r in results):,} of them without an answer"
        )
    else:
        print("\n".join(map(_prediction_line, results)))
    return OK if all("predictions" in result for result in results) else FAILED


def _calibrated(run: Run, checkpoint: str | None) -> "Predictor":
    from cnnlab.prediction.predictor import load_predictor
    from cnnlab.prediction.temperature import calibrate

    predictor = load_predictor(run, checkpoint)
    return replace(predictor, calibration=calibrate(run, predictor.name))


def _prediction(row: "Row", top: int) -> dict[str, Any]:
    if row.answer is None:
        return {"path": row.source.name, "error": row.error}
    shares = [{"class": s.name, "probability": s.probability, "confidence": s.confidence} for s in row.answer.top(top)]
    return {"path": row.source.name, "predictions": shares, "unlike_training": row.unlike}


def _prediction_line(result: Mapping[str, Any]) -> str:
    if "error" in result:
        return f"{result['path']}: no answer. {result['error']}"
    return (
        f"{result['path']}: "
        + ", ".join(f"{p['class']} {100 * p['confidence']:.1f} %" for p in result["predictions"])
        + ("; unlike anything in training: do not rely on it" if result["unlike_training"] else "")
    )


def _plot(given: argparse.Namespace) -> int:
    try:
        from cnnlab.figures.comparison import MOST, comparison_figure
        from cnnlab.figures.curves import curves_figure
        from cnnlab.figures.save import ENDINGS, FigureError, saved_figure
    except ModuleNotFoundError as error:
        raise Failure(f"Drawing needs the package {error.name}: install requirements.txt.") from error
    from cnnlab.curves import epoch_length, read_curves

    check_file(given.file, *ENDINGS)
    runs = runs_of(given)
    if len(runs) > MOST:
        raise ConfigError(f"{len(runs)} runs are too many for one figure: give 1 to {MOST}.")
    if len(runs) == 1:
        figure = curves_figure(read_curves(runs[0]), runs[0].name)
    else:
        names = names_of(runs)
        labels = [names[run.id] if len(names) == len(runs) else str(run.path) for run in runs]
        curves = [read_curves(run, epoch_length(run)) for run in runs]
        figure = comparison_figure(dict(zip(labels, curves, strict=True)), given.split)
        if not figure.data:
            raise Failure(f"None of these runs has {given.split} figures: choose others by --split.")
    try:
        write_file(given.file, saved_figure(figure, given.file.suffix.lower()))
    except FigureError as error:
        raise Failure(str(error)) from error
    print(given.file)
    return OK


def _export(given: argparse.Namespace) -> int:
    from cnnlab.checkpoints import CheckpointError
    from cnnlab.prediction.export import ExportError, export_network, shape_of, usage

    check_file(given.file, ".pt2")
    run = run_of(given)
    try:
        predictor = _calibrated(run, given.checkpoint)
        export_network(predictor, given.file)
    except (CheckpointError, ExportError) as error:
        raise Failure(str(error)) from error
    if why := predictor.calibration.why:
        print(f"cnnlab: Its probabilities are not calibrated. {why}", file=sys.stderr)
    shape = ", ".join(map(str, shape_of(predictor)))
    print(f"{given.file}: {run.name}, {predictor.name} checkpoint, takes uint8 [N, {shape}]. To use it:\n")
    print(usage(str(given.file), predictor.checkpoint.config))
    return OK
