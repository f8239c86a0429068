"""`manage.py audit_sequencer`: numbers and links audit events, fixes epochs. One process only."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection as django_connection
from django.db.utils import OperationalError

from audit.actions.secret_file import BadSecret, site_secret
from audit.actions.sequence import AlreadyRunning, HeadMoved, Sequencer
from audit.management.stopping import Stop
from audit.rules.clock import Reading

log = logging.getLogger("audit.sequencer")

POLL_SECONDS = 0.25
# The lock of a killed sequencer lasts until the server notices that its connection is gone.
PATIENCE_SECONDS = 5.0
RETRY_SECONDS = 1.0


class Command(BaseCommand):
    """Runs until SIGTERM; leaves with 1 when another one runs, with 3 when a chain was touched."""

    help = "Numbers and links audit events and fixes epochs. Runs as the role `sequencer`."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Stop()
        try:
            self._run(site_secret(Path(settings.AUDIT_NONCE_FILE)), stop)
        except (BadSecret, AlreadyRunning) as refusal:
            raise CommandError(str(refusal)) from refusal
        except HeadMoved as tampered:
            log.critical("%s", tampered)
            raise CommandError(str(tampered), returncode=3) from tampered

    def _run(self, secret: bytes, stop: Stop) -> None:
        """Work; after a lost connection connect again, for as long as it takes."""
        while not stop.is_asked:
            try:
                self._work(secret, stop)
            except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError) as failure:
                log.warning("The database does not answer, trying again: %s", failure)
                stop.wait(RETRY_SECONDS)
            finally:
                django_connection.close()

    def _work(self, secret: bytes, stop: Stop) -> None:
        connection = _connect()
        sequencer = _start(connection, secret, stop)
        if sequencer is None:
            return
        connection.execute("LISTEN audit")
        log.info("The sequencer is running.")
        while not stop.is_asked:
            step = sequencer.step(_now())
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


def _connect() -> "psycopg.Connection[Any]":
    django_connection.ensure_connection()
    connection: psycopg.Connection[Any] = django_connection.connection
    return connection


def _now() -> Reading:
    return Reading(wall=datetime.now(UTC), steady=time.monotonic())
