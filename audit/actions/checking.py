"""Check the log, remember where it stood, and write the result into it."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection

from audit.actions.durable_files import write_whole
from audit.actions.record import record
from audit.queries.checking import check
from audit.queries.last_check import CHECKER
from audit.queries.outside import look_outside
from audit.queries.system import every_chain
from audit.rules.chain import Broken
from audit.rules.checked import BadChecked, Checked, read_checked
from audit.rules.events import Obj
from audit.rules.findings import Report

log = logging.getLogger("audit.check")

FILE = "audit_check.json"


def check_log(*, now: datetime) -> Report:
    """Run the nightly check in the runtime role and record what it found in the system chain.

    What the last check remembered and cannot be read any more is found as X00, every night until
    somebody has looked and removed the file. Raises BadHeld when the signer's files are damaged.
    """
    file = Path(settings.DATA_DIR) / FILE
    outside = look_outside(
        Path(settings.AUDIT_STATE_DIR), Path(settings.AUDIT_NONCE_FILE), held=None
    )
    before, damage = _read(file)
    with every_chain():
        report, checked = check(_connection(), before=before, outside=outside, now=now)
        if checked is None:
            return report
        if damage:
            report.broken(Broken("X00", f"{damage} ({file})"))
        _record(report, checked, now)
    for finding in report.findings:
        level = logging.WARNING if finding.is_warning else logging.CRITICAL
        log.log(level, "%s: %s", finding.code, finding.sentence)
    if not report.is_broken:
        # What is wrong is never remembered as right.
        _write(file, checked)
    return report


def _connection() -> "psycopg.Connection[Any]":
    django_connection.ensure_connection()
    connection: psycopg.Connection[Any] = django_connection.connection
    return connection


def _record(report: Report, checked: Checked, now: datetime) -> None:
    found = [f"{one.code}: {one.sentence}" for one in report.findings[:20]]
    record(
        "audit.verify",
        workspace=checked.install,
        actor=CHECKER,
        obj=Obj("audit", str(checked.install)),
        now=now,
        diff={
            "entries": (None, report.entry_count),
            "epochs": (None, report.epoch_count),
            "findings": (None, found),
        },
        result="failed" if report.is_broken else "ok",
    )


def _read(file: Path) -> tuple[Checked | None, str]:
    """Return what is remembered, and why it cannot be read."""
    if not file.exists():
        return None, ""
    try:
        return read_checked(file.read_text(encoding="utf-8", errors="replace")), ""
    except BadChecked as damaged:
        return None, str(damaged)


def _write(file: Path, checked: Checked) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, checked.text().encode())
