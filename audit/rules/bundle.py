"""What an evidence bundle is made of: its span, its manifest, and which system entries it shows.

docs/FORMAT.md is the specification; the names here are its names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from audit.rules.canonical import Json, NotCanonical, encode, stamp

EXPORT = "export"
# Of the system chain these are shown in full: they concern every reader's evidence and name no
# tenant. Everything else of it is a hash.
SHOWN_OF_SYSTEM = (
    "install.",
    "restore.",
    "anchor.",
    "log_key.",
    "checkpoint.",
    "epoch.",
    "sequencer.",
    "signer.",
    "clock.",
    "fallback.",
    "process.",
    "gap.",
    "retention.",
)


class CannotExport(ValueError):
    """There is no evidence of this kind; the sentence says why."""


@dataclass(frozen=True)
class Chain:
    """A chain and how it began: `created` is a stamp, `genesis` what its first entry follows."""

    install: UUID
    ws: UUID
    slot: int
    created: str
    genesis: bytes


@dataclass(frozen=True)
class Span:
    """What a bundle covers.

    Entries `first_seq` to `last_seq` (fewer when the chain stood still), following `start_prev`,
    and all epochs up to `last_epoch`, whose checkpoint is `note`. `since` and `until` are what was
    asked for; `ends_at` is the last epoch's time.
    """

    chain: Chain
    origin: str
    first_seq: int
    start_prev: bytes
    start_epoch: int
    last_seq: int
    last_epoch: int
    ends_at: str
    note: str
    since: datetime | None
    until: datetime | None

    @property
    def entry_count(self) -> int:
        """Return how many entries the bundle holds."""
        return self.last_seq - self.first_seq + 1


@dataclass(frozen=True)
class Listed:
    """A file of the bundle: its path, the SHA-256 (hex) and size of the stored bytes."""

    path: str
    sha256: str
    size: int


def manifest_bytes(span: Span, files: Sequence[Listed], *, hides: bool) -> bytes:
    """Return manifest.json; `hides` says that entries are shown as hashes only.

    It is canonical JSON, but its length has no limit.
    """
    listed = sorted(files, key=lambda file: file.path)
    parts: dict[str, Json] = {
        "entries": span.entry_count,
        "first_seq": span.first_seq,
        "genesis": span.chain.created,
        "install": str(span.chain.install),
        "mode": "skeleton" if hides else "full",
        "origin": span.origin,
        "slot": span.chain.slot,
        "start_prev": span.start_prev.hex(),
        "to": stamp(span.until) if span.until else span.ends_at,
        "v": 1,
        "workspace": str(span.chain.ws),
    }
    if span.since is not None:
        parts["from"] = stamp(span.since)
    pieces = {key: encode(value) for key, value in parts.items()}
    pieces["files"] = b"[" + b",".join(map(_listed, listed)) + b"]"
    return (
        b"{"
        + b",".join(b'"%s":%s' % (key.encode(), pieces[key]) for key in sorted(pieces))
        + b"}\n"
    )


def manifest_body(manifest: bytes) -> str:
    """Return what the export key signs."""
    return f"smsc-audit-manifest/v1\n{sha256(manifest).hexdigest()}\n"


def head_line(epoch: int, found: bytes, nonce: str, proof: Sequence[bytes], seq: int) -> bytes:
    """Return the line of heads.jsonl for an epoch, without its line feed.

    Written as text, because there are thousands and none of its values needs an escape.
    """
    path = ",".join(f'"{step.hex()}"' for step in proof)
    return (
        f'{{"epoch":{epoch},"hash":"{found.hex()}","nonce":"{nonce}","proof":[{path}],"seq":{seq}}}'
    ).encode()


def is_shown_of_system(op: str) -> bool:
    """Say whether an entry of the system chain is shown in full in a workspace's bundle."""
    return op.startswith(SHOWN_OF_SYSTEM)


def checked_path(path: str) -> str:
    """Return a path that may stand in a manifest; raise NotCanonical for any other."""
    parts = path.split("/")
    if not path.isascii() or not all(parts) or {".", ".."} & set(parts) or "\\" in path:
        raise NotCanonical(f"{path!r} cannot be a file of a bundle.")
    return path


def _listed(file: Listed) -> bytes:
    return encode({"path": file.path, "sha256": file.sha256, "size": file.size})
