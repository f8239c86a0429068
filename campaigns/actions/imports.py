"""Imports: rows of a file become recipients and faults, a chunk at a time.

The list's row is the work order: `next_byte` and `next_row` say where the next chunk begins, and
move in the transaction that stores the chunk before. Killed anywhere, an import goes on from there
and stores nothing twice.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

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
from workspaces.rules.sealing import Keys

CHUNK_ROWS = 20_000
CHUNK_BYTES = 8_000_000
READ_BYTES = 262_144
# A list that nobody touched for so long has lost its worker.
LOST_SECONDS = 15

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


DONE = Imported(0, is_done=True)


@dataclass(frozen=True)
class _Prepared:
    """A chunk read and sealed, ready to be stored if the list still stands at `at`."""

    at: Position
    chunk: Chunk
    taken: Taken


class Run:
    """One worker's work on one list: while a chunk is stored, the next one is read and sealed.

    The second thread reads the file and computes; it never touches the database.
    """

    def __init__(self, list_id: int) -> None:
        self._list_id = list_id
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._ahead: Future[_Prepared] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def step(self, now: datetime) -> Imported:
        """Do what import_chunk does, with what was prepared meanwhile."""
        lst = _importing(self._list_id)
        if lst is None:
            return DONE
        try:
            prepared = self._prepared(lst)
        except FileNotFoundError:
            return _without_file(lst, now)
        if not prepared.chunk.is_last:
            self._ahead = self._pool.submit(_prepare, lst, prepared.chunk.end, keys())
        return _store(lst, prepared, now)

    def _prepared(self, lst: RecipientList) -> _Prepared:
        at = Position(lst.next_byte, lst.next_row)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and (prepared := ahead.result()).at == at:
            return prepared
        return _prepare(lst, at, keys())


def import_chunk(list_id: int, now: datetime) -> Imported:
    """Store the next rows of a list that is being imported; the last chunk makes it ready.

    Does nothing (and says done) when the list is not being imported or another worker is at it.
    """
    lst = _importing(list_id)
    if lst is None:
        return DONE
    try:
        prepared = _prepare(lst, Position(lst.next_byte, lst.next_row), keys())
    except FileNotFoundError:
        return _without_file(lst, now)
    return _store(lst, prepared, now)


def _importing(list_id: int) -> RecipientList | None:
    rows = RecipientList.objects.select_related("workspace")
    return rows.filter(pk=list_id, state=ListState.IMPORTING).first()


def _without_file(lst: RecipientList, now: datetime) -> Imported:
    sentence = _("The file is gone from the server. Upload it again.")
    fail(lst, sentence, code="file_gone", now=now)
    return DONE


def _prepare(lst: RecipientList, at: Position, keys: Keys) -> _Prepared:
    """Read a chunk and seal its numbers."""
    layout = Layout(lst.encoding, lst.delimiter, lst.line_end)
    with file_of(lst).open("rb", buffering=READ_BYTES) as file:
        chunk = read_chunk(file, layout, at, row_limit=CHUNK_ROWS, byte_limit=CHUNK_BYTES)
    columns = Columns(lst.number_column or 0, lst.country, lst.columns, lst.positions)
    intake = Intake(keys, columns, workspace_id=lst.workspace_id, list_id=lst.pk)
    is_at_header = lst.has_header and at.row == 1
    rows = chunk.rows[1:] if is_at_header else chunk.rows
    return _Prepared(at, chunk, intake.take(rows, chunk.broken))


def _store(lst: RecipientList, prepared: _Prepared, now: datetime) -> Imported:
    """Write a chunk and move on; write nothing when another worker did so first."""
    chunk, taken = prepared.chunk, prepared.taken
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if not _is_next(lst):
            return DONE
        valid = _insert(cursor, lst, taken.lines)
        _insert_faults(cursor, lst, taken.faults)
        counts = {
            "row_count": lst.row_count + taken.row_count,
            "valid_count": lst.valid_count + valid,
            "duplicate_count": lst.duplicate_count + len(taken.lines) - valid,
            "fault_count": lst.fault_count + len(taken.faults),
        }
        end = _finish(lst, counts, now) if chunk.is_last else {}
        RecipientList.objects.filter(pk=lst.pk, workspace_id=lst.workspace_id).update(
            next_byte=chunk.end.byte, next_row=chunk.end.row, touched_at=now, **counts, **end
        )
    return Imported(taken.row_count, is_done=chunk.is_last)


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


def _finish(lst: RecipientList, counts: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """Record that a list is ready, or failed because nobody in it can be sent to; return how the
    row changes with it.
    """
    is_ready = counts["valid_count"] > 0
    record(
        "list.ready" if is_ready else "list.fail",
        workspace=lst.workspace.uuid,
        actor=IMPORTER,
        obj=list_obj(lst.pk),
        now=now,
        diff={name: (None, count) for name, count in counts.items()},
    )
    if is_ready:
        return {"state": ListState.READY, "ready_at": now}
    sentence = _(
        "No row has a number that can be sent to. Look at the faults, mend the file and"
        " upload it again."
    )
    return {"state": ListState.FAILED, "failure": sentence}


def lists_to_import(now: datetime) -> list[int]:
    """Return the lists whose import has lost its worker."""
    return list(
        RecipientList.objects.filter(
            state=ListState.IMPORTING, touched_at__lt=now - timedelta(seconds=LOST_SECONDS)
        )
        .order_by("touched_at")
        .values_list("pk", flat=True)[:100]
    )
