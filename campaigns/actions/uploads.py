"""Uploads of recipient lists, in pieces that can be sent again from where they broke off.

The file's bytes on disk are the progress; the row says what they are for. Only the person who began
an upload goes on with it: he is the uploader whom four eyes compares.
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import PurePosixPath, PureWindowsPath

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions.list_files import (
    Stream,
    TooLarge,
    UploadRefused,
    append_to,
    flush,
    new_key,
    require_room,
)
from campaigns.actions.list_moves import fail, list_obj, move, overtaken, under_way
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import blocks, file_of, look_at, received
from campaigns.rules.encodings import Inspection
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import Look
from campaigns.rules.sizes import size_in_words
from workspaces.actions.noting import note
from workspaces.queries.me import Me

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".zip")
UPLOAD_HOURS = 24


def start_upload(
    *, by: Me, file_name: str, size_bytes: int, now: datetime, name: str = ""
) -> RecipientList:
    """Begin an upload of so many bytes. Raises UploadRefused."""
    file_name = _base_name(file_name)
    if file_name.lower().endswith(WORKBOOKS):
        raise UploadRefused(_(FILE_FAULTS[FileFault.WORKBOOK]), field="file")
    if size_bytes <= 0:
        raise UploadRefused(_(FILE_FAULTS[FileFault.EMPTY]), field="file")
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        most = size_in_words(settings.MAX_UPLOAD_BYTES)
        raise TooLarge(
            _("A file may have %(most)s at the most. Split the list.") % {"most": most},
            field="file",
        )
    require_room(size_bytes)
    return RecipientList.objects.create(
        workspace=by.here,
        name=(" ".join(name.split()) or PurePosixPath(file_name).stem or _("List"))[:120],
        file_name=file_name,
        file_key=new_key(),
        size_bytes=size_bytes,
        uploaded_by=by.user,
        uploaded_person_id=by.person_id,
        created_at=now,
        touched_at=now,
    )


def append(*, by: Me, list_id: int, offset: int, stream: Stream, now: datetime) -> int:
    """Add a piece that begins at byte `offset`; return how many bytes have arrived.

    Raises ListRefused, UploadRefused.
    """
    lst = under_way(by, list_id, ListState.UPLOADING)
    size = append_to(file_of(lst), offset, stream, lst.size_bytes)
    RecipientList.objects.filter(pk=lst.pk, workspace=by.here).update(touched_at=now)
    return size


def finish_upload(*, by: Me, list_id: int, now: datetime) -> RecipientList:
    """Take the whole file in: hash it, find its encoding and what it looks like.

    A file that cannot be read makes the list fail, with a sentence; it is returned in that state.
    Raises ListRefused, UploadRefused when bytes are missing.
    """
    lst = under_way(by, list_id, ListState.UPLOADING)
    path = file_of(lst)
    missing = lst.size_bytes - received(lst)
    if missing:
        raise UploadRefused(
            _("%(missing)s of the file have not arrived yet.")
            % {"missing": size_in_words(missing)},
            code="not_complete",
        )
    flush(path)
    inspection, digest = Inspection(), hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
        inspection.feed(block)
    encoding = inspection.finish()
    if isinstance(encoding, FileFault):
        return _cannot_read(by, lst, encoding, now)
    lst.encoding = encoding
    seen = look_at(lst, settings.DEFAULT_COUNTRY)
    if isinstance(seen, FileFault):
        return _cannot_read(by, lst, seen, now)
    return _uploaded(by, lst, seen, digest.hexdigest(), now)


def _uploaded(by: Me, lst: RecipientList, seen: Look, digest: str, now: datetime) -> RecipientList:
    with transaction.atomic(durable=True):
        move(
            lst,
            ListState.UPLOADING,
            ListState.UPLOADED,
            now,
            sha256=digest,
            encoding=lst.encoding,
            delimiter=seen.layout.delimiter,
            line_end=seen.layout.line_end,
            has_header=seen.has_header,
            header=list(seen.header),
            number_column=seen.number_column,
        )
        note(
            by,
            "list.upload",
            list_obj(lst.pk),
            now=now,
            diff={"size_bytes": (None, lst.size_bytes)},
            # Of a file with one number in it, whoever reads the log could find the number by it.
            personal={"sha256": digest},
        )
    return lst


def _cannot_read(by: Me, lst: RecipientList, fault: FileFault, now: datetime) -> RecipientList:
    sentence = _(FILE_FAULTS[fault])
    with transaction.atomic(durable=True):
        move(lst, ListState.UPLOADING, ListState.FAILED, now, failure=sentence)
        note(by, "list.fail", list_obj(lst.pk), now=now, diff={"fault": (None, fault.value)})
    return lst


def discard(*, by: Me, list_id: int, now: datetime) -> None:
    """Drop an upload that is not wanted, with its file. Raises ListRefused."""
    lst = under_way(by, list_id, ListState.UPLOADING, ListState.UPLOADED)
    path = file_of(lst)
    with transaction.atomic(durable=True):
        gone, _models = RecipientList.objects.filter(
            pk=lst.pk, workspace=by.here, state=lst.state
        ).delete()
        if not gone:
            raise overtaken()
        note(by, "list.delete", list_obj(list_id), now=now)
    path.unlink(missing_ok=True)


def give_up_uploads(now: datetime) -> int:
    """Let uploads fail that nobody has gone on with for a day; return how many."""
    count = 0
    left = RecipientList.objects.select_related("workspace").filter(
        state__in=[ListState.UPLOADING, ListState.UPLOADED],
        touched_at__lt=now - timedelta(hours=UPLOAD_HOURS),
    )
    for lst in left.order_by("pk")[:100]:
        count += fail(
            lst,
            _("The upload was not finished within a day. Upload the file again."),
            code="left",
            now=now,
        )
    return count


def forget_file(lst: RecipientList) -> None:
    """Remove the file of a list that is ready or has failed: it holds clear numbers.

    A worker that finds another one at the list comes here too: that one goes on reading.
    """
    done = RecipientList.objects.filter(
        pk=lst.pk,
        workspace_id=lst.workspace_id,
        state__in=[ListState.READY, ListState.FAILED],
    )
    if lst.file_key and done.exists():
        file_of(lst).unlink(missing_ok=True)
        done.update(file_key="")


def _base_name(file_name: str) -> str:
    """Return the last part of what a browser calls a file, without marks nobody sees."""
    base = PureWindowsPath(PurePosixPath(file_name).name).name
    return "".join(mark for mark in base if mark.isprintable())[:255]
