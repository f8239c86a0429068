"""An import of call records against the rows of a campaign."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.actions.records import (
    Mapped,
    RecordsRefused,
    forget_records,
    start_import,
    take_records,
)
from campaigns.actions.settling import step
from campaigns.models import (
    Batch,
    CallRecord,
    CallRecordImport,
    RecordsState,
    Submission,
)
from campaigns.queries.list_files import path_of
from campaigns.rules.call_records import Reason, Stated
from campaigns.rules.layouts import Wish
from smpp_client.carrier import Kind, Segment
from smpp_client.models import RouteGrant
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived
from tests.campaigns.sending.test_receipts import unknown
from tests.workspaces.log import ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

COLUMNS = {"at": 0, "smsc_id": 1, "sender": 2, "number": 3, "state": 4}


@pytest.fixture(autouse=True)
def uploads(settings: Settings, tmp_path: Path) -> None:
    """Uploaded files lie in this test's own folder."""
    settings.UPLOAD_DIR = tmp_path / "uploads"


def line(segment: Segment, smsc_id: str, state: str = "DELIVRD") -> str:
    """Write a record of a segment."""
    at = timezone.now().isoformat()
    return f"{at},{smsc_id},{segment.source.value},+{segment.destination.value},{state}"


def bring_in(
    desk: Ground,
    lines: Sequence[str],
    *,
    stated: Stated | None = None,
    tolerance: int = 60,
    by: Me | None = None,
) -> CallRecordImport:
    """Upload records, order their import and do the worker's work."""
    data = "\n".join(["time,id,from,to,status", *lines]).encode()
    now, by = timezone.now(), by or desk.author
    taken = take_records(
        by=by, file=BytesIO(data), file_name="cdr.csv", size_bytes=len(data), now=now
    )
    mapped = Mapped(
        desk.connection.pk, COLUMNS, "", "iso", "UTC", tolerance, stated, Wish(has_header=True)
    )
    start_import(by=by, records_id=taken.pk, mapped=mapped, now=now)
    while not step(taken.pk, timezone.now()).is_done:
        pass
    taken.refresh_from_db()
    return taken


def reasons(records: CallRecordImport) -> list[str]:
    """Return the reason of each row that was kept, in order."""
    rows = CallRecord.objects.filter(records=records).order_by("row_number")
    return list(rows.values_list("reason", flat=True))


def test_records_settle_what_they_have_and_leave_the_rest(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=4)
    records = bring_in(
        desk,
        [
            line(segments[0], "a"),
            line(segments[1], "b", "UNDELIV"),
            line(segments[2], "c", "ACCEPTD"),
        ],
    )
    wanted = {"delivered": 1, "undelivered": 1, "submitted": 1, "unknown": 1}
    assert counts(campaign) == wanted == derived(campaign)
    assert records.state == RecordsState.DONE
    assert (records.row_count, records.accepted_count, records.absent_count) == (3, 3, 0)
    assert reasons(records) == [Reason.SETTLED] * 3
    assert set(Submission.objects.filter(kind="submitted").values_list("evidence", "smsc_id")) == {
        ("records", "a"),
        ("records", "b"),
        ("records", "c"),
    }


def test_a_receipt_that_comes_after_the_records_finds_its_message_by_the_id(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=1)
    key = segments[0].key
    bring_in(desk, [line(segments[0], f"id-{key.batch_id}-{key.position}-1", "ACCEPTD")])
    desk.receipts(segments, "delivered")
    assert counts(campaign) == {"delivered": 1} == derived(campaign)


def test_complete_records_say_what_was_never_there(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=3)
    now = timezone.now()
    Submission.objects.update(happened_at=now - timedelta(minutes=10))
    _batch_back(now - timedelta(minutes=11))
    early = f"{(now - timedelta(minutes=11)).isoformat()},a,{segments[0].source.value},"
    records = bring_in(
        desk,
        [f"{early}+{segments[0].destination.value},DELIVRD"],
        stated=Stated(now - timedelta(hours=1), now - timedelta(seconds=1)),
    )
    assert counts(campaign) == {"delivered": 1, "refused": 2} == derived(campaign)
    assert records.absent_count == 2
    cause = Submission.objects.filter(kind="refused").values_list("cause", "evidence").distinct()
    assert list(cause) == [("not in the SMSC's call records", "records")]


def _batch_back(at: datetime) -> None:
    Batch.objects.update(opened_at=at)


def test_rows_that_cannot_be_read_are_told_and_others_are_only_counted(desk: Ground) -> None:
    _campaign, segments = unknown(desk, rows=1)
    number = segments[0].destination.value
    records = bring_in(
        desk,
        [
            f"{timezone.now().isoformat()},x,Care,no number,DELIVRD",
            f"yesterday,x,Care,+{number},DELIVRD",
            f"{timezone.now().isoformat()},x,Care,+{make.number(500)},DELIVRD",
        ],
    )
    assert reasons(records) == [Reason.BAD_NUMBER, Reason.BAD_TIME]
    assert (records.fault_count, records.other_count, records.kept_count) == (2, 1, 0)


def test_two_records_for_one_message_settle_nothing(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=1)
    records = bring_in(desk, [line(segments[0], "a"), line(segments[0], "b")])
    assert counts(campaign) == {"unknown": 1}
    assert reasons(records) == [Reason.MORE] * 2


def test_a_step_done_twice_settles_once(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=2)
    records = bring_in(desk, [line(one, "a") for one in segments])
    assert step(records.pk, timezone.now()).is_done
    assert counts(campaign) == {"delivered": 2} == derived(campaign)
    CallRecordImport.objects.filter(pk=records.pk).update(
        state=RecordsState.SETTLING, next_fingerprint=b""
    )
    step(records.pk, timezone.now())
    assert counts(campaign) == {"delivered": 2} == derived(campaign)


def neighbour(desk: Ground) -> Me:
    """Return somebody of another workspace that sends over the same route."""
    found = make.person_in(make.workspace(), Role.ADMIN)
    RouteGrant.objects.create(workspace=found.here, route=desk.route, created_at=timezone.now())
    return found


def test_a_file_tells_nothing_of_whom_another_workspace_wrote_to(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=1)
    records = bring_in(desk, [line(segments[0], "a")], by=neighbour(desk))
    assert counts(campaign) == {"unknown": 1}
    assert (records.kept_count, records.other_count, reasons(records)) == (0, 1, [])


def test_what_fits_only_another_workspaces_message_fits_none(desk: Ground) -> None:
    other = neighbour(desk)
    theirs, their_segments = unknown(replace(desk, author=other))
    mine, segments = unknown(desk)
    assert segments[0].destination == their_segments[0].destination
    records = bring_in(desk, [line(their_segments[0], "a"), line(segments[0], "b")])
    assert reasons(records) == [Reason.NO_MATCH, Reason.SETTLED]
    assert counts(theirs) == {"unknown": 1} == derived(theirs)
    assert counts(mine) == {"delivered": 1} == derived(mine)


def test_messages_of_another_workspace_count_as_evidence(desk: Ground) -> None:
    other = neighbour(desk)
    theirs, _segments = unknown(replace(desk, author=other))
    mine, segments = unknown(desk)
    nameless = line(segments[0], "a").replace(f",{segments[0].source.value},", ",,")
    records = bring_in(desk, [nameless])
    assert reasons(records) == [Reason.FEWER]
    assert counts(mine) == counts(theirs) == {"unknown": 1}


def test_records_are_of_a_connection_that_the_workspace_sends_over(desk: Ground) -> None:
    _campaign, segments = unknown(desk, rows=1)
    stranger = make.person_in(make.workspace(), Role.ADMIN)
    with pytest.raises(RecordsRefused, match="Choose the connection"):
        bring_in(desk, [line(segments[0], "a")], by=stranger)
    RouteGrant.objects.all().delete()
    assert bring_in(desk, [line(segments[0], "a")]).accepted_count == 1


def test_records_need_a_time_or_an_id_and_a_number(desk: Ground) -> None:
    data = b"a,b\n447700900001,x\n"
    now = timezone.now()
    taken = take_records(
        by=desk.author, file=BytesIO(data), file_name="x.csv", size_bytes=len(data), now=now
    )
    mapped = Mapped(desk.connection.pk, {"number": 0}, "", "iso", "UTC", 60, None, Wish())
    with pytest.raises(RecordsRefused, match="time"):
        start_import(by=desk.author, records_id=taken.pk, mapped=mapped, now=now)


def test_every_step_is_in_the_audit_log_and_the_file_goes(desk: Ground) -> None:
    _campaign, segments = unknown(desk, rows=1)
    records = bring_in(desk, [line(segments[0], "a")])
    done = [op for op, _obj, _diff in ops(desk.author.here) if op.startswith("records.")]
    assert done == ["records.upload", "records.import", "records.settle"]
    path = path_of(desk.author.here.uuid, records.file_key)
    assert path.exists()
    assert forget_records(timezone.now() + timedelta(days=3)) == 1
    assert not path.exists()


def test_a_late_refusal_is_not_undone_by_records(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=1)
    desk.record(segments, Kind.REFUSED, 0x0B)
    bring_in(desk, [line(segments[0], "a")])
    assert counts(campaign) == {"refused": 1}
