"""`manage.py verify_audit [WORKSPACE] [--held FILE]`: verifies the log in the database.

Runs as the runtime role; DATABASE_ROLE=exporter makes it a reader that can do nothing else. It
compares with the signer's folder (AUDIT_STATE_DIR) where it may read it, and with a checkpoint that
somebody kept. Exit 0 unbroken, 1 broken, 2 a person must judge a warning.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection as django_connection

from audit.actions.record import record
from audit.queries import chains
from audit.queries.outside import BadHeld, look_outside
from audit.queries.verification import verify
from audit.rules.events import Actor, Obj
from audit.rules.findings import Outside, Report


class Command(BaseCommand):
    """Prints what was verified and what was found."""

    help = "Verifies the audit log: every entry, every epoch, and against what is outside."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", nargs="?", type=UUID, help="UUID of one workspace")
        parser.add_argument("--held", type=Path, help="a checkpoint that was kept elsewhere")
        parser.add_argument(
            "--record", action="store_true", help="write the result into the log (runtime role)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workspace: UUID | None = options["workspace"]
        try:
            outside = look_outside(
                Path(settings.AUDIT_STATE_DIR), Path(settings.AUDIT_NONCE_FILE), options["held"]
            )
        except BadHeld as refusal:
            raise CommandError(str(refusal)) from refusal
        started = datetime.now(UTC)
        connection = _connect()
        report = verify(connection, workspace=workspace, outside=outside, now=started)
        self._say(report, outside, seconds=(datetime.now(UTC) - started).total_seconds())
        if options["record"]:
            _record(connection, report, workspace)
        sys.exit(report.exit_code)

    def _say(self, report: Report, outside: Outside, *, seconds: float) -> None:
        for chain in report.chains:
            state = "unbroken" if chain.is_whole else "BROKEN"
            last = f", last {chain.last_at:%Y-%m-%d %H:%M:%S}" if chain.last_at else ""
            self._line(
                f"Chain {chain.slot} ({chain.ws}): {chain.entry_count:,} entries, {state}{last}"
            )
        self._line(f"Epochs: {report.epoch_count:,}. Events that wait: {report.waiting_count:,}.")
        if outside.held:
            self._line(f"Compared with a checkpoint of {outside.held.size:,} epochs.")
        if outside.memory:
            self._line("Compared with the signer's memory.")
        for finding in report.findings:
            word = "Warning" if finding.is_warning else "BROKEN"
            self._line(f"{word} {finding.code}: {finding.sentence}")
        self._line(
            f"{report.entry_count:,} entries in {seconds:.1f} s: {_VERDICT[report.exit_code]}"
        )

    def _line(self, text: str) -> None:
        self.stdout.write(text)


_VERDICT = {
    0: "the audit log is unbroken.",
    1: "the audit log is BROKEN.",
    2: "unbroken as far as could be checked; see the warnings.",
}


def _connect() -> "psycopg.Connection[Any]":
    django_connection.ensure_connection()
    connection: psycopg.Connection[Any] = django_connection.connection
    chains.see_everything(connection)
    return connection


def _record(connection: "psycopg.Connection[Any]", report: Report, workspace: UUID | None) -> None:
    heads = chains.heads(connection)
    if not heads:
        return
    codes = sorted({finding.code for finding in report.findings})
    record(
        "audit.verify",
        workspace=workspace or heads[0].ws,
        actor=Actor("system", "verify_audit"),
        obj=Obj("audit", str(workspace or heads[0].ws)),
        now=datetime.now(UTC),
        diff={"entries": (None, report.entry_count), "findings": (None, codes)},
        result="failed" if report.is_broken else "ok",
    )
