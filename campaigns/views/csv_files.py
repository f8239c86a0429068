"""Files of comma-separated values, written while they are taken."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

from campaigns.rules.cells import harmless

# Spreadsheets take it as a sign of UTF-8.
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the mark, the line of titles, then a line for each row; no cell is a formula.

    A file is written after the request's scope is closed: `rows` that ask the database are a
    generator that opens its own.
    """
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    yield writer.writerow(map(harmless, titles))
    for row in rows:
        yield writer.writerow(map(harmless, row))


def csv_response(name: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """Answer with lines as a file of this name ("unknown.csv"), which no cache keeps."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
