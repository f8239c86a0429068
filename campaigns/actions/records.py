"""Call records of an SMSC: a file taken in, its columns named, read in chunks, then held against
what is unknown.

The import's row is the work order: `next_byte` says where reading goes on and `next_fingerprint`
where settling does; both move in the transaction that stores what came before.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.actions.list_files import append_to, flush, new_key, require_room
from campaigns.models import CallRecord, CallRecordImport, RecordsState
from campaigns.queries.list_files import blocks, path_of
from campaigns.rules.call_records import (
    Attempt,
    Judgement,
    Reason,
    Record,
    Stated,
    judge,
    state_of,
)
from campaigns.rules.encodings import HEAD_BYTES, Inspection
from campaigns.rules.faults import FILE_FAULTS, Fault, FileFault
from campaigns.rules.layouts import Look, Wish, look
from campaigns.rules.numbers import normalise
from campaigns.rules.record_times import read_time
from campaigns.rules.references import segment_reference
from campaigns.rules.spreadsheets import Layout, Position, read_chunk
from smpp_client.models import Connection
from workspaces.actions.noting import note
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

CHUNK_ROWS = 20_000
CHUNK_BYTES = 8_000_000
PEOPLE_A_TIME = 500
# A record may be as old as the messages that somebody still asks about.
OLDEST = timedelta(days=62)
LOST_SECONDS = 15
KEPT_DAYS = 2
MOST_TOLERANCE = 86_400
ABSENT = "not in the SMSC's call records"
NOBODY = b""
BEYOND = b"\xff" * 17
IMPORTER = Actor(kind="system", id="records")

# People whose message is unknown on this connection.
PEOPLE = """
SELECT DISTINCT m.fingerprint
FROM submission s JOIN campaign c ON c.id = s.campaign_id
JOIN message m ON m.frozen_on = c.frozen_on AND m.campaign_id = s.campaign_id
    AND m.position = s.position
WHERE s.kind = 'unknown' AND s.connection_id = %s AND s.happened_at >= %s
"""
ATTEMPTS = "SELECT * FROM attempts_of_subscribers(%s, %s, %s)"


class RecordsRefused(Refusal):
    """Call records cannot be taken as asked."""


@dataclass(frozen=True)
class Mapped:
    """What a person said about a file: a column (from 0) for each use, and how to read it.

    Uses are number, sender, at, state, smsc_id and reference. `stated` is the time of which no
    record is missing, None where nobody says so.
    """

    connection_id: int
    columns: Mapping[str, int]
    country: str
    time_form: str
    zone: str
    tolerance_seconds: int
    stated: Stated | None
    wish: Wish


@dataclass(frozen=True)
class Step:
    """What one step did."""

    row_count: int
    is_done: bool


DONE = Step(0, is_done=True)


def records_obj(records_id: int) -> Obj:
    """Return an import of call records as the audit log names it."""
    return Obj("call_records", f"rec_{records_id}")


def take_records(
    *, by: Me, file: BinaryIO, file_name: str, size_bytes: int, now: datetime
) -> CallRecordImport:
    """Store a file and look at it. Raises UploadRefused, RecordsRefused."""
    if size_bytes <= 0:
        raise RecordsRefused(_(FILE_FAULTS[FileFault.EMPTY]), field="file")
    require_room(size_bytes)
    key = new_key()
    path = path_of(by.here.uuid, key)
    try:
        append_to(path, 0, file, min(size_bytes, settings.MAX_UPLOAD_BYTES))
        flush(path)
        return _stored(by, key, file_name, size_bytes, now)
    except Refusal:
        path.unlink(missing_ok=True)
        raise


def _stored(by: Me, key: str, file_name: str, size_bytes: int, now: datetime) -> CallRecordImport:
    path = path_of(by.here.uuid, key)
    inspection, digest = Inspection(), hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
        inspection.feed(block)
    encoding = inspection.finish()
    seen = encoding if isinstance(encoding, FileFault) else _look(by, key, encoding, Wish())
    if isinstance(encoding, FileFault):
        raise RecordsRefused(_(FILE_FAULTS[encoding]), field="file")
    if isinstance(seen, FileFault):
        raise RecordsRefused(_(FILE_FAULTS[seen]), field="file")
    with transaction.atomic(durable=True):
        made = CallRecordImport.objects.create(
            workspace=by.here,
            file_key=key,
            file_name=file_name[:255],
            size_bytes=size_bytes,
            sha256=digest.hexdigest(),
            encoding=encoding,
            delimiter=seen.layout.delimiter,
            line_end=seen.layout.line_end,
            has_header=seen.has_header,
            uploaded_by=by.user,
            uploaded_person_id=by.person_id,
            created_at=now,
            touched_at=now,
        )
        note(
            by,
            "records.upload",
            records_obj(made.pk),
            now=now,
            diff={"size_bytes": (None, size_bytes), "sha256": (None, made.sha256)},
        )
    return made


def _look(by: Me, key: str, encoding: str, wish: Wish) -> Look | FileFault:
    with path_of(by.here.uuid, key).open("rb", buffering=0) as file:
        return look(file.read(HEAD_BYTES), encoding, settings.DEFAULT_COUNTRY, wish)


def look_at_records(records: CallRecordImport, wish: Wish) -> Look | FileFault:
    """Say what an uploaded file looks like. Raises FileNotFoundError when it is gone."""
    path = path_of(records.workspace.uuid, records.file_key)
    with path.open("rb", buffering=0) as file:
        head = file.read(HEAD_BYTES)
    return look(head, records.encoding, settings.DEFAULT_COUNTRY, wish)


def start_import(*, by: Me, records_id: int, mapped: Mapped, now: datetime) -> CallRecordImport:
    """Order the import of an uploaded file. Raises RecordsRefused."""
    records = _uploaded(by, records_id)
    seen = look_at_records(records, mapped.wish)
    if isinstance(seen, FileFault):
        raise RecordsRefused(_(FILE_FAULTS[seen]))
    _require_sense(mapped, len(seen.header), records.created_at)
    stated = mapped.stated
    with transaction.atomic(durable=True):
        changed = CallRecordImport.objects.filter(
            pk=records.pk, workspace=by.here, state=RecordsState.UPLOADED
        ).update(
            state=RecordsState.IMPORTING,
            connection_id=mapped.connection_id,
            columns=dict(mapped.columns),
            country=mapped.country,
            time_form=mapped.time_form,
            zone=mapped.zone,
            tolerance_seconds=mapped.tolerance_seconds,
            complete_from=stated.since if stated else None,
            complete_until=stated.until if stated else None,
            delimiter=seen.layout.delimiter,
            line_end=seen.layout.line_end,
            has_header=seen.has_header,
            next_byte=seen.start.byte,
            next_row=seen.start.row,
            touched_at=now,
        )
        if not changed:
            raise RecordsRefused(_("The import has changed meanwhile. Look at it again."))
        note(
            by,
            "records.import",
            records_obj(records.pk),
            now=now,
            diff={
                "connection": (None, mapped.connection_id),
                "complete_from": (None, stated.since.isoformat() if stated else None),
                "complete_until": (None, stated.until.isoformat() if stated else None),
                "tolerance_seconds": (None, mapped.tolerance_seconds),
            },
        )
    records.refresh_from_db()
    return records


def _uploaded(by: Me, records_id: int) -> CallRecordImport:
    found = CallRecordImport.objects.select_related("workspace").filter(
        pk=records_id, workspace=by.here, state=RecordsState.UPLOADED
    )
    records = found.first()
    if records is None:
        raise RecordsRefused(_("There is no such file that waits for its columns."))
    return records


def _require_sense(mapped: Mapped, width: int, taken_at: datetime) -> None:
    if not Connection.objects.filter(pk=mapped.connection_id).exists():
        raise RecordsRefused(_("Choose the connection."), field="connection")
    if "number" not in mapped.columns:
        raise RecordsRefused(_("Say which column has the phone numbers."))
    if not {"at", "smsc_id", "reference"} & set(mapped.columns):
        raise RecordsRefused(_("Say which column has the time; without it nothing can be matched."))
    if any(not 0 <= column < width for column in mapped.columns.values()):
        raise RecordsRefused(_("The file has fewer columns now. Look at it again."))
    if not 0 <= mapped.tolerance_seconds <= MOST_TOLERANCE:
        raise RecordsRefused(_("Clocks differ by a day at the most."), field="tolerance")
    if mapped.stated is not None:
        _require_range(mapped, mapped.stated, taken_at)


def _require_range(mapped: Mapped, stated: Stated, taken_at: datetime) -> None:
    if "at" not in mapped.columns:
        raise RecordsRefused(_("Records without times cannot be complete for a time."))
    if stated.until <= stated.since or stated.until > taken_at:
        raise RecordsRefused(
            _("The time has to end after it begins, and before the file was taken in."),
            field="complete_until",
        )


# --- what the worker does --------------------------------------------------------------------


def step(records_id: int, now: datetime) -> Step:
    """Read the next rows, or settle the next people. The caller sees all workspaces.

    Attempts of every workspace on the connection count as evidence; only those of the import's own
    workspace are settled.
    """
    records = CallRecordImport.objects.select_related("workspace").filter(pk=records_id).first()
    if records is None:
        return DONE
    if records.state == RecordsState.IMPORTING:
        return _read(records, now)
    if records.state == RecordsState.SETTLING:
        return _settle(records, now)
    return DONE


def _read(records: CallRecordImport, now: datetime) -> Step:
    at = Position(records.next_byte, records.next_row)
    layout = Layout(records.encoding, records.delimiter, records.line_end)
    try:
        with path_of(records.workspace.uuid, records.file_key).open("rb") as file:
            chunk = read_chunk(file, layout, at, row_limit=CHUNK_ROWS, byte_limit=CHUNK_BYTES)
    except FileNotFoundError:
        return _fail(records, _("The file is gone from the server. Upload it again."), now)
    is_at_header = records.has_header and at.row == 1
    rows = chunk.rows[1:] if is_at_header else chunk.rows
    reading = _Reading(records, _people(records))
    kept = [made for row in rows if (made := reading.take(*row)) is not None]
    kept += [reading.fault(number, Reason.BROKEN) for number, _cells in chunk.broken]
    with transaction.atomic(durable=True):
        if not _is_next(records, RecordsState.IMPORTING):
            return DONE
        CallRecord.objects.bulk_create(kept, batch_size=1_000)
        CallRecordImport.objects.filter(pk=records.pk).update(
            next_byte=chunk.end.byte,
            next_row=chunk.end.row,
            touched_at=now,
            row_count=records.row_count + len(rows) + len(chunk.broken),
            fault_count=records.fault_count + reading.fault_count,
            other_count=records.other_count + reading.other_count,
            kept_count=records.kept_count + len(kept) - reading.fault_count,
            **({"state": RecordsState.SETTLING} if chunk.is_last else {}),
        )
    return Step(len(rows), is_done=False)


def _is_next(records: CallRecordImport, state: RecordsState) -> bool:
    """Lock the import's row; say whether nobody else has gone on with it."""
    return (
        CallRecordImport.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(
            pk=records.pk,
            state=state,
            next_byte=records.next_byte,
            next_row=records.next_row,
            next_fingerprint=bytes(records.next_fingerprint),
        )
        .exists()
    )


def _people(records: CallRecordImport) -> set[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [records.connection_id, records.created_at - OLDEST])
        return {bytes(row[0]) for row in cursor.fetchall()}


class _Reading:
    """Reads rows of one file; keeps those about people whose message is unknown."""

    def __init__(self, records: CallRecordImport, people: set[bytes]) -> None:
        self.fault_count = self.other_count = 0
        self._records = records
        self._people = people
        self._fingerprint = keys().fingerprinter().fingerprint
        self._columns = records.columns
        self._zone = ZoneInfo(records.zone)

    def take(self, number: int, cells: Sequence[str]) -> CallRecord | None:
        """Return the row to keep, or None when it is about nobody we ask about."""
        digits = normalise(self._cell(cells, "number"), self._records.country)
        if isinstance(digits, Fault):
            return self.fault(number, Reason.BAD_NUMBER)
        fingerprint = self._fingerprint(digits)
        if fingerprint not in self._people:
            self.other_count += 1
            return None
        at = read_time(self._cell(cells, "at"), self._records.time_form, self._zone)
        if at is None and "at" in self._columns:
            return self.fault(number, Reason.BAD_TIME)
        return CallRecord(
            workspace_id=self._records.workspace_id,
            records=self._records,
            row_number=number,
            fingerprint=fingerprint,
            sender=self._cell(cells, "sender").strip()[:21],
            at=at,
            smsc_id=self._cell(cells, "smsc_id").strip()[:65],
            reference=_reference(self._cell(cells, "reference")),
            state=state_of(self._cell(cells, "state")),
        )

    def fault(self, number: int, reason: Reason) -> CallRecord:
        """Return the row of one that cannot be read."""
        self.fault_count += 1
        return CallRecord(
            workspace_id=self._records.workspace_id,
            records=self._records,
            row_number=number,
            reason=reason,
        )

    def _cell(self, cells: Sequence[str], use: str) -> str:
        column = self._columns.get(use)
        return cells[column] if column is not None and column < len(cells) else ""


def _reference(text: str) -> int:
    text = text.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= 5
    return int(text) if is_number and int(text) <= 0xFFFF else 0


def _settle(records: CallRecordImport, now: datetime) -> Step:
    """Judge the next people in the order of their fingerprints."""
    people = sorted(one for one in _asked_about(records) if one > bytes(records.next_fingerprint))
    group = people[:PEOPLE_A_TIME]
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if not _is_next(records, RecordsState.SETTLING):
            return DONE
        cursor.execute("SELECT only_one_settles()")
        accepted, absent = _judge_all(records, group, cursor)
        is_last = len(people) <= PEOPLE_A_TIME
        counts = {
            "accepted_count": records.accepted_count + accepted,
            "absent_count": records.absent_count + absent,
        }
        end = {"state": RecordsState.DONE, "done_at": now} if is_last else {}
        CallRecordImport.objects.filter(pk=records.pk).update(
            next_fingerprint=group[-1] if group else BEYOND, touched_at=now, **counts, **end
        )
        if is_last:
            CallRecord.objects.filter(records=records, reason="").update(reason=Reason.KNOWN)
            record(
                "records.settle",
                workspace=records.workspace.uuid,
                actor=IMPORTER,
                obj=records_obj(records.pk),
                now=now,
                diff={name: (None, count) for name, count in counts.items()},
            )
    return Step(len(group), is_done=is_last)


def _asked_about(records: CallRecordImport) -> set[bytes]:
    """Return the people with records, and with a stated time all whose message is unknown."""
    rows = CallRecord.objects.filter(records=records, reason="").exclude(fingerprint=NOBODY)
    found = {bytes(one) for one in rows.values_list("fingerprint", flat=True).distinct()}
    return found | _people(records) if records.complete_from is not None else found


def _judge_all(records: CallRecordImport, people: Sequence[bytes], cursor: Any) -> tuple[int, int]:
    """Settle what the records of these people tell; return how many were and were not accepted."""
    rows = CallRecord.objects.filter(records=records, reason="", fingerprint__in=people)
    told: dict[bytes, list[Record]] = defaultdict(list)
    for row in rows.order_by("row_number"):
        told[bytes(row.fingerprint)].append(
            Record(row.row_number, row.sender, row.at, row.smsc_id, row.reference, row.state)
        )
    attempts, own = _attempts(records, people, cursor)
    accepted = absent = 0
    reasons: dict[int, Reason] = {}
    for one in people:
        found = judge(attempts[one], told[one], _tolerance(records), _stated(records))
        reasons |= found.reasons
        accepted += _accept(found, own, records, cursor)
        absent += _deny(found, own, cursor)
    _explain(records, reasons)
    return accepted, absent


def _tolerance(records: CallRecordImport) -> timedelta:
    return timedelta(seconds=records.tolerance_seconds)


def _stated(records: CallRecordImport) -> Stated | None:
    since, until = records.complete_from, records.complete_until
    return Stated(since, until) if since is not None and until is not None else None


def _attempts(
    records: CallRecordImport, people: Sequence[bytes], cursor: Any
) -> tuple[dict[bytes, list[Attempt]], set[Any]]:
    """Return all attempts to reach these people, and which are of the import's own workspace."""
    values = [records.connection_id, list(people), records.created_at - OLDEST]
    cursor.execute(ATTEMPTS, values)
    found: dict[bytes, list[Attempt]] = defaultdict(list)
    own = set()
    for row in cursor.fetchall():
        person, batch_on, batch, workspace, campaign, position, part = row[:7]
        sender, kind, smsc_id, since, until = row[7:]
        key = (batch_on.isoformat(), batch, position, part)
        attempt = Attempt(
            key=key,
            message=(campaign, position),
            sender=sender,
            since=since,
            until=until,
            fate="sending" if kind == "resent" else kind,
            smsc_id=smsc_id,
            reference=segment_reference(campaign, position, part),
        )
        found[bytes(person)].append(attempt)
        if workspace == records.workspace_id:
            own.add(key)
    return found, own


def _accept(found: Judgement, own: set[Any], records: CallRecordImport, cursor: Any) -> int:
    count = 0
    for one in found.accepted:
        if one.attempt.key not in own:
            continue
        cursor.execute(
            "SELECT settle_as_accepted(%s, %s, %s, %s, %s, %s, '', %s, 'records')",
            [*one.attempt.key, one.smsc_id, one.state, datetime.now(UTC)],
        )
        count += bool(cursor.fetchone()[0])
    return count


def _deny(found: Judgement, own: set[Any], cursor: Any) -> int:
    count = 0
    for attempt in found.absent:
        if attempt.key in own:
            cursor.execute("SELECT settle_as_absent(%s, %s, %s, %s, %s)", [*attempt.key, ABSENT])
            count += bool(cursor.fetchone()[0])
    return count


def _explain(records: CallRecordImport, reasons: Mapping[int, Reason]) -> None:
    by_reason: dict[Reason, list[int]] = defaultdict(list)
    for row, reason in reasons.items():
        by_reason[reason].append(row)
    for reason, rows in by_reason.items():
        CallRecord.objects.filter(records=records, row_number__in=rows).update(reason=reason)


def _fail(records: CallRecordImport, sentence: str, now: datetime) -> Step:
    CallRecordImport.objects.filter(pk=records.pk, state=records.state).update(
        state=RecordsState.FAILED, failure=sentence, touched_at=now
    )
    return DONE


def imports_under_way(now: datetime) -> list[int]:
    """Return the imports that have lost their worker."""
    return list(
        CallRecordImport.objects.filter(
            state__in=[RecordsState.IMPORTING, RecordsState.SETTLING],
            touched_at__lt=now - timedelta(seconds=LOST_SECONDS),
        )
        .order_by("pk")
        .values_list("pk", flat=True)[:100]
    )


def forget_records(now: datetime) -> int:
    """Remove files that nobody needs any more: they hold clear numbers. Return how many."""
    old = CallRecordImport.objects.select_related("workspace").exclude(file_key="")
    gone = [
        one
        for one in old.filter(touched_at__lt=now - timedelta(days=KEPT_DAYS)).order_by("pk")[:100]
        if one.state not in {RecordsState.IMPORTING, RecordsState.SETTLING}
    ]
    for one in gone:
        path_of(one.workspace.uuid, one.file_key).unlink(missing_ok=True)
        CallRecordImport.objects.filter(pk=one.pk).update(file_key="")
    return len(gone)
