"""The nightly check: the guards, every chain, the epochs, and what was there the night before."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from audit.queries import chains
from audit.queries.chains import Connection, StoredHead
from audit.queries.epoch_pass import EpochPass
from audit.queries.guards import check_guards
from audit.queries.rehash import rehash
from audit.rules.chain import Broken, Link
from audit.rules.checked import Checked
from audit.rules.findings import Outside, Report
from audit.rules.notes import VerifierKey, read_key

_LOST = """
SELECT count(*) FROM audit_event v
WHERE NOT EXISTS (SELECT FROM audit_entry e WHERE e.event_id = v.id)
  AND NOT EXISTS (SELECT FROM audit_pending p WHERE p.event_id = v.id)
"""


def check(
    connection: Connection, *, before: Checked | None, outside: Outside, now: datetime
) -> tuple[Report, Checked | None]:
    """Check the database as it is at one moment, against `before` and what is outside.

    Return too where the chains stand now, to be remembered when nothing is wrong; None before the
    installation. The connection must see every workspace.
    """
    report = Report()
    with chains.snapshot(connection):
        check_guards(connection, report)
        heads = chains.heads(connection)
        if not heads:
            return report, None
        for head in heads:
            rehash(connection, head, install=heads[0], report=report)
        _check_seen(connection, heads, _seen(before, outside), report)
        keys = outside.keys or _published_keys(connection)
        EpochPass(heads, outside=replace(outside, keys=keys), report=report, now=now).run(
            connection
        )
        _check_lost(connection, report)
    links = tuple(Link(head.slot, head.ws, head.seq, head.hash) for head in heads)
    return report, Checked(heads[0].ws, now, links)


def _seen(before: Checked | None, outside: Outside) -> Iterable[Link]:
    yield from before.links if before else ()
    yield from outside.memory.links if outside.memory else ()


def _check_seen(
    connection: Connection, heads: Sequence[StoredHead], seen: Iterable[Link], report: Report
) -> None:
    """Compare the chains with where they stood before."""
    now = {(head.slot, head.ws): head for head in heads}
    for link in seen:
        head = now.get((link.slot, link.ws))
        if head is None:
            report.broken(Broken("E06", f"Chain {link.slot} of {link.ws} has disappeared."))
        elif head.seq < link.seq:
            sentence = f"Chain {link.slot} had {link.seq} entries; it ends at {head.seq} now."
            report.broken(Broken("H03", sentence))
        elif link.seq and _hash_of(connection, link) != link.hash:
            sentence = f"Entry {link.seq} of chain {link.slot} is not the one that was there."
            report.broken(Broken("H04", sentence))


def _hash_of(connection: Connection, link: Link) -> bytes | None:
    query = "SELECT hash FROM audit_entry WHERE ws = %s AND seq = %s"
    found = connection.execute(query, [link.ws, link.seq]).fetchone()
    return bytes(found[0]) if found else None


def _published_keys(connection: Connection) -> tuple[VerifierKey, ...]:
    """Return the keys that the signer published here: weaker than a key that lies outside."""
    rows = connection.execute("SELECT key FROM audit_log_key ORDER BY first_epoch").fetchall()
    return tuple(read_key(text) for (text,) in rows)


def _check_lost(connection: Connection, report: Report) -> None:
    found = connection.execute(_LOST).fetchone()
    if found and found[0]:
        sentence = f"{found[0]} events were recorded and taken out of the queue for a number."
        report.broken(Broken("N02", sentence))
