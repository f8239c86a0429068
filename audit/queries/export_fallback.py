"""The files of outages that a bundle brings along: those whose ingestion its entries record."""

import re
from hashlib import sha256
from pathlib import Path

from audit.queries.chains import Connection
from audit.rules.bundle import Span

# A file's digest stands in the id of the entry's object, or in its diff.
_DIGEST = re.compile("[0-9a-f]{64}")
_INGESTED = (
    "SELECT v.obj_id, v.body FROM audit_event v JOIN audit_entry e ON e.event_id = v.id"
    " AND e.ws = v.ws WHERE v.ws = %s AND v.op = 'fallback.ingested' AND v.result = 'ok'"
    " AND e.seq BETWEEN %s AND %s ORDER BY e.seq"
)


def kept_files(connection: Connection, span: Span, folder: Path) -> dict[str, Path | None]:
    """Return the digest of each ingested file of the workspace -> the file, None when it is not in
    this machine's folder.
    """
    wanted = [span.chain.ws, span.first_seq, span.last_seq]
    named: dict[str, Path | None] = {}
    for obj_id, body in connection.execute(_INGESTED, wanted):
        match = _DIGEST.fullmatch(obj_id) or re.search(f'"({_DIGEST.pattern})"', body)
        if match:
            named[match[match.lastindex or 0]] = None
    if named:
        # A file holds the events of one chain, and its name ends with that chain's UUID.
        for path in sorted(folder.glob(f"*{span.chain.ws}*.jsonl")):
            digest = sha256(path.read_bytes()).hexdigest()
            if digest in named:
                named[digest] = path
    return named
