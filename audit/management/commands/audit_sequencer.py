"""`manage.py audit_sequencer`: numbers and links audit events, fixes epochs. One process only."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.actions.secret_file import BadSecret, site_secret
from audit.actions.sequence import AlreadyRunning, HeadMoved, Sequencer
from audit.management.stopping import Stop, keep_working
from audit.rules.clock import Reading

log = logging.getLogger("audit.sequencer")

POLL_SECONDS = 0.25
# The lock of a killed sequencer lasts until the server notices that its connection is gone.
PATIENCE_SECONDS = 5.0
# The server ends a session that says nothing for so long: one that is frozen would keep the lock.
SILENT_SECONDS = 10


class Command(BaseCommand):
    """Runs until SIGTERM; leaves with 1 when another one runs, with 3 when a chain was touched."""

    help = "Numbers and links audit events and fixes epochs. Runs as the role `sequencer`."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Stop()
        try:
            secret = site_secret(Path(settings.AUDIT_NONCE_FILE), may_create=True)
            keep_working(lambda connection: _work(connection, secret, stop), stop, log)
        except (BadSecret, AlreadyRunning) as refusal:
            raise CommandError(str(refusal)) from refusal
        except HeadMoved as tampered:
            log.critical("%s", tampered)
            raise CommandError(str(tampered), returncode=3) from tampered


def _work(connection: "psycopg.Connection[Any]", secret: bytes, stop: Stop) -> None:
    sequencer = _start(connection, secret, stop)
    if sequencer is None:
        return
    connection.execute(f"SET idle_session_timeout = '{SILENT_SECONDS}s'")
    connection.execute("LISTEN audit")
    log.info("The sequencer is running.")
    while not stop.is_asked:
        step = sequencer.step(Reading(wall=datetime.now(UTC), steady=time.monotonic()))
        if step.epoch:
            log.info("Fixed epoch %d.", step.epoch.number)
        if not step.is_full:
            # Wakes at once for a new event; the poll is for a notification that was lost.
            list(connection.notifies(timeout=POLL_SECONDS, stop_after=1))


def _start(connection: "psycopg.Connection[Any]", secret: bytes, stop: Stop) -> Sequencer | None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not stop.is_asked:
        try:
            return Sequencer(connection, secret=secret, epoch_seconds=settings.AUDIT_EPOCH_SECONDS)
        except AlreadyRunning:
            if time.monotonic() > deadline:
                raise
        stop.wait(0.1)
    return None
