"""The log's rows in the bytes of a bundle's files, composed by the database and streamed.

COPY in the csv format with control characters as its marks is byte-exact: canonical JSON holds
none. Each line comes without its line feed.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from audit.queries.chains import Connection
from audit.rules.bundle import SHOWN_OF_SYSTEM, Span

_EXACT = "WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
_AT = "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_TAIL = """',"prev":"', encode(e.prev, 'hex'), '","seq":', e.seq, ',"ws":"', e.ws, '"}'"""
_FULL = f"""concat('{{"at":"', {_AT}, '","ev":', v.body, ',"hash":"', encode(e.hash, 'hex'), '"',
    {_TAIL})"""
_PRUNED = "(SELECT p.leaf FROM audit_pruned p WHERE p.event_id = e.event_id)"
_HIDDEN = f"""concat('{{"at":"', {_AT}, '","hash":"', encode(e.hash, 'hex'), '","leaf":"',
    encode(coalesce(v.leaf, {_PRUNED}), 'hex'), '"', {_TAIL})"""
_ENTRIES = (
    "FROM audit_entry e LEFT JOIN audit_event v ON v.id = e.event_id"
    " WHERE e.ws = %s AND e.seq BETWEEN %s AND %s ORDER BY e.seq"
)
_FIELDS = """concat('{"field":', to_json(d.field), ',"salt":"', encode(d.salt, 'hex'), '","seq":',
    e.seq, ',"value":', to_json(d.value), '}')"""
_DISCLOSED = (
    "FROM audit_disclosures(%s) d JOIN audit_event v ON v.eid = d.eid JOIN audit_entry e"
    " ON e.event_id = v.id AND e.ws = v.ws WHERE v.ws = %s AND e.seq BETWEEN %s AND %s"
    ' ORDER BY e.seq, d.field COLLATE "C"'
)
# The twin of rules/cells.py; a test compares them. A look at the first character spares nearly
# every cell the expression, which costs several times as much.
_FIRST = ", ".join(str(ord(one)) for one in " \u00a0\ufeff=+@\t\r\n＝＋－＠-")
_HARMLESS = (
    f"CASE WHEN ascii({{0}}) IN ({_FIRST})"
    " AND {0} ~ '^[ \\u00a0\\ufeff]*[=+@\\t\\r\\n＝＋－＠-]' THEN '''' || {0} ELSE {0} END"
)
_TEXTS = {
    "who": "v.actor_id",
    "operation": "v.op",
    "result": "v.result",
    "about": "v.obj_type",
    "about id": "v.obj_id",
    "reason": "said.why",
    "request": "said.req",
}
_EMPTY = "''"
_COLUMNS = ", ".join(
    [
        'e.seq AS "entry"',
        f'{_AT} AS "recorded"',
        'said.t AS "claimed"',
        *(
            f'{_HARMLESS.format(f"coalesce({text}, {_EMPTY})")} AS "{name}"'
            for name, text in _TEXTS.items()
        ),
        "encode(e.hash, 'hex') AS \"hash\"",
    ]
)
_SAID = (
    "FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"
    " CROSS JOIN LATERAL json_to_record(v.body::json)"
    " AS said (t text, why text, req text)"
    " WHERE e.ws = %s AND e.seq BETWEEN %s AND %s ORDER BY e.seq"
)
ROWS_OF_A_TABLE = 1_000_000
BLOCK = 1 << 16


def entry_lines(connection: Connection, span: Span) -> Generator[bytes, None, None]:
    """Yield the lines of a workspace's entries; pruned ones show their hash only."""
    wanted = [span.chain.ws, span.first_seq, span.last_seq]
    line = f"CASE WHEN v.body IS NULL THEN {_HIDDEN} ELSE {_FULL} END"
    yield from _copied(connection, f"SELECT {line} {_ENTRIES}", wanted)


def system_lines(connection: Connection, span: Span, last_seq: int) -> Generator[bytes, None, None]:
    """Yield the lines of the system chain: hashes, but for what concerns every reader."""
    shown = [f"{start}%" for start in SHOWN_OF_SYSTEM]
    line = f"CASE WHEN v.op LIKE ANY (%s) THEN {_FULL} ELSE {_HIDDEN} END"
    query = f"SELECT {line} {_ENTRIES}"
    yield from _copied(connection, query, [shown, span.chain.install, 1, last_seq])


def disclosure_lines(connection: Connection, span: Span) -> Generator[bytes, None, None]:
    """Yield the lines of the personal values that are not erased, by number and field."""
    ws = span.chain.ws
    wanted = [ws, ws, span.first_seq, span.last_seq]
    yield from _copied(connection, f"SELECT {_FIELDS} {_DISCLOSED}", wanted)


def table_blocks(connection: Connection, span: Span, first: int) -> Generator[bytes, None, None]:
    """Yield entries from `first` on as a table for spreadsheets, as many as one can open."""
    last = min(span.last_seq, first + ROWS_OF_A_TABLE - 1)
    statement = f"COPY (SELECT {_COLUMNS} {_SAID}) TO STDOUT WITH (FORMAT csv, HEADER)"
    with (
        connection.cursor() as cursor,
        cursor.copy(statement, [span.chain.ws, first, last]) as rows,
    ):
        block = bytearray()
        for row in rows:
            block += row
            if len(block) >= BLOCK:
                yield bytes(block)
                block.clear()
        yield bytes(block)


def _copied(connection: Connection, query: str, values: Sequence[Any]) -> Iterator[bytes]:
    statement = f"COPY ({query}) TO STDOUT {_EXACT}"
    with connection.cursor() as cursor, cursor.copy(statement, values) as rows:
        for row in rows:
            yield bytes(row[:-1])
