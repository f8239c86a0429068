"""Files in chunks: any size of chunk gives the same rows, with the spreadsheet's numbers."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rules import spreadsheets
from campaigns.rules.spreadsheets import Chunk, Layout, Position, Row, read_chunk

CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=20)


def written(table: Sequence[Sequence[str]], layout: Layout) -> bytes:
    """Return a table as a spreadsheet writes it."""
    text = io.StringIO()
    end = "\r" if layout.line_end == "\r" else "\r\n"
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows(table)
    return text.getvalue().encode(layout.codec)


def chunks(data: bytes, layout: Layout, rows: int, size: int = 1 << 20) -> list[Chunk]:
    """Read a file as an import does: each chunk from where the one before ended."""
    at = Position(0, 1)
    found: list[Chunk] = []
    while not found or not found[-1].is_last:
        file = io.BytesIO(data)
        found.append(read_chunk(file, layout, at, row_limit=rows, byte_limit=size))
        at = found[-1].end
    return found


def rows_of(found: Sequence[Chunk]) -> list[Row]:
    """Return the rows of all chunks."""
    return [row for chunk in found for row in chunk.rows]


def numbered(table: Sequence[Sequence[str]]) -> list[Row]:
    """Return the rows that are not blank, with the numbers that a spreadsheet gives them."""
    return [
        (number, list(cells)) for number, cells in enumerate(table, 1) if "".join(cells).strip()
    ]


@given(TABLE, st.sampled_from(spreadsheets.DELIMITERS), st.integers(1, 7), st.integers(1, 60))
@settings(max_examples=200)
def test_any_chunk_size_gives_the_same_rows(
    table: list[list[str]], delimiter: str, rows: int, size: int
) -> None:
    layout = Layout("utf-8", delimiter)
    data = written(table, layout)
    found = chunks(data, layout, rows, size)
    assert rows_of(found) == numbered(table)
    assert found[-1].end.byte == len(data)
    assert [row for chunk in found for row in chunk.broken] == []


@given(TABLE, st.sampled_from(["utf-16-le", "utf-16-be"]), st.integers(1, 7))
def test_utf_16_is_read_the_same_way(table: list[list[str]], encoding: str, rows: int) -> None:
    layout = Layout(encoding, ",")
    data = written(table, layout)
    assert rows_of(chunks(data, layout, rows)) == numbered(table)


@given(TABLE, st.integers(1, 7))
def test_old_mac_files_are_read_the_same_way(table: list[list[str]], rows: int) -> None:
    plain = [[cell.replace("\r", " ").replace("\n", " ") for cell in row] for row in table]
    layout = Layout("utf-8", ";", "\r")
    data = written(plain, layout)
    assert rows_of(chunks(data, layout, rows)) == numbered(plain)


@given(st.binary(max_size=400), st.integers(1, 5))
def test_any_bytes_are_read_to_their_end(data: bytes, rows: int) -> None:
    layout = Layout("cp1251", ",")
    found = chunks(data, layout, rows)
    assert found[-1].end.byte == len(data)
    numbers = [row[0] for chunk in found for row in (*chunk.rows, *chunk.broken)]
    assert sorted(set(numbers)) == sorted(numbers)
    assert rows_of(found) == rows_of(chunks(data, layout, 1000))


def test_blank_rows_count_and_are_left_out() -> None:
    found = chunks(b"a\n\n  \n,\nb\n", Layout("utf-8", ","), 2)
    assert rows_of(found) == [(1, ["a"]), (5, ["b"])]


def test_a_line_break_in_a_cell_does_not_make_two_rows() -> None:
    found = chunks(b'a,"one\ntwo"\nb,c\n', Layout("utf-8", ","), 1)
    assert rows_of(found) == [(1, ["a", "one\ntwo"]), (2, ["b", "c"])]


def test_an_open_quotation_mark_loses_one_row_and_not_the_file() -> None:
    data = b'a,1\nb,"2\n' + b"".join(b"c%d,3\n" % number for number in range(200))
    found = chunks(data, Layout("utf-8", ","), 50)
    assert [row for chunk in found for row in chunk.broken] == [(2, ['b,"2'])]
    assert [row[0] for row in rows_of(found)] == [1, *range(3, 203)]


def test_an_open_quotation_mark_in_the_last_row_is_found() -> None:
    found = chunks(b'a,1\nb,"2', Layout("utf-8", ","), 50)
    assert found[-1].broken == [(2, ['b,"2'])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_an_endless_line_is_one_broken_row(encoding: str) -> None:
    layout = Layout(encoding, ",")
    text = "a,1\n" + "x" * 3_000_000 + "\nb,2\n"
    found = chunks(text.encode(encoding), layout, 50)
    assert rows_of(found) == [(1, ["a", "1"]), (3, ["b", "2"])]
    assert [row[0] for chunk in found for row in chunk.broken] == [2]


def test_a_chunk_ends_at_its_byte_limit_too() -> None:
    first, *rest = chunks(b"abc\n" * 10, Layout("utf-8", ","), 1000, 8)
    assert len(first.rows) == 2
    assert len(rows_of([first, *rest])) == 10
