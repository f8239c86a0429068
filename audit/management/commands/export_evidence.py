"""`manage.py export_evidence WORKSPACE --out DIR --reason TEXT [--from] [--to]`.

Writes an evidence bundle: a folder that a reader verifies offline, without us. Runs as the runtime
role, which records the export; the log is read by the role `exporter` (EXPORTER_DATABASE_URL).
"""

import getpass
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit.actions import exports
from audit.actions.exporting.bundle import Order, Site, Written, write_bundle
from audit.actions.exporting.site import WITNESS_PATIENCE, has_witness, this_site
from audit.actions.exporting.telling import Cover
from audit.actions.record import record
from audit.queries import places
from audit.queries.export_span import NotYet
from audit.rules.bundle import CannotExport
from audit.rules.canonical import stamp
from audit.rules.chain import Broken
from audit.rules.events import Actor, Diff, Obj

ACTOR = Actor("system", "export_evidence")
POLL_SECONDS = 0.2
REFUSED = 3


class Command(BaseCommand):
    """Leaves with 1 when there is nothing to export, with 3 when the log was changed."""

    help = "Writes an evidence bundle of a workspace into a new folder, and records that it did."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "workspace", help="its short name or UUID; the installation's for slot 0"
        )
        parser.add_argument("--from", dest="since", type=_start, help="a day or a time (UTC)")
        parser.add_argument(
            "--to", dest="until", type=_end, help="a day (its end) or a time (UTC); now by default"
        )
        parser.add_argument("--out", type=Path, required=True, help="a folder that is new or empty")
        parser.add_argument("--reason", required=True, help="why; it stands in the log")
        parser.add_argument(
            "--values", action="store_true", help="disclose personal values that are not erased"
        )
        parser.add_argument(
            "--wait", type=float, default=60.0, help="seconds to wait for the checkpoint (60)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        until = options["until"]
        try:
            ws = _workspace(options["workspace"])
            reason = exports.checked_reason(options["reason"])
            # A day that is not over yet means up to now.
            until = None if until is not None and until > now else until
            exports.check_period(options["since"], until, now)
            site = this_site()
            order = Order(
                ws, options["since"], until, _record(ws, options, reason, now), options["values"]
            )
            written = self._written(order, site, options, reason)
        except (exports.ExportRefused, CannotExport) as refusal:
            raise CommandError(str(refusal)) from refusal
        except Broken as broken:
            raise CommandError(
                f"{broken.code}: {broken} Nothing was exported.", returncode=REFUSED
            ) from broken
        self._say(written, options["out"])

    def _written(self, order: Order, site: Site, options: dict[str, Any], reason: str) -> Written:
        """Write it, and record how that ended: the log already says that it was asked for."""
        try:
            written = self._write(order, site, options, reason)
        except Exception as problem:
            code = f"{problem.code}: " if isinstance(problem, Broken) else ""
            said = problem.strerror if isinstance(problem, OSError) else str(problem)
            _record_end(order, why=f"{code}{said}", is_failed=True)
            raise
        _record_end(order, diff=exports.result(written))
        return written

    def _write(self, order: Order, site: Site, options: dict[str, Any], reason: str) -> Written:
        began = time.monotonic()
        patience = min(options["wait"], WITNESS_PATIENCE.total_seconds())
        is_seen = has_witness(now=datetime.now(UTC))
        with places.inside(order.ws) as place:
            cover = Cover(
                name=place.name,
                reason=reason,
                asked_by=f"{getpass.getuser()}, on the command line",
                decided_by="",
                made_at=datetime.now(UTC),
                shows_values=order.shows_values,
            )
            while True:
                waited = time.monotonic() - began
                order = replace(order, waits_for_witness=is_seen and waited < patience)
                try:
                    return write_bundle(order, site, options["out"], cover, _silent)
                except NotYet:
                    if waited > options["wait"] and not order.waits_for_witness:
                        raise
                    time.sleep(POLL_SECONDS)

    def _say(self, written: Written, out: Path) -> None:
        self.stdout.write(
            f"{written.entry_count:,} entries and {written.epoch_count:,} epochs, up to"
            f" {written.ends_at}, are in {out}."
        )
        self.stdout.write(f"manifest.json has the SHA-256 {written.manifest_sha256}.")
        self.stdout.write(f"The export key, to be published: {written.export_key}")


def _silent(_more: int) -> None:
    """A folder's progress is seen by its size."""


def _workspace(text: str) -> UUID:
    found = places.find(text)
    if found is None:
        raise CannotExport(f"There is no workspace {text}.")
    return found


def _record(ws: UUID, options: dict[str, Any], reason: str, now: datetime) -> UUID:
    """Record the export before anything is read; the sequencer fixes an epoch for it."""
    since, until = options["since"], options["until"]
    with transaction.atomic(durable=True):
        return record(
            "export.create",
            workspace=ws,
            actor=ACTOR,
            obj=Obj("export", "command"),
            now=now,
            why=reason,
            diff={
                "from": (None, stamp(since) if since else None),
                "to": (None, stamp(until) if until else None),
                "values": (None, options["values"]),
                "account": (None, getpass.getuser()),
            },
        )


def _record_end(
    order: Order, *, diff: Diff | None = None, why: str = "", is_failed: bool = False
) -> None:
    with transaction.atomic(durable=True):
        record(
            "export.ready",
            workspace=order.ws,
            actor=ACTOR,
            obj=Obj("export", "command"),
            now=datetime.now(UTC),
            diff=diff,
            why=why[: exports.LONGEST_REASON],
            result="failed" if is_failed else "ok",
        )


def _start(text: str) -> datetime:
    return _moment(text)


def _end(text: str) -> datetime:
    moment = _moment(text)
    return moment + timedelta(days=1) if len(text) == len("2026-03-01") else moment


def _moment(text: str) -> datetime:
    """Read a day or a time; UTC unless it says otherwise. argparse words the ValueError."""
    if len(text) == len("2026-03-01"):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
