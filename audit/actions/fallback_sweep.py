"""What is done every few seconds so that fallback files are ready, and taken when they can be."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from audit.actions.fallback import Fallback, fallback
from audit.actions.fallback_ingest import Ingested, ingest, remember_installation, report_written
from audit.queries.away import cannot_record, is_connection_lost
from audit.queries.fallback import IDENTITY, look

# A new checkpoint is known to the next file within this time.
REMEMBER_EVERY = timedelta(minutes=5)

log = structlog.get_logger("audit.fallback")


def sweep(now: datetime) -> list[Ingested]:
    """Take what waits, when the database is there; return what became of each file.

    Life is shown at the end only: one that hangs or breaks off must be missed. Raises OSError when
    the folder cannot be written.
    """
    folder = fallback()
    try:
        done = catch_up(folder, now)
    except DatabaseError as failure:
        _wait(folder, failure)
        done = []
    folder.show_life()
    return done


def _wait(folder: Fallback, failure: DatabaseError) -> None:
    """Leave what waits to a later sweep; raise what no waiting mends."""
    if not cannot_record(failure):
        raise failure
    connection.close()
    if is_connection_lost(failure):
        folder.note_away()
    log.warning("audit_fallback_waits", why=str(failure))


def catch_up(folder: Fallback, now: datetime) -> list[Ingested]:
    """Do all of it. Raises the database's error, and OSError."""
    remember(folder, now)
    tell(folder, now)
    state = look(folder.path, settings.AUDIT_FALLBACK_MAX_BYTES)
    return ingest(folder, now=now) if state.has_work else []


def tell(folder: Fallback, now: datetime) -> None:
    """Tell what only this process knows, as soon as the database is there again.

    Raises the database's error, and OSError.
    """
    if folder.memory.written:
        report_written(folder, now=now)
    if folder.memory.lost_count:
        folder.flush_alarm(at=now, why="the alarm could not be written at the time")


def remember(folder: Fallback, now: datetime) -> None:
    """Keep the installation and its last checkpoint for writers, now and then."""
    try:
        changed = (folder.path / IDENTITY).stat().st_mtime
    except OSError:
        changed = 0.0
    if now.timestamp() - changed > REMEMBER_EVERY.total_seconds():
        remember_installation(folder)
