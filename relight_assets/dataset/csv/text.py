"""One way to read CSV text, whatever the size of its cells."""

import csv
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader


def csv_reader(text: str) -> "Reader":
    """A strict reader of comma-separated text; a cell may be as large as the text.

    Its rows raise ``csv.Error`` where a quote is missing or stands at a wrong place.
    """
    # The limit belongs to the process and is asked at every cell, so it is never lowered again: another thread may
    # be reading.  Whoever has the text in memory needs no limit.
    csv.field_size_limit(sys.maxsize)
    return csv.reader(io.StringIO(text, newline=""), strict=True)
