"""Imports: rows of a file become recipients and faults, a chunk at a time.

The list's row is the work order: `next_byte` and `next_row` say where the next chunk begins, and
move in the transaction that stores the chunk before. Killed anywhere, an import goes on from there
and stores nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from audit.actions.record import record
from campaigns.actions.list_moves import IMPORTER, fail, list_obj
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import file_of
from campaigns.rules.intake import Columns, FaultyRow, Intake, Taken
from campaigns.rules.spreadsheets import Chunk, Layout, Position, read_chunk
from workspaces.queries.keys import keys

CHUNK_ROWS = 20_000
CHUNK_BYTES = 8_000_000
# A list that nobody touched for so long has lost its worker.
LOST_SECONDS = 15

COUNTS = ("row_count", "valid_count", "duplicate_count", "fault_count")
PROGRESS = (*COUNTS, "next_byte", "next_row", "touched_at", "state", "ready_at", "failure")
COPY = (
    "COPY staged_recipient (recipient_list_id, row_number, fingerprint, number_sealed, values)"
    " FROM STDIN"
)
# The first row of a number stays; later ones are duplicates.
TAKE_STAGED = """
INSERT INTO recipient
    (workspace_id, recipient_list_id, row_number, fingerprint, number_sealed, "values")
SELECT DISTINCT ON (s.fingerprint)
    %s, s.recipient_list_id, s.row_number, s.fingerprint, s.number_sealed, s."values"
FROM staged_recipient s WHERE s.recipient_list_id = %s
ORDER BY s.fingerprint, s.row_number
ON CONFLICT (recipient_list_id, fingerprint) DO NOTHING
"""
CLEAR_STAGED = "DELETE FROM staged_recipient WHERE recipient_list_id = %s"
TAKE_FAULTS = """
INSERT INTO recipient_fault
    (workspace_id, recipient_list_id, row_number, code, value_sealed, row_sealed)
SELECT %s, %s, f.row_number, f.code, f.value_sealed, f.row_sealed
FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::bytea[])
    AS f (row_number, code, value_sealed, row_sealed)
"""


@dataclass(frozen=True)
class Imported:
    """What one chunk did: rows stored, and whether there is nothing left to do."""

    row_count: int
    is_done: bool


def import_chunk(list_id: int, now: datetime) -> Imported:
    """Store the next rows of a list that is being imported; the last chunk makes it ready.

    Does nothing (and says done) when the list is not being imported or another worker is at it.
    """
    lst = (
        RecipientList.objects.select_related("workspace")
        .filter(pk=list_id, state=ListState.IMPORTING)
        .first()
    )
    if lst is None:
        return Imported(0, is_done=True)
    try:
        chunk = _read(lst)
    except FileNotFoundError:
        sentence = _("The file is gone from the server. Upload it again.")
        fail(lst, sentence, code="file_gone", now=now)
        return Imported(0, is_done=True)
    taken = _take(lst, chunk)
    if not _store(lst, chunk, taken, now):
        return Imported(0, is_done=True)
    return Imported(taken.row_count, is_done=chunk.is_last)


def _read(lst: RecipientList) -> Chunk:
    at = Position(lst.next_byte, lst.next_row)
    with file_of(lst).open("rb", buffering=1 << 18) as file:
        return read_chunk(file, layout_of(lst), at, row_limit=CHUNK_ROWS, byte_limit=CHUNK_BYTES)


def layout_of(lst: RecipientList) -> Layout:
    """Return how the file of a list is cut into cells."""
    return Layout(lst.encoding, lst.delimiter, lst.line_end)


def _take(lst: RecipientList, chunk: Chunk) -> Taken:
    columns = Columns(
        number=lst.number_column or 0,
        country=lst.country,
        names=lst.columns,
        positions=lst.positions,
    )
    intake = Intake(keys(), columns, workspace_id=lst.workspace_id, list_id=lst.pk)
    is_at_header = lst.has_header and lst.next_row == 1
    rows = chunk.rows[1:] if is_at_header else chunk.rows
    return intake.take(rows, chunk.broken)


def _store(lst: RecipientList, chunk: Chunk, taken: Taken, now: datetime) -> bool:
    """Write a chunk and move on; write nothing when another worker did so first."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if not _is_next(lst):
            return False
        valid = _insert(cursor, lst, taken.lines)
        _insert_faults(cursor, lst, taken.faults)
        lst.next_byte, lst.next_row = chunk.end.byte, chunk.end.row
        lst.row_count += taken.row_count
        lst.valid_count += valid
        lst.duplicate_count += len(taken.lines) - valid
        lst.fault_count += len(taken.faults)
        lst.touched_at = now
        if chunk.is_last:
            _finish(lst, now)
        lst.save(update_fields=PROGRESS)
    return True


def _is_next(lst: RecipientList) -> bool:
    """Lock the list's row; say whether the chunk in hand is still the next one."""
    return (
        RecipientList.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(
            pk=lst.pk,
            workspace_id=lst.workspace_id,
            state=ListState.IMPORTING,
            next_byte=lst.next_byte,
            next_row=lst.next_row,
        )
        .exists()
    )


def _insert(cursor: CursorWrapper, lst: RecipientList, lines: Sequence[str]) -> int:
    """Store the valid rows; return how many were not there before."""
    if not lines:
        return 0
    with cursor.copy(COPY) as copy:
        copy.write("".join(lines))
    cursor.execute(TAKE_STAGED, [lst.workspace_id, lst.pk])
    inserted: int = cursor.rowcount
    cursor.execute(CLEAR_STAGED, [lst.pk])
    return inserted


def _insert_faults(cursor: CursorWrapper, lst: RecipientList, faults: Sequence[FaultyRow]) -> None:
    if faults:
        cursor.execute(
            TAKE_FAULTS,
            [
                lst.workspace_id,
                lst.pk,
                [faulty.row_number for faulty in faults],
                [faulty.fault.value for faulty in faults],
                [faulty.value_sealed for faulty in faults],
                [faulty.row_sealed for faulty in faults],
            ],
        )


def _finish(lst: RecipientList, now: datetime) -> None:
    """Make the list ready, or let it fail when nobody in it can be sent to."""
    if lst.valid_count:
        lst.state, lst.ready_at, op = ListState.READY, now, "list.ready"
    else:
        lst.state, op = ListState.FAILED, "list.fail"
        lst.failure = _(
            "No row has a number that can be sent to. Look at the faults, mend the file and"
            " upload it again."
        )
    record(
        op,
        workspace=lst.workspace.uuid,
        actor=IMPORTER,
        obj=list_obj(lst.pk),
        now=now,
        diff={name: (None, getattr(lst, name)) for name in COUNTS},
    )


def lists_to_import(now: datetime) -> list[int]:
    """Return the lists whose import has lost its worker."""
    return list(
        RecipientList.objects.filter(
            state=ListState.IMPORTING, touched_at__lt=now - timedelta(seconds=LOST_SECONDS)
        )
        .order_by("touched_at")
        .values_list("pk", flat=True)[:100]
    )
