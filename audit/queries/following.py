"""Follow the log from where one stood: recompute what is new, notice what is not as it was."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.queries import chains
from audit.queries.chains import Connection, StoredEpoch, StoredHead
from audit.rules.canonical import NotCanonical
from audit.rules.chain import (
    Broken,
    Link,
    check_epoch,
    check_event,
    check_time,
    first_link,
    follow,
)
from audit.rules.epochs import Epoch, next_epoch, read_epoch
from audit.rules.hashes import Tree
from audit.rules.memory import Memory


@dataclass(frozen=True)
class Fixed:
    """An epoch that was recomputed: the tree over all epochs up to it may be signed."""

    epoch: Epoch
    root: bytes


class Follower:
    """Stands where `memory` says, and moves on by `catch_up`. `secret` keys the nonces of heads."""

    def __init__(self, memory: Memory, *, secret: bytes) -> None:
        self.memory = memory
        self._secret = secret
        self._tree = Tree()

    def recall(self, connection: Connection) -> list[Fixed]:
        """Compare the whole epoch log with the memory, once; return what has no note in it yet.

        Raises Broken when the log is shorter than it was, or another one.
        """
        unsigned: list[Fixed] = []
        for stored in chains.epochs(connection):
            if stored.number >= self.memory.size:
                break
            epoch = read(stored)
            self._tree.append(epoch.leaf())
            if stored.note is None:
                unsigned.append(Fixed(epoch, self._tree.root()))
        if self._tree.size < self.memory.size:
            raise Broken("H03", f"The epoch log had {self.memory.size} epochs; some are gone.")
        if self._tree.root() != self.memory.root:
            raise Broken("H04", "The epoch log was rewritten: it has another root than we signed.")
        return unsigned

    def catch_up(self, connection: Connection) -> list[Fixed]:
        """Recompute everything new and return the epochs among it; raise Broken.

        The memory moves only when all of it is right.
        """
        with chains.snapshot(connection):
            heads = chains.heads(connection)
            reader = _Reader(connection, self._secret, self.memory.epoch, self._links(heads))
            new = reader.read_epochs(self.memory)
            reader.read_rest(heads)
        fixed = []
        for epoch in new:
            self._tree.append(epoch.leaf())
            fixed.append(Fixed(epoch, self._tree.root()))
        self.memory = replace(
            self.memory, epoch=reader.last, root=self._tree.root(), links=tuple(reader.links)
        )
        return fixed

    def _links(self, heads: Sequence[StoredHead]) -> list[Link]:
        """Return where we stand in every chain that exists; raise Broken when one went back."""
        links = list(self.memory.links)
        for link, head in zip(links, heads, strict=False):
            if (head.slot, head.ws) != (link.slot, link.ws):
                raise Broken("E06", f"Chain {link.slot} is no longer that of {link.ws}.")
            if head.seq < link.seq:
                raise Broken("A04", f"Chain {link.slot} went back from {link.seq} to {head.seq}.")
        if len(heads) < len(links):
            raise Broken("E06", f"Chain {links[-1].slot} has disappeared.")
        for head in heads[len(links) :]:
            if head.slot != len(links):
                raise Broken("E06", f"Chain {len(links)} is missing among the slots.")
            links.append(first_link(self.memory.install, head.ws, head.slot, head.created))
        return links


class _Reader:
    """One pass over a snapshot; `links` and `last` (epoch) move as it reads."""

    def __init__(
        self, connection: Connection, secret: bytes, last: Epoch | None, links: list[Link]
    ) -> None:
        self.last = last
        self.links = links
        self._connection = connection
        self._secret = secret

    def read_epochs(self, memory: Memory) -> list[Epoch]:
        """Recompute the epochs that follow the memory's last, with the entries that they fix."""
        stored = list(chains.epochs(self._connection, first=max(memory.size - 1, 0)))
        if memory.epoch:
            if not stored or stored[0].number != memory.epoch.number:
                raise Broken("H03", f"Epoch {memory.epoch.number} was signed and is gone.")
            if stored[0].body.encode() != memory.epoch.line():
                raise Broken("H04", f"Epoch {memory.epoch.number} is not the one that was signed.")
            stored = stored[1:]
        return [self._read_epoch(read(one)) for one in stored]

    def read_rest(self, heads: Sequence[StoredHead]) -> None:
        """Recompute what was written since the last epoch, up to the heads."""
        for head in heads:
            self._advance(head.slot, head.seq, ceiling=None)
            if self.links[head.slot].hash != head.hash:
                raise Broken("A01", f"The head of chain {head.slot} is not its last entry.")

    def _read_epoch(self, epoch: Epoch) -> Epoch:
        for slot, seq in chains.changes(self._connection, epoch.number):
            if slot >= len(self.links):
                raise Broken("E06", f"Epoch {epoch.number} names chain {slot}, which is gone.")
            if seq < self.links[slot].seq:
                raise Broken("A04", f"Chain {slot} goes back in epoch {epoch.number}.")
            self._advance(slot, seq, ceiling=epoch.at)
        heads = [link.head for link in self.links[: epoch.chains]]
        expected = next_epoch(self.last, at=epoch.at, secret=self._secret, heads=heads)
        check_epoch(expected, epoch, last=self.last, chain_count=len(self.links))
        self.last = epoch
        return epoch

    def _advance(self, slot: int, until: int, *, ceiling: str | None) -> None:
        link = self.links[slot]
        floor = self.last.at if self.last else None
        for entry in chains.entries(self._connection, link.ws, after=link.seq, until=until):
            link = follow(link, entry)
            check_event(link, entry)
            check_time(entry, slot, floor=floor, ceiling=ceiling)
        if link.seq != until:
            raise Broken("A01", f"Chain {slot} ends at entry {link.seq}, not at {until}.")
        self.links[slot] = link


def read(stored: StoredEpoch) -> Epoch:
    """Read a stored epoch line; raise Broken when it is not one."""
    try:
        return read_epoch(stored.body.encode())
    except NotCanonical as fault:
        raise Broken("E01", f"Epoch {stored.number} is not in its form: {fault}") from fault
