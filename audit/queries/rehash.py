"""Every entry of a chain hashed again inside the database: seconds for a million of them.

It says where something is wrong; `verify_audit` says it entry by entry and in the words of the
published checks.
"""

from datetime import datetime

from audit.queries.chains import Connection, StoredHead
from audit.rules.chain import Broken, Link, first_link
from audit.rules.findings import Report, VerifiedChain

AT_ONCE = 20_000
MOST_FINDINGS = 20

# Faults of entries: (number, code). An entry whose event is gone has no leaf, so its hash fails.
_FAULTS = """
SELECT f.seq, f.code FROM (
    SELECT n.seq, CASE
        WHEN n.seq > 1 AND b.seq IS NULL THEN 'C03'
        WHEN n.prev <> coalesce(b.hash, %(genesis)s) THEN 'C04'
        WHEN v.leaf <> sha256('\\x00'::bytea || convert_to(v.body, 'UTF8')) THEN 'C05'
        WHEN n.hash <> sha256(convert_to(concat_ws(E'\\n', 'smsc-audit-entry/v1', n.ws, n.seq,
            to_char(n.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            encode(n.prev, 'hex'), encode(coalesce(v.leaf, p.leaf, ''), 'hex')) || E'\\n', 'UTF8'))
            THEN 'C05'
        WHEN n.at < b.at THEN 'C06'
        WHEN v.ws <> n.ws THEN 'C12'
    END AS code
    FROM audit_entry n
    LEFT JOIN audit_entry b ON b.ws = n.ws AND b.seq = n.seq - 1
    LEFT JOIN audit_event v ON v.id = n.event_id
    LEFT JOIN audit_pruned p ON p.event_id = n.event_id
    WHERE n.ws = %(ws)s AND n.seq > %(after)s AND n.seq <= %(until)s
) f WHERE f.code IS NOT NULL ORDER BY f.seq LIMIT %(most)s
"""
_END = """
SELECT count(*), max(n.seq), max(n.at), (
    SELECT e.hash FROM audit_entry e WHERE e.ws = %(ws)s ORDER BY e.seq DESC LIMIT 1)
FROM audit_entry n WHERE n.ws = %(ws)s
"""
# The last entry that was removed, and the last that an entry of the same chain says was removed.
_REMOVED = """
SELECT (SELECT max(n.seq) FROM audit_entry n JOIN audit_pruned p ON p.event_id = n.event_id
        WHERE n.ws = %(ws)s),
    (SELECT max((v.body::json #>> '{diff,last,1}')::bigint) FROM audit_event v
     JOIN audit_entry n ON n.event_id = v.id WHERE v.ws = %(ws)s AND v.op = 'retention.prune')
"""
_SENTENCES = {
    "C03": "Entry {before} of chain {slot} is missing.",
    "C04": "Entry {seq} of chain {slot} does not follow the entry before it.",
    "C05": "Entry {seq} of chain {slot} was changed: its hash does not fit.",
    "C06": "Entry {seq} of chain {slot} is earlier than the entry before it.",
    "C12": "Entry {seq} of chain {slot} holds an event of another workspace.",
}


def rehash(
    connection: Connection, head: StoredHead, *, install: StoredHead, report: Report
) -> None:
    """Hash a chain again from its genesis to its head; the report gets what is wrong."""
    link = first_link(install.ws, head.ws, head.slot, head.created)
    faults = _faults(connection, link, head.seq)
    for seq, code in faults[:MOST_FINDINGS]:
        sentence = _SENTENCES[code].format(seq=seq, before=seq - 1, slot=head.slot)
        report.broken(Broken(code, sentence))
    before = len(report.findings)
    count, last_at = _check_end(connection, head, link, report)
    _check_removed(connection, head, report)
    is_whole = not faults and len(report.findings) == before
    report.chains.append(VerifiedChain(head.slot, head.ws, count, last_at, is_whole))


def _faults(connection: Connection, link: Link, until: int) -> list[tuple[int, str]]:
    """Return the first faults of a chain up to its head, and of one range behind it."""
    found: list[tuple[int, str]] = []
    values = {"ws": link.ws, "genesis": link.hash, "most": MOST_FINDINGS}
    for after in range(0, until + AT_ONCE, AT_ONCE):
        span = {"after": after, "until": after + AT_ONCE}
        found += connection.execute(_FAULTS, values | span).fetchall()
        if len(found) >= MOST_FINDINGS:
            break
    return found


def _check_end(
    connection: Connection, head: StoredHead, link: Link, report: Report
) -> tuple[int, datetime | None]:
    found = connection.execute(_END, {"ws": head.ws}).fetchone()
    count, last, last_at, last_hash = found or (0, None, None, None)
    if (last or 0) != head.seq:
        sentence = f"Chain {head.slot} ends at entry {last or 0}; its head says {head.seq}."
        report.broken(Broken("A01", sentence))
    elif (last_hash or link.hash) != head.hash:
        report.broken(Broken("A01", f"The head of chain {head.slot} is not its last entry."))
    elif count != head.seq:
        report.broken(Broken("C03", f"Entries of chain {head.slot} are missing or there twice."))
    return count, last_at


def _check_removed(connection: Connection, head: StoredHead, report: Report) -> None:
    found = connection.execute(_REMOVED, {"ws": head.ws}).fetchone()
    last, said = found or (None, None)
    if last is not None and (said is None or last > said):
        sentence = f"Entry {last} of chain {head.slot} was removed, and no entry says so."
        report.broken(Broken("C01", sentence))
