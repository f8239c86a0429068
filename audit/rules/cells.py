"""Cells and lines of the files that we write, safe to open in a spreadsheet.

Here and not with a page, because the evidence's tables and the pages' files share it.
"""

import csv
from collections.abc import Iterable, Iterator

# Spreadsheets take it as a sign of UTF-8.
BYTE_ORDER_MARK = "\ufeff"
# A cell that begins with one of these is a formula to a spreadsheet, the full-width forms included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe goes before."""
    start = cell.lstrip(" \u00a0\ufeff")
    return f"'{cell}" if start.startswith(_FORMULA_STARTS) else cell


def csv_lines(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the mark, the line of titles, then a line for each row; no cell is a formula."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    yield writer.writerow(map(harmless, titles))
    for row in rows:
        yield writer.writerow(map(harmless, row))
