"""Conformance reports as people and machines read them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from smpp_client.models import Connection, ConnectionReport, ReportState
from smpp_client.rules.conformance import Step, StepState, counts, read_step

SHOWN = 10
# Whoever runs a report writes at least every few seconds.
SILENT = timedelta(seconds=60)
UNTAKEN = timedelta(minutes=10)
DOCUMENT = "connections/report_document.htm"


@dataclass(frozen=True)
class ReadReport:
    """A report with its steps read and counted."""

    report: ConnectionReport
    steps: Sequence[Step]
    step_count: int

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come."""
        return self.report.state in {ReportState.DONE, ReportState.BROKEN}

    @property
    def counts(self) -> Mapping[StepState, int]:
        """How many steps came to which end."""
        return counts(self.steps)

    @property
    def passed(self) -> int:
        """How many passed."""
        return self.counts[StepState.PASSED]

    @property
    def failed(self) -> int:
        """How many failed."""
        return self.counts[StepState.FAILED]

    @property
    def not_tried(self) -> int:
        """How many were not tried."""
        return self.counts[StepState.NOT_TRIED]


def read_report(report: ConnectionReport) -> ReadReport:
    """Read a report's steps."""
    steps = [read_step(row) for row in report.steps]
    return ReadReport(report, steps, int(report.options.get("step_count", 0)))


def report_of(connection: Connection, pk: int) -> ReadReport | None:
    """Return one report of a connection, or None."""
    found = (
        ConnectionReport.objects.select_related("asked_by", "connection")
        .filter(connection=connection, pk=pk)
        .first()
    )
    return read_report(found) if found else None


def reports_of(connection: Connection, limit: int = SHOWN) -> list[ReadReport]:
    """Return the reports of a connection, newest first."""
    found = connection.reports.select_related("asked_by").order_by("-id")[:limit]
    return [read_report(one) for one in found]


def silent_reports(now: datetime) -> QuerySet[ConnectionReport]:
    """Return reports that nobody runs any more, or that nobody took."""
    running = ConnectionReport.objects.filter(state=ReportState.RUNNING, heard_at__lt=now - SILENT)
    waiting = ConnectionReport.objects.filter(state=ReportState.WAITING, asked_at__lt=now - UNTAKEN)
    return running | waiting


def waiting_reports() -> list[int]:
    """Return the ids of reports that no worker has taken yet."""
    waiting = ConnectionReport.objects.filter(state=ReportState.WAITING).order_by("id")
    return list(waiting.values_list("id", flat=True))


def document_of(read: ReadReport) -> dict[str, Any]:
    """Return a report as plain values."""
    report, connection = read.report, read.report.connection
    return {
        "format": "message-center.connection-report.1",
        "report": report.pk,
        "connection": {
            "name": connection.name,
            "hosts": [f"{connection.host}:{connection.port}", *connection.further_hosts.split()],
            "system_id": connection.system_id,
            "rate_per_second": connection.rate,
            "window": connection.window,
            "alphabet": connection.alphabet,
            "message_id_rule": connection.message_id_rule,
        },
        "state": report.state,
        "sentence": report.sentence,
        "asked_by": report.asked_by.name if report.asked_by else _("the command line"),
        "started_at": _at(report.started_at),
        "finished_at": _at(report.finished_at),
        "options": report.options,
        "counts": {state.value: count for state, count in read.counts.items()},
        "steps": [step.as_json() | {"figures": dict(step.figures)} for step in read.steps],
    }


def json_of(read: ReadReport) -> str:
    """Return a report as JSON."""
    return json.dumps(document_of(read), indent=2, ensure_ascii=False) + "\n"


def html_of(read: ReadReport) -> str:
    """Return a report as one HTML file that needs nothing else, and can be printed."""
    return render_to_string(DOCUMENT, {"read": read, "told": document_of(read)})


def _at(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
