"""Call records of an SMSC: a file taken in, its columns named, its import ordered."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions.list_files import append_to, flush, new_key, require_room
from campaigns.actions.settling import records_obj
from campaigns.models import CallRecordImport, RecordsState
from campaigns.queries.list_files import blocks, path_of
from campaigns.queries.unknowns import Asked, connections_with_unknowns
from campaigns.rules.call_records import (
    Stated,
)
from campaigns.rules.encodings import HEAD_BYTES, Inspection
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import Look, Wish, look
from smpp_client.models import RouteConnection
from workspaces.actions.noting import note
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

KEPT_DAYS = 2
MOST_TOLERANCE = 86_400


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
            diff={"size_bytes": (None, size_bytes)},
            personal={"sha256": made.sha256},
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
    _require_connection(by, mapped.connection_id)
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


def _require_connection(by: Me, connection_id: int) -> None:
    """One that the workspace may send over, or did: it may have lost the route since."""
    granted = RouteConnection.objects.filter(
        connection=connection_id, route__grants__workspace=by.here
    )
    used = {pk for pk, _name, _count in connections_with_unknowns(Asked(by.here.pk))}
    if connection_id not in used and not granted.exists():
        raise RecordsRefused(_("Choose the connection."), field="connection")


def _require_sense(mapped: Mapped, width: int, taken_at: datetime) -> None:
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


def take_left(*, by: Me, records: CallRecordImport, now: datetime) -> None:
    """Record that the caller takes the records that settled nothing, with their numbers."""
    with transaction.atomic(durable=True):
        note(by, "records.take", records_obj(records.pk), now=now)


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
