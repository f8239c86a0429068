"""Epochs and the heads that they fixed, read in one pass and proved one epoch at a time."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from audit.queries import chains
from audit.queries.chains import Connection
from audit.queries.following import read
from audit.rules.bundle import Span
from audit.rules.bundle_heads import HeadTrees, Proved
from audit.rules.canonical import stamp
from audit.rules.chain import Broken, check_epoch
from audit.rules.epochs import Epoch
from audit.rules.hashes import Tree, genesis
from audit.rules.notes import read_checkpoint, read_note

_MOVES = (
    "SELECT c.epoch, c.slot, h.ws, c.seq, e.hash FROM audit_epoch_change c JOIN audit_head h"
    " ON h.slot = c.slot LEFT JOIN audit_entry e ON e.ws = h.ws AND e.seq = c.seq"
    " WHERE c.epoch <= %s ORDER BY c.epoch, c.slot"
)
SYSTEM = 0


@dataclass(frozen=True)
class _Move:
    epoch: int
    slot: int
    ws: UUID
    seq: int
    hash: bytes


@dataclass(frozen=True)
class Fixed:
    """An epoch, the heads of the wanted slots that it knows, and the root over all up to it."""

    epoch: Epoch
    heads: dict[int, Proved]
    tree: Tree


def fixed_epochs(
    connection: Connection, span: Span, secret: bytes, slots: Sequence[int]
) -> Generator[Fixed, None, None]:
    """Yield the epochs of a bundle; raise Broken when they are not what the chains and the
    checkpoint say.
    """
    trees, tree, last = HeadTrees(secret), Tree(), None
    moves = _moves(connection, span)
    move = next(moves, None)
    for stored in chains.epochs(connection):
        if stored.number > span.last_epoch:
            break
        epoch = read(stored)
        while move is not None and move.epoch <= epoch.number:
            trees.move(move.slot, move.ws, move.seq, move.hash)
            move = next(moves, None)
        _check(epoch, last)
        tree.append(epoch.leaf())
        last = epoch
        yield Fixed(epoch, trees.prove(epoch, slots), tree)
    _check_end(tree, span)


def _check(epoch: Epoch, last: Epoch | None) -> None:
    """Check number, link and time; the heads are checked by their trees."""
    expected = Epoch(
        number=last.number + 1 if last else 0,
        at=epoch.at,
        chains=epoch.chains,
        heads=epoch.heads,
        prev=last.leaf().hex() if last else "0" * 64,
    )
    check_epoch(expected, epoch, last=last)


def _check_end(tree: Tree, span: Span) -> None:
    signed = read_checkpoint(read_note(span.note).body)
    if (tree.size, tree.root()) != (signed.size, signed.root):
        raise Broken("E07", "The epochs are not those that the checkpoint fixed.")


def _moves(connection: Connection, span: Span) -> Iterator[_Move]:
    """Yield the moves of all chains; an empty chain's head is its genesis."""
    beginnings = {
        head.slot: genesis(span.chain.install, head.ws, head.slot, stamp(head.created))
        for head in chains.heads(connection)
    }
    with connection.cursor(name="moves") as cursor:
        cursor.itersize = chains.ROWS_AT_ONCE
        cursor.execute(_MOVES, [span.last_epoch])
        for epoch, slot, ws, seq, found in cursor:
            if seq and found is None:
                raise Broken("A01", f"Entry {seq} of chain {slot}, a head of an epoch, is gone.")
            yield _Move(epoch, slot, ws, seq, bytes(found) if seq else beginnings[slot])
