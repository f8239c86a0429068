"""Call records read in chunks and held against what is unknown, one step at a time.

The import's row is the work order: `next_byte` says where reading goes on and `next_fingerprint`
where settling does; both move in the transaction that stores what came before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.models import CallRecord, CallRecordImport, RecordsState
from campaigns.queries.list_files import path_of
from campaigns.rules.call_records import Attempt, Judgement, Reason, Record, Stated, judge, state_of
from campaigns.rules.faults import Fault
from campaigns.rules.numbers import normalise
from campaigns.rules.record_times import read_time
from campaigns.rules.references import segment_reference
from campaigns.rules.spreadsheets import Layout, Position, read_chunk
from workspaces.queries.keys import keys

CHUNK_ROWS = 20_000
CHUNK_BYTES = 8_000_000
# Their campaigns' counters are held for as long, and claims wait for them: some tenths of a second.
PEOPLE_A_TIME = 100
# A record may be as old as the messages that somebody still asks about.
OLDEST = timedelta(days=62)
LOST_SECONDS = 15
ABSENT = "not in the SMSC's call records"
NOBODY = b""
BEYOND = b"\xff" * 17
IMPORTER = Actor(kind="system", id="records")

# People to whom the workspace has a message that is unknown on this connection. Nobody learns from
# his file whom other workspaces wrote to.
PEOPLE = """
SELECT DISTINCT m.fingerprint
FROM submission s JOIN campaign c ON c.id = s.campaign_id
JOIN message m ON m.frozen_on = c.frozen_on AND m.campaign_id = s.campaign_id
    AND m.position = s.position
WHERE s.kind = 'unknown' AND s.workspace_id = %s AND s.connection_id = %s AND s.happened_at >= %s
"""
ATTEMPTS = "SELECT * FROM attempts_of_subscribers(%s, %s, %s)"


@dataclass(frozen=True)
class Step:
    """What one step did."""

    row_count: int
    is_done: bool


DONE = Step(0, is_done=True)


def records_obj(records_id: int) -> Obj:
    """Return an import of call records as the audit log names it."""
    return Obj("call_records", f"rec_{records_id}")


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
        since = records.created_at - OLDEST
        cursor.execute(PEOPLE, [records.workspace_id, records.connection_id, since])
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
        mine = [attempt for attempt in attempts[one] if attempt.key in own]
        seen = judge(mine, told[one], _tolerance(records))
        reasons |= _shown(found.reasons, seen.reasons)
        accepted += _accept(found, own, records, cursor)
        absent += _deny(found, own, cursor)
    _explain(records, reasons)
    return accepted, absent


def _shown(found: Mapping[int, Reason], seen: Mapping[int, Reason]) -> dict[int, Reason]:
    """Return the reasons by all attempts, but for records that fit none of the workspace's own:
    what they fit is another's.
    """
    no_match = Reason.NO_MATCH
    return {row: no_match if seen[row] is no_match else why for row, why in found.items()}


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
