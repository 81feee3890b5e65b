"""Tables as the bytes of a file, whatever the files that they name are called.

>>> csv_file([["file", "class"], ["a.png", 7]])
b'file,class\\na.png,7\\n'
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from cnnlab.paths import printable


def csv_file(rows: Iterable[Iterable[object]]) -> bytes:
    """``rows``, the first of which is the head, as CSV in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_printable(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def parquet_file(columns: Mapping[str, Sequence[object]]) -> bytes:
    """``columns`` by name as Parquet."""
    import pandas as pd

    buffer = io.BytesIO()
    table = {str(_printable(name)): list(map(_printable, values)) for name, values in columns.items()}
    pd.DataFrame(table).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _printable(cell: object) -> object:
    return printable(cell) if isinstance(cell, str) else cell
