"""An evaluation to take away: tables as CSV and Parquet, and one HTML page that needs nothing else.

>>> Path("report.html").write_text(report_html(run, evaluation))          # doctest: +SKIP
"""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.datasets import ImageSet
from cnnlab.evaluation.calibration import coverage_curve, reliability
from cnnlab.evaluation.confusions import confused_pairs
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.evaluation.findings import findings
from cnnlab.evaluation.headline import measures
from cnnlab.evaluation.ranking import FIRST, hardest, in_corner, ranking
from cnnlab.evaluation.tables import csv_file, parquet_file
from cnnlab.metrics import percent
from cnnlab.runs import Run

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PAIRS = 20  # most confused pairs in the report
OTHERS = 3  # classes that a class is most often taken for
COLUMNS, ROWS, CELL = 7, 4, 100  # of the pictures; pixels of each

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1b2430;
       background: #fff; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #d9dee6; padding: 0.25rem 0.8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
"""


def predictions_table(evaluation: Evaluation, files: Sequence[str] = ()) -> dict[str, Sequence[object]]:
    """Columns by name: id, true, predicted, and ``p(class)`` for each class; N rows. ``files`` by id add a file."""
    names = evaluation.class_names
    columns: dict[str, Sequence[object]] = {
        "id": evaluation.ids.tolist(),
        **({"file": [files[id] for id in evaluation.ids.tolist()]} if files else {}),
        "true": [names[c] for c in evaluation.labels],
        "predicted": [names[c] for c in evaluation.predicted],
    }
    return columns | {f"p({name})": evaluation.probabilities[:, c].tolist() for c, name in enumerate(names)}


def predictions_csv(evaluation: Evaluation, files: Sequence[str] = ()) -> bytes:
    """The table of answers as CSV in UTF-8."""
    table = predictions_table(evaluation, files)
    return csv_file([list(table), *zip(*table.values(), strict=True)])


def predictions_parquet(evaluation: Evaluation, files: Sequence[str] = ()) -> bytes:
    """The table of answers as Parquet."""
    return parquet_file(predictions_table(evaluation, files))


def confusion_csv(evaluation: Evaluation) -> bytes:
    """The confusion matrix as CSV: a row for each true class, a column for each predicted one."""
    names = evaluation.class_names
    rows = [[name, *counts] for name, counts in zip(names, evaluation.confusion.tolist(), strict=True)]
    return csv_file([["true \\ predicted", *names], *rows])


def report_html(run: Run, evaluation: Evaluation, images: ImageSet | None = None) -> str:
    """The evaluation as one page: figures with Plotly inside, tables, findings; no request to any server.

    With ``images``, those of the evaluation in its order, it shows the top losses.
    """
    from cnnlab.figures.style import SPLIT_NAMES

    config, found = run.config, evaluation.scores
    title = f"{run.name}: {len(evaluation.labels):,} {SPLIT_NAMES[evaluation.split]} images"
    low, high = found.interval
    headline = [(m.label, m.value, m.baseline or "–") for m in measures(evaluation)]
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(f'{config.model} on {config.dataset}')}, {evaluation.checkpoint} checkpoint.</p>",
        f"<p><b>{percent(found.accuracy)}</b> are recognised ({found.correct:,} of {found.count:,}), with a 95 % "
        f"interval from {percent(low)} to {percent(high)} (Wilson).</p>",
        _table(("", "this run", "the classes' shares as probabilities"), headline),
        *_findings(run, evaluation),
        *_figures(evaluation, images),
        "<h2>Each class</h2>",
        _classes(evaluation),
        "<h2>Most confused pairs</h2>",
        _pairs(evaluation),
    ]
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>"


def _findings(run: Run, evaluation: Evaluation) -> list[str]:
    found = findings(run, evaluation)
    items = [html.escape(f"{f.title}. {f.evidence} {f.action}") for f in found]
    return ["<h2>What to do next</h2>", "<ul>", *(f"<li>{item}</li>" for item in items), "</ul>"] if items else []


def _figures(evaluation: Evaluation, images: ImageSet | None) -> list[str]:
    from cnnlab.figures.calibration import coverage_figure, reliability_figure
    from cnnlab.figures.classes import class_accuracy_figure
    from cnnlab.figures.confusion import confusion_figure
    from cnnlab.figures.ranking import ranking_figure

    e = evaluation
    names, scores = e.class_names, e.per_class
    found = {
        names[c]: ranking(e.probabilities[:, c], e.labels == c) for c in hardest(scores)[:FIRST] if scores[c].f1 != 1
    }
    ranked = {name: r for name, r in found.items() if r}
    figures = {
        "Confusion": confusion_figure(e.confusion, e.confusion.astype(np.float64), names, log=True, height=700),
        "How much of each class is recognised": class_accuracy_figure(names, [s.accuracy for s in scores]),
        "Confidence": reliability_figure(reliability(e.confidence, e.right)),
        "Answering only when sure": coverage_figure(*coverage_curve(e.confidence, e.right), None),
    }
    if ranked:
        curves = {name: (r.precision_recall, r.roc) for name, r in ranked.items()}
        figures["Classes that are hard to tell"] = ranking_figure(curves, in_corner(ranked.values()))
    if images and not e.right.all():
        figures["Top losses: the wrong answers that cost most"] = _top_losses(e, images)
    parts = []
    for number, (title, figure) in enumerate(figures.items()):
        parts.append(f"<h2>{title}</h2>")
        parts.append(figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False}))
    return parts


def _top_losses(e: Evaluation, images: ImageSet) -> "Figure":
    from cnnlab.figures.gallery import answer_caption, gallery_figure
    from cnnlab.figures.style import WRONG, short_names

    places = e.top_losses()[: COLUMNS * ROWS]
    names = short_names(e.class_names, 7)
    captions = [
        answer_caption(names[e.predicted[n]], names[e.labels[n]], False, float(e.confidence[n]), int(e.ids[n]))
        for n in places
    ]
    columns = min(COLUMNS, len(places))
    figure = gallery_figure(images.images[places].numpy(), captions, columns, CELL, [WRONG] * len(places))
    return figure.update_layout(width=figure.layout.meta["width"])


def _classes(evaluation: Evaluation) -> str:
    pairs, names = confused_pairs(evaluation.confusion), evaluation.class_names

    def taken_for(label: int) -> str:
        others = [p for p in pairs if p.true == label]
        more = f" and {len(others) - OTHERS} more" if others[OTHERS:] else ""
        return ", ".join(f"{names[p.predicted]} ({p.count:,})" for p in others[:OTHERS]) + more

    rows = [
        (
            s.name,
            f"{percent(s.accuracy)} ({s.correct:,}/{s.total:,})",
            s.accuracy_interval.percent if s.total else "–",
            percent(s.precision),
            percent(s.f1),
            taken_for(label),
        )
        for label, s in enumerate(evaluation.per_class)
    ]
    return _table(("class", "accuracy", "95 % interval", "precision", "F1", "taken for"), rows)


def _pairs(evaluation: Evaluation) -> str:
    names = evaluation.class_names
    rows = [
        (names[p.true], names[p.predicted], f"{p.count:,}", percent(p.share))
        for p in confused_pairs(evaluation.confusion)[:PAIRS]
    ]
    return _table(("true class", "taken for", "images", "of the true class"), rows) if rows else "<p>None.</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
