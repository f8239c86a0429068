"""Exports of evidence: asked for with a reason, released by a second person where they disclose
personal values, written by a worker, taken away, deleted when their time is over.

Every step is in the log, in the transaction that takes it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.exporting.bundle import Written
from audit.actions.record import record
from audit.models import Export
from audit.rules.canonical import stamp
from audit.rules.events import Actor, Diff, Obj
from audit.rules.export_states import MOVES, UNFINISHED, State
from audit.rules.reasons import SHORTEST_REASON

LONGEST_REASON = 500
MOST_UNFINISHED = 3
# A worker touches its row every second; one that is silent so long is gone.
LOST = timedelta(seconds=90)
# The sequencer and the signer need a second each.
PATIENCE = timedelta(minutes=10)
# No export takes so long: one that is still not written loses every worker.
LONGEST = timedelta(hours=2)
WORKER = Actor("system", "exporter")


class ExportRefused(ValueError):
    """The export is not as one can have it; the sentence is for people, at `field` if named."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class Place(Protocol):
    """A workspace."""

    @property
    def uuid(self) -> UUID: ...


class Person(Protocol):
    """Who acts, as the gate hands him over."""

    @property
    def actor(self) -> Actor: ...
    @property
    def person_id(self) -> int: ...
    @property
    def request_id(self) -> str: ...
    @property
    def here(self) -> Place: ...


def ask(
    *,
    by: Person,
    since: datetime | None,
    until: datetime | None,
    shows_values: bool,
    reason: str,
    now: datetime,
) -> Export:
    """Ask for the evidence of a period, from `since` (None: the beginning) to `until` (None: now).

    With `shows_values` it waits until another person releases it. Raises ExportRefused.
    """
    reason = checked_reason(reason)
    check_period(since, until, now)
    ws = by.here.uuid
    with transaction.atomic(durable=True):
        if Export.objects.filter(ws=ws, state__in=UNFINISHED).count() >= MOST_UNFINISHED:
            raise ExportRefused(_("Three exports are under way. Wait until one of them is done."))
        export = Export.objects.create(
            ws=ws,
            state=State.WAITING if shows_values else State.QUEUED,
            since=since,
            until=until,
            shows_values=shows_values,
            reason=reason,
            asked_by=by.actor.id,
            asked_person=by.person_id,
            asked_at=now,
            # Known only when the entry is written; nobody sees the row before.
            forced_by=uuid4(),
            touched_at=now,
        )
        export.forced_by = _note(
            by, "export.create", export, now=now, why=reason, diff=period(export)
        )
        export.save(update_fields=["forced_by"])
    return export


def release(*, export_id: int, by: Person, note: str, now: datetime) -> None:
    """Let an export with personal values be written; not by who asked. Raises ExportRefused."""
    _decide(export_id, by, note, now, is_released=True)


def refuse(*, export_id: int, by: Person, note: str, now: datetime) -> None:
    """Refuse an export with personal values, with words. Raises ExportRefused."""
    if not note.strip():
        raise ExportRefused(_("Say why, so that the other person knows."), field="note")
    _decide(export_id, by, note, now, is_released=False)


def _decide(export_id: int, by: Person, note: str, now: datetime, *, is_released: bool) -> None:
    note = note.strip()[:LONGEST_REASON]
    with transaction.atomic(durable=True):
        export = _of(by, export_id)
        if export.asked_person == by.person_id:
            raise ExportRefused(_("You asked for this yourself. Another person has to decide."))
        op = "export.approve" if is_released else "export.refuse"
        event = _note(by, op, export, now=now, why=note)
        moved = _move(
            export.pk,
            State.WAITING,
            State.QUEUED if is_released else State.REFUSED,
            decided_by=by.actor.id,
            decided_person=by.person_id,
            decided_at=now,
            decision_note=note,
            forced_by=event,
            touched_at=now,
        )
        if not moved:
            raise ExportRefused(_("Somebody decided this already. Look again."))


def take(export_id: int, *, now: datetime) -> Export | None:
    """Become the worker of a queued export, or of one that lost its worker; None when it is not
    to be had.
    """
    lost = Export.objects.filter(pk=export_id, state=State.RUNNING, touched_at__lt=now - LOST)
    for export in lost:
        if now - export.began_at > LONGEST:
            fail(export, problem=_("Every worker that wrote it was lost before the end."), now=now)
    lost.update(state=State.QUEUED)
    if not _move(export_id, State.QUEUED, State.RUNNING, touched_at=now, done=0, total=0):
        return None
    return Export.objects.get(pk=export_id)


def touch(export: Export, *, done: int, total: int, now: datetime) -> None:
    """Show that the worker lives and how far it is."""
    running = Export.objects.filter(pk=export.pk, state=State.RUNNING)
    running.update(touched_at=now, done=done, total=total)


def give_back(export: Export, *, now: datetime, problem: str = "") -> None:
    """Let the export wait for its checkpoint, or for the end of a problem (a sentence); fail it
    when that takes too long.
    """
    if now - export.began_at > PATIENCE:
        problem = problem or _("No checkpoint came: the sequencer or the signer does not run.")
        fail(export, problem=problem, now=now)
        return
    _move(export.pk, State.RUNNING, State.QUEUED, touched_at=now)


def finish(
    export: Export,
    *,
    written: Written,
    file: str,
    size: int,
    sha256: str,
    days: float,
    now: datetime,
) -> bool:
    """Record that the archive lies ready; False when the export was taken over meanwhile."""
    with transaction.atomic(durable=True):
        moved = _move(
            export.pk,
            State.RUNNING,
            State.READY,
            file=file,
            size=size,
            sha256=sha256,
            manifest_sha256=written.manifest_sha256,
            entry_count=written.entry_count,
            ended_at=now,
            expires_at=now + timedelta(days=days),
        )
        if moved:
            _note_system("export.ready", export, now=now, diff=result(written))
    return moved


def fail(export: Export, *, problem: str, now: datetime) -> None:
    """Record that no evidence was written, and why."""
    with transaction.atomic(durable=True):
        problem = problem[:LONGEST_REASON]
        if _move(export.pk, State.RUNNING, State.FAILED, problem=problem, ended_at=now):
            _note_system("export.ready", export, now=now, why=problem, is_failed=True)


def download(*, export_id: int, by: Person, now: datetime) -> Export:
    """Record that somebody takes the archive away and return the export. Raises ExportRefused."""
    with transaction.atomic(durable=True):
        export = _of(by, export_id)
        if export.state != State.READY or (export.expires_at and export.expires_at <= now):
            raise ExportRefused(_("The file is deleted. Ask for it again."))
        diff = {"sha256": (None, export.sha256), "values": (None, export.shows_values)}
        _note(by, "export.download", export, now=now, diff=diff)
    return export


def expire(*, now: datetime, remove: Callable[[str], None]) -> int:
    """Delete the archives whose time is over; return how many."""
    old = Export.objects.filter(state=State.READY, expires_at__lte=now)
    count = 0
    for export in old.order_by("pk"):
        remove(export.file)
        with transaction.atomic(durable=True):
            if _move(export.pk, State.READY, State.EXPIRED):
                _note_system("export.expire", export, now=now)
                count += 1
    return count


def checked_reason(reason: str) -> str:
    """Return a reason on one line; raise ExportRefused for none, or one that says nothing."""
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise ExportRefused(
            _("Say why, in 10 to 500 characters. It stands in the log and in the evidence."),
            field="reason",
        )
    return said


def check_period(since: datetime | None, until: datetime | None, now: datetime) -> None:
    """Raise ExportRefused for a period that is not over, or that ends before it begins."""
    if until is not None and until > now:
        raise ExportRefused(
            _("This is in the future. Leave it empty for evidence up to now."), field="until"
        )
    if since is not None and since >= (until or now):
        raise ExportRefused(_("The period ends before it begins."), field="since")


def period(export: Export) -> Diff:
    """Return what an export covers, as its entry says it."""
    return {
        "from": (None, stamp(export.since) if export.since else None),
        "to": (None, stamp(export.until) if export.until else None),
        "values": (None, export.shows_values),
    }


def result(written: Written) -> Diff:
    """Return what was written, as its entry says it: whoever shows a bundle can be told by it."""
    return {
        "entries": (None, written.entry_count),
        "first": (None, written.first_seq),
        "last": (None, written.last_seq),
        "epochs": (None, written.epoch_count),
        "manifest": (None, written.manifest_sha256),
    }


def _of(by: Person, export_id: int) -> Export:
    export = Export.objects.filter(pk=export_id, ws=by.here.uuid).first()
    if export is None:
        raise ExportRefused(_("There is no such export."))
    return export


def _move(export_id: int, before: State, after: State, **fields: Any) -> bool:
    """Move an export by compare-and-set and say whether it was there."""
    if after not in MOVES[before]:
        raise ValueError(f"An export cannot move from {before} to {after}.")
    found = Export.objects.filter(pk=export_id, state=before)
    return bool(found.update(state=after, **fields))


def _obj(export: Export) -> Obj:
    return Obj("export", f"exp_{export.pk}")


def _note(
    by: Person,
    op: str,
    export: Export,
    *,
    now: datetime,
    why: str = "",
    diff: Diff | None = None,
) -> UUID:
    return record(
        op,
        workspace=export.ws,
        actor=by.actor,
        obj=_obj(export),
        now=now,
        why=why,
        diff=diff,
        request_id=by.request_id,
    )


def _note_system(
    op: str,
    export: Export,
    *,
    now: datetime,
    why: str = "",
    diff: Diff | None = None,
    is_failed: bool = False,
) -> UUID:
    return record(
        op,
        workspace=export.ws,
        actor=WORKER,
        obj=_obj(export),
        now=now,
        why=why,
        diff=diff,
        result="failed" if is_failed else "ok",
    )
