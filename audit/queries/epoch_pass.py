"""The epoch log, recomputed: links, heads, checkpoints, and the checkpoint that somebody held."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from audit.queries import chains
from audit.queries.chains import Connection, StoredEpoch, StoredHead
from audit.queries.following import read
from audit.rules.canonical import read_stamp
from audit.rules.chain import Broken, check_epoch, first_link
from audit.rules.epochs import Epoch, Head, next_epoch
from audit.rules.findings import Outside, Report
from audit.rules.hashes import Tree
from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    VerifierKey,
    read_signed_checkpoint,
)

LONGEST_GAP = timedelta(hours=2)
# The signer needs a second; so long without a checkpoint is a signer that does not run.
PATIENCE = timedelta(minutes=2)


class EpochPass:
    """`epochs` holds what was read so far."""

    def __init__(
        self, stored: Sequence[StoredHead], *, outside: Outside, report: Report, now: datetime
    ) -> None:
        self.epochs: list[Epoch] = []
        self._beginnings = {
            head.slot: first_link(stored[0].ws, head.ws, head.slot, head.created).head
            for head in stored
        }
        self._outside = outside
        self._report = report
        self._now = now
        self._heads: dict[int, Head] = {}
        self._tree = Tree()
        self._unsigned: list[Epoch] = []

    def run(self, connection: Connection) -> None:
        """Verify all epochs; stop at the first that does not fit."""
        changes = _changes(connection)
        try:
            for stored in chains.epochs(connection):
                self._take(stored, changes)
        except Broken as fault:
            self._report.broken(fault)
        self._end()

    def _take(
        self, stored: StoredEpoch, changes: Mapping[int, Sequence[tuple[int, int, bytes]]]
    ) -> None:
        epoch, last = read(stored), self.epochs[-1] if self.epochs else None
        for slot, seq, found in changes.get(stored.number, ()):
            self._move(epoch, slot, seq, found)
        check_epoch(
            self._expected(epoch, last), epoch, last=last, chain_count=len(self._beginnings)
        )
        if last and read_stamp(epoch.at) - read_stamp(last.at) > LONGEST_GAP:
            self._report.warn("E05", f"No epoch between {last.at} and {epoch.at}.")
        self.epochs.append(epoch)
        self._tree.append(epoch.leaf())
        self._check_note(epoch, stored.note)
        self._check_held(epoch)

    def _move(self, epoch: Epoch, slot: int, seq: int, found: bytes) -> None:
        if slot not in self._beginnings:
            raise Broken("E06", f"Epoch {epoch.number} names chain {slot}, which is gone.")
        before = self._heads.get(slot, self._beginnings[slot])
        if seq < before.seq:
            raise Broken("A04", f"Chain {slot} goes back in epoch {epoch.number}.")
        self._heads[slot] = Head(slot, before.ws, seq, found) if seq else before

    def _expected(self, epoch: Epoch, last: Epoch | None) -> Epoch:
        """Return the epoch that the entries demand; without the secret its heads are believed."""
        heads = [self._heads[slot] for slot in sorted(self._heads)]
        if [head.slot for head in heads] != list(range(epoch.chains)):
            raise Broken("E06", f"Epoch {epoch.number} does not name all of its chains.")
        secret = self._outside.secret
        expected = next_epoch(last, at=epoch.at, secret=secret or b"", heads=heads)
        return expected if secret else _with_heads(expected, epoch.heads)

    def _check_note(self, epoch: Epoch, note: str | None) -> None:
        if note is None:
            self._unsigned.append(epoch)
            return
        if not self._outside.keys:
            return
        try:
            signed = read_signed_checkpoint(note, self._keys(epoch))
        except (BadSignature, BadNote) as fault:
            code = "K01" if isinstance(fault, BadSignature) else "K02"
            raise Broken(code, f"The checkpoint of epoch {epoch.number}: {fault}") from fault
        if signed != Checkpoint(signed.origin, self._tree.size, self._tree.root()):
            raise Broken("E07", f"The checkpoint of epoch {epoch.number} is of another log.")

    def _keys(self, epoch: Epoch) -> Sequence[VerifierKey]:
        """Return the keys that may have signed this epoch: a key that was replaced may no more."""
        memory = self._outside.memory
        if memory is None:
            return self._outside.keys
        spans = {span.key for span in memory.keys if span.signs(epoch)}
        return [key for key in self._outside.keys if str(key) in spans]

    def _check_held(self, epoch: Epoch) -> None:
        held = self._outside.held
        if held and held.size == self._tree.size and held.root != self._tree.root():
            raise Broken("H04", f"Epochs up to {epoch.number} are not those that were signed.")

    def _end(self) -> None:
        held, size = self._outside.held, self._tree.size
        self._report.epoch_count = size
        if held and held.size > size and not self._report.is_broken:
            self._report.broken(
                Broken(
                    "H03",
                    f"The checkpoint that was held is over {held.size} epochs; here are {size}.",
                )
            )
        late = [one for one in self._unsigned if self._now - read_stamp(one.at) > PATIENCE]
        if late:
            self._report.warn("K04", f"{len(late)} epochs have no checkpoint: no signer runs.")


def _changes(connection: Connection) -> dict[int, list[tuple[int, int, bytes]]]:
    """Return for each epoch the (slot, length, hash of the entry there) that it changed."""
    query = (
        "SELECT c.epoch, c.slot, c.seq, coalesce(e.hash, '') FROM audit_epoch_change c"
        " LEFT JOIN audit_head h ON h.slot = c.slot"
        " LEFT JOIN audit_entry e ON e.ws = h.ws AND e.seq = c.seq ORDER BY c.epoch, c.slot"
    )
    found: dict[int, list[tuple[int, int, bytes]]] = {}
    for epoch, slot, seq, entry_hash in connection.execute(query):
        found.setdefault(epoch, []).append((slot, seq, entry_hash))
    return found


def _with_heads(epoch: Epoch, heads: str) -> Epoch:
    return Epoch(
        number=epoch.number, at=epoch.at, chains=epoch.chains, heads=heads, prev=epoch.prev
    )
