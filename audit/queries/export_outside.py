"""What left the machine and came back: checkpoints that others saw, and the log's keys."""

from dataclasses import dataclass

from audit.queries.chains import Connection
from audit.rules.bundle import Span
from audit.rules.notes import BadNote, Note, SignatureLine, read_note

# Receipts that are lines of the note itself.
WITNESS = "witness"

_RECEIPTS = (
    "SELECT r.anchor, r.epoch, r.kind, r.content, r.attested_at, r.made_at"
    " FROM audit_anchor_receipt r WHERE r.epoch BETWEEN %s AND %s ORDER BY r.epoch, r.anchor"
)
_NOTES = "SELECT epoch, note FROM audit_epoch WHERE epoch = ANY (%s) AND note IS NOT NULL"
_KEYS = "SELECT first_epoch, key, note FROM audit_log_key ORDER BY first_epoch"


@dataclass(frozen=True)
class Receipt:
    """What an anchor gave for the checkpoint of an epoch."""

    anchor: str
    epoch: int
    kind: str
    content: bytes
    attested_at: object
    made_at: object


@dataclass(frozen=True)
class PublishedKey:
    """A verifier key of the log; `note` is how it followed another, empty for the first."""

    first_epoch: int
    key: str
    note: str


def receipts(connection: Connection, span: Span) -> list[Receipt]:
    """Return the receipts for checkpoints of the bundle's period."""
    rows = connection.execute(_RECEIPTS, [span.start_epoch, span.last_epoch])
    return [Receipt(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in rows]


def notes(connection: Connection, epochs: list[int]) -> dict[int, str]:
    """Return the signed checkpoints of these epochs."""
    return dict(connection.execute(_NOTES, [epochs]).fetchall())


def published_keys(connection: Connection) -> list[PublishedKey]:
    """Return the keys that ever signed the log, in their order."""
    return [PublishedKey(*row) for row in connection.execute(_KEYS)]


def cosigned(text: str, found: list[Receipt]) -> str:
    """Return a note with the witnesses' lines below the log's own; what is no line is left out."""
    note = read_note(text)
    lines = list(note.lines)
    for receipt in found:
        lines += [line for line in _lines(note, receipt) if line not in lines]
    return str(Note(note.body, tuple(lines)))


def _lines(note: Note, receipt: Receipt) -> tuple[SignatureLine, ...]:
    if receipt.kind != WITNESS:
        return ()
    try:
        return read_note(f"{note.body}\n{receipt.content.decode()}").lines
    except (BadNote, UnicodeDecodeError):
        return ()
