"""Many pictures at once: an answer for each, or the reason why there is none; as rows, CSV and Parquet.

>>> rows = predict_many(predictor, from_paths([Path("scans")]))           # doctest: +SKIP
>>> Path("answers.csv").write_bytes(as_csv(rows))                         # doctest: +SKIP
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image
from torch import Tensor, stack

from cnnlab.evaluation.tables import csv_file, parquet_file
from cnnlab.pictures import UnreadableImage, enough, open_picture, png
from cnnlab.prediction.look import look
from cnnlab.prediction.novelty import Novelty
from cnnlab.prediction.predictor import Answer, Predictor
from cnnlab.prediction.preprocess import Prepared, prepare
from cnnlab.prediction.sources import Source

BATCH = 256  # pictures that are in memory at a time
THUMBNAIL = 40  # pixels of a thumbnail's longer side
COLUMNS = ("file", "prediction", "confidence", "probability", "runner_up", "runner_up_confidence", "unlike_training",
           "error")  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One picture's answer, or the ``error`` that left it without one; ``thumbnail`` is a PNG, if it was asked for.

    ``unlike`` tells whether the picture is unlike anything in training, which leaves the answer worthless; None where
    that is not known.
    """

    source: Source
    answer: Answer | None
    error: str = ""
    thumbnail: bytes = b""
    unlike: bool | None = None


def predict_many(
    predictor: Predictor,
    sources: Sequence[Source],
    novelty: Novelty | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    thumbnails: bool = False,
) -> list[Row]:
    """A Row for each of ``sources``, in their order; an unreadable one does not stop the rest.

    With ``novelty`` each tells whether its picture is unlike anything in training.
    """
    rows: list[Row] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(sources), BATCH):
            part = sources[start : start + BATCH]
            read = list(pool.map(lambda source: _read(source, predictor, thumbnails), part))
            rows += _answered(predictor, novelty, part, read)
            on_progress(len(rows), len(sources))
    return rows


def _read(source: Source, predictor: Predictor, thumbnails: bool) -> tuple[Tensor, bytes] | str:
    """The pixels and the thumbnail of ``source``, or why there are none; the picture itself is not kept."""
    try:
        prepared = read_source(source, predictor)
        if prepared.blank:
            return "There is nothing to see: all pixels that go in are alike."
        return prepared.pixels, thumbnail(prepared.given) if thumbnails else b""
    except UnreadableImage as error:
        return str(error)


def read_source(source: Source, predictor: Predictor) -> Prepared:
    """The picture of ``source`` made ready for the network; raises UnreadableImage with a sentence."""
    return prepare(opened(source, predictor), predictor.checkpoint)


def opened(source: Source, predictor: Predictor) -> Image.Image:
    """The picture of ``source`` with as many pixels as the network needs; raises UnreadableImage with a sentence."""
    return open_picture(source.fetch(), least=enough(predictor.checkpoint.image_size))


def _answered(
    predictor: Predictor,
    novelty: Novelty | None,
    part: Sequence[Source],
    read: Sequence[tuple[Tensor, bytes] | str],
) -> Iterator[Row]:
    pixels = [r[0] for r in read if not isinstance(r, str)]
    answers = predictor.answers(stack(pixels)) if pixels else []
    strange: list[bool | None] = [None] * len(pixels)
    if novelty and pixels:
        strange = novelty.unlike_all(look(predictor, stack(pixels))).tolist()
    said = iter(zip(answers, strange, strict=True))
    for source, r in zip(part, read, strict=True):
        if isinstance(r, str):
            yield Row(source, None, r)
        else:
            answer, unlike = next(said)
            yield Row(source, answer, "", r[1], unlike)


def thumbnail(picture: Image.Image, side: int = THUMBNAIL) -> bytes:
    """``picture`` as a PNG, its longer side at most ``side`` pixels."""
    small = picture.copy()
    small.thumbnail((side, side))
    return png(small)


def table(rows: Iterable[Row]) -> dict[str, list[object]]:
    """The rows as columns by name, COLUMNS; numbers are in [0, 1], and what is missing is None."""
    cells = list(map(_cells, rows))
    return {name: [row[place] for row in cells] for place, name in enumerate(COLUMNS)}


def _cells(row: Row) -> tuple[object, ...]:
    if row.answer is None:
        return row.source.name, None, None, None, None, None, None, row.error
    first, second = (*row.answer.top(2), None)[:2]
    assert first
    other = (second.name, second.confidence) if second else (None, None)
    return row.source.name, first.name, first.confidence, first.probability, *other, row.unlike, None


def as_csv(rows: Iterable[Row]) -> bytes:
    """The rows as CSV in UTF-8."""
    return csv_file([COLUMNS, *map(_cells, rows)])


def as_parquet(rows: Iterable[Row]) -> bytes:
    """The rows as Parquet."""
    return parquet_file(table(rows))
