"""Lists as files: separated values, read in chunks that can be taken up again at any record's end.

Rows are numbered as the spreadsheet numbers them: the header is row 1, blank rows count, and a cell
with line breaks does not make its row two.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from campaigns.rules.encodings import UTF_8_MARKED

DELIMITERS = (",", ";", "\t", "|")
# A cell may hold line breaks; a quotation mark that never closes must not swallow the file.
LONGEST_RECORD_LINES = 50
LONGEST_LINE_BYTES = 1_000_000
READ_BYTES = 262_144
SHOWN_BYTES = 4_000
SHOWN_CHARACTERS = 1_000

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Layout:
    """How a file is to be cut into cells. `line_end` is LF, or CR in files of old Macs."""

    encoding: str
    delimiter: str
    line_end: str = "\n"

    @property
    def codec(self) -> str:
        """The name under which Python decodes a line from the middle of the file."""
        return "utf-8" if self.encoding == UTF_8_MARKED else self.encoding


@dataclass(frozen=True)
class Position:
    """Where reading goes on: a record's first byte, and its row in the spreadsheet."""

    byte: int
    row: int


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, blank ones left out.

    `broken` are rows that cannot be cut into cells, each with its first line as its only cell.
    `end` is where the next chunk begins; `is_last` says that there is none.
    """

    rows: Sequence[Row]
    broken: Sequence[Row]
    end: Position
    is_last: bool


class _Runaway(Exception):
    """A record goes on for too many lines."""


@dataclass
class _Lines:
    """Gives the csv reader one line of text at a time and counts the bytes that it took."""

    file: BinaryIO
    layout: Layout
    taken_bytes: int
    pending_lines: int = 0
    has_ended: bool = False
    is_cut: bool = False

    def __iter__(self) -> Iterator[str]:
        self.file.seek(self.taken_bytes)
        codec = self.layout.codec
        for line, size in self._lines():
            self.taken_bytes += size
            self.pending_lines += 1
            if self.pending_lines > LONGEST_RECORD_LINES:
                raise _Runaway
            # The database's JSON has no place for NUL, and no list needs one.
            yield line.decode(codec, "replace").replace("\0", "")
        self.has_ended = True

    def _lines(self) -> Iterator[tuple[bytes, int]]:
        """Yield each line with its line end, and how many bytes of the file it stands for."""
        end = self.layout.line_end.encode(self.layout.codec)
        if end != b"\n":
            pieces = _split(self.file, end)
        else:
            pieces = iter(partial(self.file.readline, LONGEST_LINE_BYTES), b"")
        for piece in pieces:
            size = len(piece)
            if size >= LONGEST_LINE_BYTES and not piece.endswith(end):
                self.is_cut = True
                for more in pieces:
                    size += len(more)
                    if more.endswith(end):
                        break
                piece = piece[:SHOWN_BYTES]  # noqa: PLW2901 - the rest is not looked at
            yield piece, size


def _split(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield lines that end with `end`, in pieces of about LONGEST_LINE_BYTES at the most.

    In UTF-16 the two bytes of a line end count only where a character begins.
    """
    width = len(end)
    buffer = b""
    while block := file.read(READ_BYTES):
        buffer += block
        start = search = 0
        while (at := buffer.find(end, search)) >= 0:
            if (at - start) % width:
                search = at + 1
                continue
            yield buffer[start : at + width]
            start = search = at + width
        buffer = buffer[start:]
        if len(buffer) >= LONGEST_LINE_BYTES:
            yield buffer[:LONGEST_LINE_BYTES]
            buffer = buffer[LONGEST_LINE_BYTES:]
    if buffer:
        yield buffer


def read_chunk(
    file: BinaryIO, layout: Layout, at: Position, *, row_limit: int, byte_limit: int
) -> Chunk:
    """Return the rows from a position on, at most so many, and from about so many bytes."""
    rows: list[Row] = []
    broken: list[Row] = []
    end = at
    while True:
        lines = _Lines(file, layout, end.byte)
        try:
            for row in _rows(lines, end.row):
                if row[1]:
                    rows.append(row)
                end = Position(lines.taken_bytes, row[0] + 1)
                if len(rows) >= row_limit or end.byte - at.byte >= byte_limit:
                    return Chunk(rows, broken, end, is_last=False)
            return Chunk(rows, broken, end, is_last=True)
        except (_Runaway, csv.Error):
            lines = _Lines(file, layout, end.byte)
            line = next(iter(lines))
            broken.append((end.row, [line.strip("\r\n")[:SHOWN_CHARACTERS]]))
            end = Position(lines.taken_bytes, end.row + 1)


def _rows(lines: _Lines, first: int) -> Iterator[Row]:
    """Yield every row with its number, blank ones without cells.

    Raises _Runaway and csv.Error for a row that cannot be cut.
    """
    cut = csv.reader(lines, delimiter=lines.layout.delimiter)
    for number, cells in enumerate(cut, first):
        if lines.has_ended or lines.is_cut:
            raise _Runaway
        lines.pending_lines = 0
        yield number, cells if "".join(cells).strip() else []


def first_rows(head: bytes, layout: Layout, start: int, count: int) -> Chunk:
    """Return the first rows of a file of which only the beginning is at hand."""
    return read_chunk(
        io.BytesIO(head), layout, Position(start, 1), row_limit=count, byte_limit=len(head) + 1
    )
