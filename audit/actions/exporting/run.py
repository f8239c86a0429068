"""A worker's part of an export: from a row that is queued to an archive that lies ready."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _

from audit.actions import exports
from audit.actions.exporting.archive import pack
from audit.actions.exporting.bundle import Order, Written, write_bundle
from audit.actions.exporting.site import WITNESS_PATIENCE, has_witness, this_site
from audit.actions.exporting.telling import Cover
from audit.models import Export, Head
from audit.queries import names, places
from audit.queries.export_span import NotYet
from audit.queries.system import every_chain
from audit.rules.bundle import CannotExport
from audit.rules.chain import Broken
from audit.rules.export_states import State

TOUCH_SECONDS = 1.0
# No task lives so long, so what is older is nobody's.
LEFT_SECONDS = 7_200.0

log = logging.getLogger("audit.export")

Clock = Callable[[], datetime]


def run(export_id: int, clock: Clock) -> bool:
    """Write one export if it is to be had; return False when it must wait for its checkpoint."""
    with every_chain():
        export = exports.take(export_id, now=clock())
    if export is None:
        return True
    try:
        _write(export, clock)
    except NotYet:
        with every_chain():
            exports.give_back(export, now=clock())
        return False
    except (CannotExport, Broken) as problem:
        code = f"{problem.code}: " if isinstance(problem, Broken) else ""
        with every_chain():
            exports.fail(export, problem=f"{code}{problem}", now=clock())
    except (OSError, DatabaseError, psycopg.Error) as problem:
        # A full disk or a database that went away: the sweep tries again, for a while.
        log.exception("Export %s could not be written.", export.pk)
        with every_chain():
            exports.give_back(export, now=clock(), problem=_said(problem))
    return True


def _said(problem: Exception) -> str:
    """Return what went wrong without paths and rows, which are nobody's business on a page."""
    if isinstance(problem, OSError):
        reason = problem.strerror or type(problem).__name__
        return _("The files could not be written: %(reason)s.") % {"reason": reason}
    return _("The database did not answer while the evidence was written.")


def folder() -> Path:
    """Return where archives lie."""
    return Path(settings.AUDIT_EXPORT_DIR)


def remove(name: str) -> None:
    """Delete an archive; one that is gone already is fine."""
    (folder() / name).unlink(missing_ok=True)


def sweep(clock: Clock) -> list[int]:
    """Delete what is over and return the exports that need a worker."""
    with every_chain():
        exports.expire(now=clock(), remove=remove)
        _clear(clock())
        lost = clock() - exports.LOST
        queued = Export.objects.filter(state=State.QUEUED)
        running = Export.objects.filter(state=State.RUNNING, touched_at__lt=lost)
        return sorted((queued | running).values_list("pk", flat=True))


def _clear(now: datetime) -> None:
    """Remove what workers left that were killed: half bundles, and archives that no row names."""
    kept = set(Export.objects.filter(state=State.READY).values_list("file", flat=True))
    for path in folder().glob("*-*"):
        if path.name in kept or now.timestamp() - path.stat().st_mtime < LEFT_SECONDS:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _write(export: Export, clock: Clock) -> None:
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{export.pk}-", dir=folder()))
    try:
        with places.inside(export.ws) as place:
            total = _total(export)
            now = clock()
            order = Order(
                ws=export.ws,
                since=export.since,
                until=export.until,
                forced_by=export.forced_by,
                shows_values=export.shows_values,
                waits_for_witness=now - export.began_at < WITNESS_PATIENCE and has_witness(now=now),
            )
            cover = _cover(export, place, now)
            told = _Progress(export, total, clock)
            written = write_bundle(order, this_site(), aside / "bundle", cover, told)
            name = file_name(place.slug or "system", written)
            # A name of its own: another worker may have taken the export over.
            file = folder() / f"{aside.name}.zip"
            size, digest = pack(aside / "bundle", file, name=name, told=told)
            is_ours = exports.finish(
                export,
                written=written,
                file=file.name,
                size=size,
                sha256=digest,
                days=settings.EVIDENCE_DAYS,
                now=clock(),
            )
        if not is_ours:
            file.unlink()
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def file_name(slug: str, written: Written) -> str:
    """Return the name of a bundle's folder: whose, and up to when."""
    return f"evidence-{slug}-{written.ends_at[:10]}"


def _total(export: Export) -> int:
    """Return about how much there is to write: entries and epochs."""
    head = Head.objects.filter(ws=export.ws).first()
    return head.seq if head else 0


def _cover(export: Export, place: places.Place, now: datetime) -> Cover:
    people = names.names("user", [one for one in (export.asked_by, export.decided_by) if one])
    return Cover(
        name=place.name,
        reason=export.reason,
        asked_by=_named(export.asked_by, people.get(export.asked_by, "")),
        decided_by=_named(export.decided_by, people.get(export.decided_by, "")),
        made_at=now,
        shows_values=export.shows_values,
    )


def _named(one: str, name: str) -> str:
    return f"{name} ({one})" if name else one


class _Progress:
    """Counts what is done and touches the row once a second."""

    def __init__(self, export: Export, total: int, clock: Clock) -> None:
        self._export = export
        self._total = total
        self._clock = clock
        self._done = 0
        self._touched = time.monotonic()

    def __call__(self, more: int) -> None:
        self._done += more
        if time.monotonic() - self._touched > TOUCH_SECONDS:
            self.touch()

    def touch(self) -> None:
        """Store it now."""
        self._touched = time.monotonic()
        total = max(self._total, self._done)
        exports.touch(self._export, done=self._done, total=total, now=self._clock())
