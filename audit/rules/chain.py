"""Following a chain entry by entry: what each entry must be, and what is wrong when it is not.

The codes are those of the published list of checks.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import NotCanonical, decode_event, read_stamp, stamp
from audit.rules.epochs import Epoch, Head


class Broken(ValueError):
    """An entry that cannot be what was written, with its code and a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """One row of a chain as the database holds it, with its event's stored leaf and text.

    `body` is empty where the event was removed after its term; the leaf is what is left of it.
    """

    seq: int
    at: datetime
    prev: bytes
    hash: bytes
    leaf: bytes
    body: str

    @property
    def is_removed(self) -> bool:
        """Say whether only the leaf is left."""
        return not self.body and bool(self.leaf)


@dataclass(frozen=True)
class Link:
    """Where a reader of a chain stands: after entry `seq`, whose hash is `hash`."""

    slot: int
    ws: UUID
    seq: int
    hash: bytes
    at: datetime | None = None

    @property
    def head(self) -> Head:
        """Return the same as the head of an epoch."""
        return Head(self.slot, self.ws, self.seq, self.hash)


def first_link(install: UUID, ws: UUID, slot: int, created: datetime) -> Link:
    """Return the place before a chain's first entry."""
    return Link(slot, ws, 0, hashes.genesis(install, ws, slot, stamp(created)))


def follow(link: Link, entry: Entry) -> Link:
    """Recompute the next entry of a chain and return the place after it; raise Broken."""
    place = f"Entry {entry.seq} of chain {link.slot}"
    if entry.seq != link.seq + 1:
        raise Broken("C03", f"Entry {link.seq + 1} of chain {link.slot} is missing.")
    if entry.prev != link.hash:
        raise Broken("C04", f"{place} does not follow the entry before it.")
    if not entry.is_removed and hashes.leaf_hash(entry.body.encode()) != entry.leaf:
        raise Broken("C05", f"{place}: the event is not the one that was recorded.")
    found = hashes.entry_hash(link.ws, entry.seq, stamp(entry.at), entry.prev, entry.leaf)
    if found != entry.hash:
        raise Broken("C05", f"{place} was changed: its hash does not fit.")
    if link.at and entry.at < link.at:
        raise Broken("C06", f"{place} is earlier than the entry before it.")
    return replace(link, seq=entry.seq, hash=entry.hash, at=entry.at)


def check_epoch(
    expected: Epoch, found: Epoch, *, last: Epoch | None, chain_count: int | None = None
) -> None:
    """Check an epoch against the one that the entries demand and the one before; raise Broken.

    `chain_count` is how many chains exist now; None when nobody knows.
    """
    place = f"Epoch {found.number}"
    if found.number != expected.number:
        raise Broken("E02", f"Epoch {expected.number} is missing.")
    if found.prev != expected.prev:
        raise Broken("E03", f"{place} does not follow the epoch before it.")
    if last and read_stamp(found.at) < read_stamp(last.at):
        raise Broken("E04", f"{place} is earlier than the epoch before it.")
    if (last and found.chains < last.chains) or found.chains > (chain_count or found.chains):
        raise Broken("E06", f"{place} counts {found.chains} chains; one has disappeared.")
    if found.heads != expected.heads:
        raise Broken("A02", f"{place} fixed other heads than the chains have.")


def check_time(entry: Entry, slot: int, *, floor: str | None, ceiling: str | None) -> None:
    """Check an entry against the epochs around it (stamps); raise Broken."""
    place = f"Entry {entry.seq} of chain {slot}"
    if floor and entry.at < read_stamp(floor):
        raise Broken("C13", f"{place} is earlier than the epoch before it.")
    if ceiling and entry.at > read_stamp(ceiling):
        raise Broken("C13", f"{place} is later than the epoch that fixed it.")


def check_event(link: Link, entry: Entry) -> None:
    """Check an entry's event by itself: its form, and that it is this workspace's; raise Broken."""
    if entry.is_removed:
        return
    place = f"Entry {entry.seq} of chain {link.slot}"
    try:
        event = decode_event(entry.body.encode())
    except NotCanonical as fault:
        raise Broken("C07", f"{place} is not in the canonical form: {fault}") from fault
    if event["ws"] != str(link.ws):
        raise Broken("C12", f"{place} holds an event of another workspace.")
