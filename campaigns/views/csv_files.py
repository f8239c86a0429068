"""Files of comma-separated values, written while they are taken.

A file is written after the request's scope is closed: rows that ask the database are a generator
that opens its own.
"""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

from audit.rules.cells import csv_lines

__all__ = ["csv_lines", "csv_response"]


def csv_response(name: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """Answer with lines as a file of this name ("unknown.csv"), which no cache keeps."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
