"""One chain, recomputed from its genesis to its head; it goes on behind an entry that is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from audit.queries import chains
from audit.queries.chains import Connection, StoredHead
from audit.rules.canonical import decode_event
from audit.rules.chain import Broken, Entry, Link, check_event, check_time, first_link, follow
from audit.rules.epochs import Epoch
from audit.rules.findings import Report, VerifiedChain

# After so many findings a chain says nothing new.
MOST_FINDINGS = 20


class ChainPass:
    """`epochs` are all of the log's; `seen` is where the signer stands in this chain, if known."""

    def __init__(
        self,
        connection: Connection,
        head: StoredHead,
        *,
        install: UUID,
        epochs: Sequence[Epoch],
        seen: Link | None,
        report: Report,
    ) -> None:
        self._connection = connection
        self._head = head
        self._epochs = epochs
        self._seen = seen
        self._report = report
        self._fault_count = 0
        self._last_removed = self._said_removed = 0
        self._link = first_link(install, head.ws, head.slot, head.created)
        self._lengths = chains.lengths(connection, head.slot)

    def run(self) -> None:
        """Verify every entry, the head and what the signer saw."""
        lengths = iter(self._lengths)
        epoch, length = next(lengths, (None, 0))
        for entry in chains.entries(self._connection, self._head.ws, after=0):
            while epoch is not None and length < entry.seq:
                epoch, length = next(lengths, (None, 0))
            self._take(entry, epoch)
            if self._fault_count >= MOST_FINDINGS:
                break
        else:
            self._end()
        self._report.chains.append(
            VerifiedChain(
                slot=self._head.slot,
                ws=self._head.ws,
                entry_count=self._link.seq,
                last_at=self._link.at,
                is_whole=not self._fault_count,
            )
        )

    def _take(self, entry: Entry, epoch: int | None) -> None:
        """Recompute an entry that `epoch` fixed (None when none has yet)."""
        try:
            after = follow(self._link, entry)
            check_event(self._link, entry)
            self._check_time(entry, epoch)
            self._note_removed(entry)
        except Broken as fault:
            self._found(fault.code, str(fault))
            after = replace(self._link, seq=entry.seq, hash=entry.hash, at=entry.at)
        self._link = after
        if self._seen and self._seen.seq == after.seq and self._seen.hash != after.hash:
            self._found("H04", f"Entry {after.seq} of chain {after.slot} is not what was signed.")

    def _note_removed(self, entry: Entry) -> None:
        if entry.is_removed:
            self._last_removed = entry.seq
            return
        said = decode_event(entry.body.encode())
        if said["op"] == "retention.prune":
            self._said_removed = max(self._said_removed, said["diff"]["last"][1])

    def _check_time(self, entry: Entry, epoch: int | None) -> None:
        """An entry stands between the epoch that fixed it and the one before that."""
        count = len(self._epochs)
        fixing = count if epoch is None else epoch
        check_time(
            entry,
            self._head.slot,
            floor=self._epochs[fixing - 1].at if 0 < fixing <= count else None,
            ceiling=self._epochs[fixing].at if fixing < count else None,
        )

    def _end(self) -> None:
        slot, last, head = self._head.slot, self._link, self._head
        if last.seq != head.seq:
            self._found("A01", f"Chain {slot} ends at entry {last.seq}; its head says {head.seq}.")
        elif last.hash != head.hash:
            self._found("A01", f"The head of chain {slot} is not its last entry.")
        if self._last_removed > self._said_removed:
            self._found(
                "C01", f"Entry {self._last_removed} of chain {slot} was removed; nothing says so."
            )
        if self._seen and self._seen.seq > last.seq:
            self._found(
                "H03", f"Chain {slot} had {self._seen.seq} entries; it ends at {last.seq} now."
            )

    def _found(self, code: str, sentence: str) -> None:
        self._fault_count += 1
        self._report.broken(Broken(code, sentence))
