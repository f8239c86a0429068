"""People who want no messages of a workspace: added, imported, lifted.

What is committed here counts from the next claim on: the claim itself looks, in the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from audit.rules.events import Obj
from audit.rules.reasons import SHORTEST_NOTE
from campaigns.models import OptOut
from campaigns.queries.opt_outs import number_of
from campaigns.rules.encodings import Inspection
from campaigns.rules.faults import FAULTS, FILE_FAULTS, Fault, FileFault
from campaigns.rules.layouts import Look, look
from campaigns.rules.number_plans import is_country
from campaigns.rules.numbers import Number, normalise
from campaigns.rules.spreadsheets import Chunk, Row, read_chunk
from workspaces.actions.noting import note
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

BY_HAND, FROM_FILE, BY_SMS = "by_hand", "file", "sms"
MOST_IMPORT_BYTES = 10_000_000
MOST_IMPORT_ROWS = 200_000
BATCH = 5_000
SHOWN_FAULTS = 20

INSERT = """
INSERT INTO opt_out
    (workspace_id, fingerprint, number_sealed, source, note, added_by_id, added_at)
SELECT %s, n.fingerprint, n.number_sealed, %s, %s, %s, %s
FROM unnest(%s::bytea[], %s::bytea[]) WITH ORDINALITY
    AS n (fingerprint, number_sealed, position)
ORDER BY n.position
ON CONFLICT (workspace_id, fingerprint) WHERE lifted_at IS NULL DO NOTHING
"""


class OptOutRefused(Refusal):
    """An opt-out cannot be added, imported or lifted as asked."""


@dataclass(frozen=True)
class FaultyLine:
    """A row of an import that is no number; `text` is the cell as it was."""

    row_number: int
    sentence: str
    text: str


@dataclass(frozen=True)
class Imported:
    """What an import did. `known_count` were opted out before, or twice in the file."""

    added_count: int
    known_count: int
    fault_count: int
    faults: Sequence[FaultyLine]


def opt_out_obj(opt_out_id: int) -> Obj:
    """Return the opt-out as the audit log names it."""
    return Obj("opt_out", f"opt_{opt_out_id}")


def add_opt_out(*, by: Me, text: str, country: str, words: str, now: datetime) -> OptOut:
    """Opt one number out; `words` say where the wish came from. Raises OptOutRefused."""
    number = _number(text, country)
    key = keys()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        count = _insert(cursor, by, [number], source=BY_HAND, words=words, now=now)
        if not count:
            raise OptOutRefused(_("This number is opted out already."), field="number")
        added = OptOut.objects.get(
            workspace=by.here, fingerprint=key.fingerprint(number), lifted_at=None
        )
        note(
            by,
            "optout.add",
            opt_out_obj(added.pk),
            now=now,
            personal={"number": f"+{number}"},
            why=words,
        )
    return added


def _number(text: str, country: str) -> Number:
    """Read a number that a person typed. Raises OptOutRefused."""
    if not is_country(country):
        raise OptOutRefused(_("Choose a country."), field="country")
    number = normalise(text, country)
    if isinstance(number, Fault):
        raise OptOutRefused(_(FAULTS[number]), field="number")
    return number


def import_opt_outs(*, by: Me, data: bytes, country: str, words: str, now: datetime) -> Imported:
    """Opt out every number of a file, all or none. Raises OptOutRefused."""
    seen, chunk = _read(data, country)
    column = seen.number_column or 0
    rows = chunk.rows[1:] if seen.has_header else chunk.rows
    numbers, faults = _sort(rows, column, country)
    # In one order for everybody: two imports of the same numbers wait for each other, once.
    numbers.sort()
    faults += [FaultyLine(row, _(FAULTS[Fault.BROKEN_ROW]), "") for row, _cells in chunk.broken]
    added = 0
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            added += _insert(cursor, by, batch, source=FROM_FILE, words=words, now=now)
        note(
            by,
            "optout.import",
            Obj("workspace", f"wsp_{by.here.pk}"),
            now=now,
            diff={
                "added": (None, added),
                "known": (None, len(numbers) - added),
                "faults": (None, len(faults)),
            },
            why=words,
        )
    return Imported(added, len(numbers) - added, len(faults), faults[:SHOWN_FAULTS])


def _read(data: bytes, country: str) -> tuple[Look, Chunk]:
    """Return what the file looks like and its rows. Raises OptOutRefused."""
    if len(data) > MOST_IMPORT_BYTES:
        raise OptOutRefused(_("A file of opt-outs may have 10 MB. Split it."), field="file")
    if not is_country(country):
        raise OptOutRefused(_("Choose a country."), field="country")
    inspection = Inspection()
    inspection.feed(data)
    encoding = inspection.finish()
    seen = encoding if isinstance(encoding, FileFault) else look(data, encoding, country)
    if isinstance(seen, FileFault):
        raise OptOutRefused(_(FILE_FAULTS[seen]), field="file")
    chunk = read_chunk(
        BytesIO(data),
        seen.layout,
        seen.start,
        row_limit=MOST_IMPORT_ROWS + 1,
        byte_limit=MOST_IMPORT_BYTES + 1,
    )
    if not chunk.is_last:
        raise OptOutRefused(_("A file of opt-outs may have 200,000 rows. Split it."), field="file")
    return seen, chunk


def _sort(rows: Sequence[Row], column: int, country: str) -> tuple[list[Number], list[FaultyLine]]:
    numbers: list[Number] = []
    faults: list[FaultyLine] = []
    for row, cells in rows:
        text = cells[column] if column < len(cells) else ""
        number = normalise(text, country)
        if isinstance(number, Fault):
            faults.append(FaultyLine(row, _(FAULTS[number]), text[:100]))
        else:
            numbers.append(number)
    return numbers, faults


def _insert(
    cursor: CursorWrapper,
    by: Me,
    numbers: Sequence[Number],
    *,
    source: str,
    words: str,
    now: datetime,
) -> int:
    """Store numbers that are not opted out yet; return how many those were."""
    key = keys()
    seal, fingerprint = key.number_sealer(by.here.pk).seal, key.fingerprinter().fingerprint
    cursor.execute(
        INSERT,
        [
            by.here.pk,
            source,
            words,
            by.user.pk,
            now,
            [fingerprint(number) for number in numbers],
            [seal(number) for number in numbers],
        ],
    )
    return int(cursor.rowcount)


def lift_opt_out(*, by: Me, opt_out_id: int, reason: str, now: datetime) -> None:
    """Let a person get messages again; the reason is kept in the audit log.

    Raises OptOutRefused.
    """
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_NOTE:
        raise OptOutRefused(_("Say why: who asked for messages again, and where."), field="reason")
    with transaction.atomic(durable=True):
        changed = OptOut.objects.filter(workspace=by.here, pk=opt_out_id, lifted_at=None).update(
            lifted_at=now, lifted_by=by.user
        )
        if not changed:
            raise OptOutRefused(_("This opt-out is lifted already."), code="wrong_state")
        row = OptOut.objects.get(workspace=by.here, pk=opt_out_id)
        number = number_of(row)
        note(
            by,
            "optout.lift",
            opt_out_obj(opt_out_id),
            now=now,
            personal={"number": f"+{number}"} if number else {},
            why=reason,
        )
