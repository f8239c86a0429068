"""The log's rows in the bytes of a bundle's files, composed by the database and streamed.

COPY in the csv format with control characters as its marks, and another between lines, is
byte-exact: canonical JSON holds none. Each line comes without its line feed.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from audit.queries.chains import Connection
from audit.rules.bundle import SHOWN_OF_SYSTEM, Span

_EXACT = "WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
_BETWEEN = b"\x03"
_AT = "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_TAIL = """',"prev":"', encode(e.prev, 'hex'), '","seq":', e.seq, ',"ws":"', e.ws, '"}'"""
_FULL = f"""concat('{{"at":"', {_AT}, '","ev":', v.body, ',"hash":"', encode(e.hash, 'hex'), '"',
    {_TAIL})"""
_PRUNED = "(SELECT p.leaf FROM audit_pruned p WHERE p.event_id = e.event_id)"
_HIDDEN = f"""concat('{{"at":"', {_AT}, '","hash":"', encode(e.hash, 'hex'), '","leaf":"',
    encode(coalesce(v.leaf, {_PRUNED}), 'hex'), '"', {_TAIL})"""
# Many lines to a row, because what a row costs on its way is more than what a line costs.
_LINES_OF_A_ROW = 128
_GROUPED = """SELECT (SELECT string_agg(one.line, E'\\x03' ORDER BY one.seq) FROM (
        SELECT e.seq, {line} AS line FROM audit_entry e
        LEFT JOIN audit_event v ON v.id = e.event_id WHERE e.ws = %(ws)s
        AND e.seq BETWEEN starts AND least(starts + %(step)s - 1, %(last)s)
    ) AS one) FROM (
        SELECT starts FROM generate_series(%(first)s::bigint, %(last)s, %(step)s) AS starts
        ORDER BY starts
    ) AS rows"""
_FIELDS = """concat('{"field":', to_json(d.field), ',"salt":"', encode(d.salt, 'hex'), '","seq":',
    e.seq, ',"value":', to_json(d.value), '}')"""
_DISCLOSED = (
    "FROM audit_disclosures(%s) d JOIN audit_event v ON v.eid = d.eid JOIN audit_entry e"
    " ON e.event_id = v.id AND e.ws = v.ws WHERE v.ws = %s AND e.seq BETWEEN %s AND %s"
    ' ORDER BY e.seq, d.field COLLATE "C"'
)


def entry_lines(connection: Connection, span: Span) -> Generator[bytes, None, None]:
    """Yield the lines of a workspace's entries; pruned ones show their hash only."""
    line = f"CASE WHEN v.body IS NULL THEN {_HIDDEN} ELSE {_FULL} END"
    wanted = {"ws": span.chain.ws, "first": span.first_seq, "last": span.last_seq}
    yield from _lines(connection, line, wanted)


def system_lines(connection: Connection, span: Span, last_seq: int) -> Generator[bytes, None, None]:
    """Yield the lines of the system chain: hashes, but for what concerns every reader."""
    line = f"CASE WHEN v.op LIKE ANY (%(shown)s) THEN {_FULL} ELSE {_HIDDEN} END"
    shown = [f"{start}%" for start in SHOWN_OF_SYSTEM]
    wanted = {"ws": span.chain.install, "first": 1, "last": last_seq, "shown": shown}
    yield from _lines(connection, line, wanted)


def disclosure_lines(connection: Connection, span: Span) -> Generator[bytes, None, None]:
    """Yield the lines of the personal values that are not erased, by number and field."""
    ws = span.chain.ws
    wanted = [ws, ws, span.first_seq, span.last_seq]
    yield from _copied(connection, f"SELECT {_FIELDS} {_DISCLOSED}", wanted)


def _lines(connection: Connection, line: str, wanted: Mapping[str, Any]) -> Iterator[bytes]:
    wanted = {**wanted, "step": _LINES_OF_A_ROW}
    for row in _copied(connection, _GROUPED.format(line=line), wanted):
        if row:
            yield from row.split(_BETWEEN)


def _copied(
    connection: Connection, query: str, values: Sequence[Any] | Mapping[str, Any]
) -> Iterator[bytes]:
    statement = f"COPY ({query}) TO STDOUT {_EXACT}"
    with connection.cursor() as cursor, cursor.copy(statement, values) as rows:
        for row in rows:
            yield bytes(row[:-1])
