"""Find what a bundle covers: where it may begin, and the epoch with which it ends."""

from datetime import datetime
from uuid import UUID

from audit.queries import chains
from audit.queries.chains import Connection, StoredEpoch
from audit.queries.export_outside import WITNESS
from audit.queries.following import read
from audit.rules.bundle import CannotExport, Chain, Span
from audit.rules.canonical import stamp
from audit.rules.hashes import genesis
from audit.rules.notes import read_checkpoint, read_note

_FIRST_AFTER = (
    "SELECT epoch, body, note FROM audit_epoch WHERE body::json ->> 'at' >= %s"
    " ORDER BY epoch LIMIT 1"
)
_LAST_BEFORE = (
    "SELECT epoch FROM audit_epoch WHERE body::json ->> 'at' <= %s ORDER BY epoch DESC LIMIT 1"
)
_FIXING = (
    "SELECT p.epoch, p.body, p.note FROM audit_event v JOIN audit_entry e ON e.event_id = v.id"
    " JOIN audit_epoch_change c ON c.slot = %s AND c.seq >= e.seq JOIN audit_epoch p"
    " ON p.epoch = c.epoch WHERE v.eid = %s AND v.ws = %s AND e.ws = %s ORDER BY c.epoch LIMIT 1"
)
# The first epoch from there on whose checkpoint a witness signed.
_SEEN = (
    "SELECT p.epoch, p.body, p.note FROM audit_epoch p WHERE p.epoch >= %s AND p.note IS NOT NULL"
    " AND EXISTS (SELECT FROM audit_anchor_receipt r WHERE r.epoch = p.epoch AND r.kind = %s)"
    " ORDER BY p.epoch LIMIT 1"
)
_LENGTH = (
    "SELECT seq FROM audit_epoch_change WHERE slot = %s AND epoch <= %s ORDER BY epoch DESC LIMIT 1"
)


class NotYet(CannotExport):
    """The epoch with which the bundle would end is not fixed, signed or seen yet."""


def find_chain(connection: Connection, ws: UUID) -> Chain:
    """Return a workspace's chain; raise CannotExport when it has none."""
    heads = chains.heads(connection)
    found = next((head for head in heads if head.ws == ws), None)
    if found is None or heads[0].slot != 0:
        raise CannotExport(f"There is no audit log of {ws}.")
    created = stamp(found.created)
    start = genesis(heads[0].ws, ws, found.slot, created)
    return Chain(heads[0].ws, ws, found.slot, created, start)


def find_span(
    connection: Connection,
    chain: Chain,
    *,
    since: datetime | None,
    until: datetime | None,
    forced_by: UUID,
    waits_for_witness: bool = False,
) -> Span:
    """Return what a bundle of a period covers; raise NotYet, or CannotExport.

    `forced_by` is the event that made the sequencer fix an epoch. Without `until` the bundle ends
    with that epoch (with `waits_for_witness` the first from there on that a witness saw), else
    with the first at or after `until`.
    """
    last = _last(connection, chain, until, forced_by)
    if waits_for_witness and until is None:
        last = _seen(connection, last.number)
    if last.note is None:
        raise NotYet("The signer has not signed the last epoch yet.")
    length = _length(connection, chain.slot, last.number)
    if length is None:
        raise CannotExport("The workspace is younger than the period.")
    start_epoch, first_seq = _start(connection, chain, since, last.number)
    checkpoint = read_checkpoint(read_note(last.note).body)
    return Span(
        chain=chain,
        origin=checkpoint.origin,
        first_seq=first_seq,
        start_prev=_hash_before(connection, chain, first_seq),
        start_epoch=start_epoch,
        last_seq=length,
        last_epoch=last.number,
        ends_at=read(last).at,
        note=last.note,
        since=since,
        until=until,
    )


def _last(
    connection: Connection, chain: Chain, until: datetime | None, forced_by: UUID
) -> StoredEpoch:
    if until is None:
        query, values = _FIXING, [chain.slot, forced_by, chain.ws, chain.ws]
    else:
        query, values = _FIRST_AFTER, [stamp(until)]
    found = connection.execute(query, values).fetchone()
    if found is None:
        raise NotYet("The sequencer has not fixed the last epoch yet.")
    return StoredEpoch(*found)


def _seen(connection: Connection, first: int) -> StoredEpoch:
    found = connection.execute(_SEEN, [first, WITNESS]).fetchone()
    if found is None:
        raise NotYet("The witness has not seen the last epoch yet.")
    return StoredEpoch(*found)


def _start(
    connection: Connection, chain: Chain, since: datetime | None, last: int
) -> tuple[int, int]:
    """Return the epoch after whose head the bundle begins (0 for the beginning), and its number."""
    if since is None:
        return 0, 1
    found = connection.execute(_LAST_BEFORE, [stamp(since)]).fetchone()
    epoch = min(found[0], last) if found else 0
    length = _length(connection, chain.slot, epoch) if found else None
    return (epoch, length + 1) if length else (0, 1)


def _length(connection: Connection, slot: int, epoch: int) -> int | None:
    found = connection.execute(_LENGTH, [slot, epoch]).fetchone()
    return found[0] if found else None


def _hash_before(connection: Connection, chain: Chain, first_seq: int) -> bytes:
    if first_seq == 1:
        return chain.genesis
    query = "SELECT hash FROM audit_entry WHERE ws = %s AND seq = %s"
    found = connection.execute(query, [chain.ws, first_seq - 1]).fetchone()
    if found is None:
        raise CannotExport(f"Entry {first_seq - 1} is gone from the log.")
    return bytes(found[0])
