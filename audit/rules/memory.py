"""What the signer remembers outside the database: how far it has followed every chain."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import NotCanonical, read_stamp, stamp
from audit.rules.chain import Link
from audit.rules.epochs import Epoch, read_epoch
from audit.rules.keyring import KeySpan


class BadMemory(ValueError):
    """A memory that cannot be read."""


@dataclass(frozen=True)
class Memory:
    """`epoch` is the last one that was signed and `root` the tree over all up to it.

    `links` say for each slot where the signer stands, usually beyond the last epoch; `keys` are the
    verifier keys that it signs or signed for, the present one last.
    """

    install: UUID
    keys: tuple[KeySpan, ...]
    epoch: Epoch | None = None
    root: bytes = hashes.tree_root([])
    links: tuple[Link, ...] = ()

    @property
    def size(self) -> int:
        """Return how many epochs were signed."""
        return self.epoch.number + 1 if self.epoch else 0

    @property
    def key(self) -> KeySpan:
        """Return the present key."""
        return self.keys[-1]

    def text(self) -> str:
        """Write it as JSON with a line for each chain."""
        fields = {
            "v": 1,
            "install": str(self.install),
            "keys": [
                [one.key, one.first_epoch, one.note, one.until and stamp(one.until)]
                for one in self.keys
            ],
            "epoch": self.epoch.line().decode() if self.epoch else None,
            "root": self.root.hex(),
            "chains": [
                [link.slot, str(link.ws), link.seq, link.hash.hex(), link.at and stamp(link.at)]
                for link in self.links
            ],
        }
        return json.dumps(fields, indent=1) + "\n"


def read_memory(text: str) -> Memory:
    """Read what `Memory.text` wrote; raise BadMemory."""
    try:
        fields: dict[str, Any] = json.loads(text)
        return Memory(
            install=UUID(fields["install"]),
            keys=_keys(fields),
            epoch=read_epoch(fields["epoch"].encode()) if fields["epoch"] else None,
            root=bytes.fromhex(fields["root"]),
            links=tuple(
                Link(slot, UUID(ws), seq, bytes.fromhex(hash_), _moment(at))
                for slot, ws, seq, hash_, at in fields["chains"]
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError, NotCanonical) as broken:
        raise BadMemory(f"The signer's memory is damaged: {broken}") from broken


def _keys(fields: dict[str, Any]) -> tuple[KeySpan, ...]:
    # Before keys could be replaced there was one, by itself.
    written = fields["keys"] if "keys" in fields else [[fields["key"], 0, "", None]]
    keys = tuple(KeySpan(key, first, note, _moment(until)) for key, first, note, until in written)
    if not keys:
        raise BadMemory("The signer's memory names no key.")
    return keys


def _moment(text: str | None) -> datetime | None:
    return read_stamp(text) if text else None
