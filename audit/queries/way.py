"""The way from an entry to a signed checkpoint, short enough to stand beside one message.

From the entry the next ones lead, as hashes only, to the head that an epoch fixed; a path leads
from there to the epoch's line, and another from the line to the root that is signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from audit.models import Entry, Epoch, EpochChange
from audit.models import Head as StoredHead
from audit.queries.system import every_chain
from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.epochs import read_epoch
from audit.rules.notes import read_checkpoint, read_note

_HEADS = """
SELECT h.slot, h.ws, c.seq, e.hash, h.created FROM audit_head h
JOIN LATERAL (
    SELECT c.seq FROM audit_epoch_change c
    WHERE c.slot = h.slot AND c.epoch <= %s ORDER BY c.epoch DESC LIMIT 1) c ON true
LEFT JOIN audit_entry e ON e.ws = h.ws AND e.seq = c.seq
ORDER BY h.slot
"""
# An event that was removed after its term has left its leaf.
_LINKS = """
SELECT e.at, coalesce(v.leaf, p.leaf) FROM audit_entry e
LEFT JOIN audit_event v ON v.id = e.event_id
LEFT JOIN audit_pruned p ON p.event_id = e.event_id
WHERE e.ws = %s AND e.seq > %s AND e.seq <= %s ORDER BY e.seq
"""
_REMOVED = "SELECT EXISTS (SELECT FROM audit_pruned WHERE eid = ANY (%s))"


class NotSignedYet(LookupError):
    """The entry has no number yet, or no checkpoint covers it: a matter of seconds, else of an
    hour.
    """


class NoWay(RuntimeError):
    """The log does not lead from the entry to the checkpoint: it was changed, or the site's secret
    is another one.
    """


@dataclass(frozen=True)
class FixedHead:
    """Where an epoch fixed the chain, and its path in the tree of heads; hashes in hex."""

    epoch: int
    seq: int
    hash: str
    nonce: str
    proof: tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """An entry (`event` is its canonical text) and what leads from it to the signed root.

    `links` are (at, leaf) of the entries after it up to the head; `epoch` is the epoch's line and
    `path` the line's path in the tree of epochs.
    """

    seq: int
    at: str
    prev: str
    event: str
    links: tuple[tuple[str, str], ...]
    head: FixedHead
    epoch: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Ways:
    """The ways of several entries of one chain, all to one signed checkpoint."""

    install: UUID
    workspace: UUID
    slot: int
    origin: str
    checkpoint: str
    ways: Mapping[UUID, Way]


def ways(workspace: UUID, eids: Sequence[UUID], *, secret: bytes) -> Ways:
    """Return the ways of these events' entries to the newest signed checkpoint.

    `secret` is the site's, of which the nonces of heads are made. Raises NotSignedYet, NoWay.
    """
    with every_chain():
        chain = StoredHead.objects.get(ws=workspace)
        signed = Epoch.objects.filter(note__isnull=False).order_by("-epoch").first()
        if signed is None or signed.note is None:
            raise NotSignedYet("No checkpoint is signed yet.")
        found = Entry.objects.filter(ws=workspace, event__eid__in=eids).select_related("event")
        entries = {entry.event.eid: entry for entry in found}
        if len(entries) < len(set(eids)):
            raise _why_missing(eids)
        reader = _Reader(chain, signed, secret)
        return Ways(
            install=StoredHead.objects.get(slot=0).ws,
            workspace=workspace,
            slot=chain.slot,
            origin=reader.checkpoint.origin,
            checkpoint=signed.note,
            ways={eid: reader.way(entry) for eid, entry in entries.items()},
        )


class _Reader:
    """Finds ways within one chain under one checkpoint; what they share is read once."""

    def __init__(self, chain: StoredHead, signed: Epoch, secret: bytes) -> None:
        self._chain = chain
        self._secret = secret
        self._last = signed.epoch
        self.checkpoint = read_checkpoint(read_note(signed.note or "").body)
        lines = Epoch.objects.filter(epoch__lte=signed.epoch).order_by("epoch")
        self._epochs = list(lines.values_list("body", flat=True))
        self._leaves = [hashes.leaf_hash(line.encode()) for line in self._epochs]
        if hashes.tree_root(self._leaves) != self.checkpoint.root:
            raise NoWay("The epochs are not those that the checkpoint signs.")

    def way(self, entry: Entry) -> Way:
        """Return the way of one entry; raise NotSignedYet, NoWay."""
        fixed = (
            EpochChange.objects.filter(
                slot=self._chain.slot, seq__gte=entry.seq, epoch__lte=self._last
            )
            .order_by("epoch")
            .first()
        )
        if fixed is None:
            raise NotSignedYet("No checkpoint covers the entry yet.")
        return Way(
            seq=entry.seq,
            at=stamp(entry.at),
            prev=bytes(entry.prev).hex(),
            event=entry.event.body,
            links=tuple(self._links(entry.seq, fixed.seq)),
            head=self._head(fixed.epoch),
            epoch=self._epochs[fixed.epoch],
            path=_hex(hashes.inclusion_proof(self._leaves, fixed.epoch)),
        )

    def _links(self, after: int, until: int) -> list[tuple[str, str]]:
        rows = _rows(_LINKS, [self._chain.ws, after, until])
        if len(rows) != until - after or not all(leaf for _, leaf in rows):
            raise NoWay("Entries are missing.")
        return [(stamp(at), bytes(leaf).hex()) for at, leaf in rows]

    def _head(self, epoch: int) -> FixedHead:
        rows = _rows(_HEADS, [epoch])
        install = rows[0][1]
        texts = [self._text(install, epoch, *row) for row in rows]
        leaves = [hashes.leaf_hash(text) for text in texts]
        if hashes.tree_root(leaves).hex() != read_epoch(self._epochs[epoch].encode()).heads:
            raise NoWay("The heads are not those that the epoch fixed, or the secret is another.")
        _head, _slot, _ws, seq, found, nonce = texts[self._chain.slot].decode().split("\n")[:6]
        proof = _hex(hashes.inclusion_proof(leaves, self._chain.slot))
        return FixedHead(epoch, int(seq), found, nonce, proof)

    def _text(
        self,
        install: UUID,
        epoch: int,
        slot: int,
        ws: UUID,
        seq: int,
        found: bytes | None,
        created: datetime,
    ) -> bytes:
        head = bytes(found) if found else hashes.genesis(install, ws, slot, stamp(created))
        return hashes.head_text(slot, ws, seq, head, hashes.nonce(self._secret, epoch, slot))


def _why_missing(eids: Sequence[UUID]) -> Exception:
    """Return why an event has no entry that can be shown."""
    [[is_removed]] = _rows(_REMOVED, [list(eids)])
    if is_removed:
        return NoWay("The entry that sealed it was removed when its term was over.")
    return NotSignedYet("The entry has no number yet.")


def _rows(statement: str, values: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _hex(path: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(step.hex() for step in path)
