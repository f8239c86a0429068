"""Checkpoints with what others said of them, and keys: what ties a bundle to the world outside."""

import re
from collections import defaultdict
from datetime import datetime
from hashlib import sha256

from audit.actions.exporting.folder import Folder
from audit.queries import export_outside
from audit.queries.chains import Connection
from audit.queries.export_outside import PublishedKey, Receipt, cosigned
from audit.rules.bundle import Span
from audit.rules.report import Seen

# By kind; what another plug-in gives is kept as it came.
_ENDINGS = {"tsa": "tsr", "mail": "txt", "syslog": "txt", "file": "json", "witness": "txt"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TIME_STAMP = "tsa"


def write_outside(folder: Folder, connection: Connection, span: Span) -> list[Seen]:
    """Write checkpoint.note, checkpoints/ and anchors/; return who saw what."""
    found = export_outside.receipts(connection, span)
    of_epoch: dict[int, list[Receipt]] = defaultdict(list)
    for receipt in found:
        of_epoch[receipt.epoch].append(receipt)
    last = of_epoch.get(span.last_epoch, [])
    folder.put("checkpoint.note", cosigned(span.note, last).encode())
    notes = export_outside.notes(connection, list(of_epoch))
    for epoch, text in sorted(notes.items()):
        note = cosigned(text, of_epoch[epoch])
        folder.put(f"checkpoints/{epoch}.note", note.encode())
        if note != text and any(one.kind == _TIME_STAMP for one in of_epoch[epoch]):
            # A stamp is over the note as it was before witnesses signed it: in a file of its own
            # a reader's sha256sum finds the very digest.
            folder.put(f"checkpoints/{epoch}-stamped.note", text.encode())
    for receipt in found:
        folder.put(_name(receipt), receipt.content)
    return [_seen(receipt) for receipt in found]


def write_keys(folder: Folder, connection: Connection, export_key: str) -> list[PublishedKey]:
    """Write keys/, for reading only: trust comes from outside the bundle."""
    keys = export_outside.published_keys(connection)
    for key in keys:
        folder.put(f"keys/log-{key.first_epoch}.vkey", f"{key.key}\n".encode())
        if key.note:
            folder.put(f"keys/rotation-{key.first_epoch}.note", key.note.encode())
    folder.put("keys/export.vkey", f"{export_key}\n".encode())
    return keys


def _name(receipt: Receipt) -> str:
    safe = _UNSAFE.sub("-", receipt.anchor)
    if safe != receipt.anchor:
        safe = f"{safe}-{sha256(receipt.anchor.encode()).hexdigest()[:8]}"
    ending = _ENDINGS.get(receipt.kind, "bin")
    return f"anchors/{receipt.epoch}-{safe}.{ending}"


def _seen(receipt: Receipt) -> Seen:
    at = receipt.attested_at or receipt.made_at
    shown = f"{at:%Y-%m-%d %H:%M:%S} UTC" if isinstance(at, datetime) else ""
    return Seen(receipt.anchor, receipt.kind, receipt.epoch, shown)
