"""Full checks of a connection: asked for, run, broken off when nobody runs them any more.

A check sends messages that cost, so it is never run twice: whoever moves the row from waiting to
running is the one, and one that breaks off stays broken.
"""

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from smpp_client.actions.checks import CHECKED
from smpp_client.actions.connections import NoSuchConnection
from smpp_client.actions.connections import tell as tell_event
from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.accounts import account_of
from smpp_client.engine.conformance.bench import Bench
from smpp_client.engine.conformance.run import STEPS, run_steps
from smpp_client.models import Connection, ConnectionReport, ReportState
from smpp_client.queries.connections import connection_by, sight_of
from smpp_client.queries.reports import html_of, json_of, read_report, silent_reports
from smpp_client.rules.addresses import AddressRefused, destination_address, sender_address
from smpp_client.rules.conformance import (
    FIXED_MESSAGES,
    MOST_MESSAGES,
    CheckOptions,
    Step,
    counts,
    masked,
)
from workspaces.queries.keys import keys
from workspaces.rules.refusal import Refusal

MOST_NUMBERS = 20
HEARTBEAT_SECONDS = 5.0
Clock = Callable[[], datetime]


class ReportRefused(Refusal):
    """A full check cannot be begun as asked."""

    code = "report_refused"


@dataclass(frozen=True)
class Asked:
    """What a person typed: numbers as people write them, one each."""

    numbers: Sequence[str] = ()
    sender: str = ""
    messages: int = 0
    is_above_rate: bool = False


def options_of(asked: Asked) -> CheckOptions:
    """Judge what was typed. Raises ReportRefused."""
    numbers = tuple(_number(text) for text in asked.numbers)
    if not numbers:
        return CheckOptions()
    if len(set(numbers)) != len(numbers) or len(numbers) > MOST_NUMBERS:
        raise ReportRefused(_("Type each number once, at most 20 of them."), field="numbers")
    try:
        sender_address(asked.sender)
    except AddressRefused as refused:
        raise ReportRefused(str(refused), field="sender") from refused
    if not FIXED_MESSAGES <= asked.messages <= MOST_MESSAGES:
        said = _("Allow %(least)s to %(most)s messages.")
        raise ReportRefused(
            said % {"least": FIXED_MESSAGES, "most": MOST_MESSAGES}, field="messages"
        )
    return CheckOptions(numbers, asked.sender, asked.messages, asked.is_above_rate)


def _number(text: str) -> str:
    try:
        return destination_address(text.replace(" ", "")).value
    except AddressRefused as refused:
        raise ReportRefused(str(refused), field="numbers") from refused


def ask_report(*, name: str, asked: Asked, by: Caller, now: datetime) -> ConnectionReport:
    """Ask for a full check; a worker runs it. Raises NoSuchConnection, ReportRefused."""
    connection = connection_by(name)
    if connection is None:
        raise NoSuchConnection(_("There is no connection “%(name)s”.") % {"name": name})
    if connection.carrier != BUILT_IN:
        raise ReportRefused(
            _("A full check speaks SMPP; this connection has a carrier of its own.")
        )
    options = options_of(asked)
    shown = {
        "numbers": [masked(number) for number in options.numbers],
        "sender": options.sender,
        "messages": options.messages,
        "above_rate": options.is_above_rate,
    }
    try:
        with transaction.atomic(durable=True):
            report = ConnectionReport.objects.create(
                connection=connection,
                options={**shown, "step_count": len(STEPS)},
                asked_at=now,
                asked_by=by.user,
            )
            sealed = keys().seal(json.dumps(options.numbers), _context(report))
            ConnectionReport.objects.filter(pk=report.pk).update(numbers_sealed=sealed)
            diff: dict[str, Any] = {key: (None, value) for key, value in shown.items()}
            diff |= {"full": (None, True), "report": (None, report.pk)}
            note(by, "connection.check", connection_obj(connection), now=now, diff=diff)
            said = _("%(person)s asked for a full check") % {"person": by.name}
            tell_event(connection, CHECKED, said, now)
    except IntegrityError as error:
        raise ReportRefused(_("A full check of this connection is waiting or running.")) from error
    return report


def run_report(
    pk: int, *, clock: Clock, tell: Callable[[Step], None] | None = None
) -> ConnectionReport | None:
    """Run a waiting report to its end and write its files; None when another has taken it.

    `tell` hears of each step as it ends.
    """
    report = _take(pk, clock())
    if report is None:
        return None
    bench, steps = _bench(report, clock()), list[Step]()
    for step in _steps_of(bench):
        if step is not None:
            steps.append(step)
            if tell is not None:
                tell(step)
        rows = [one.as_json() for one in steps]
        ConnectionReport.objects.filter(pk=pk, state=ReportState.RUNNING).update(
            steps=rows, heard_at=clock()
        )
    _end(report, bench, steps, clock())
    report.refresh_from_db()
    write_files(report, Path(settings.DATA_DIR) / "reports")
    return report


def write_files(report: ConnectionReport, folder: Path) -> list[Path]:
    """Write the report as HTML and JSON into a folder; return both paths. Raises OSError."""
    read = read_report(report)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{report.connection.name}-{report.pk}"
    files = [folder / f"{stem}.html", folder / f"{stem}.json"]
    for file, text in zip(files, (html_of(read), json_of(read)), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def break_off_silent(now: datetime) -> int:
    """Break off reports that nobody runs any more, or that no worker took; return how many."""
    return silent_reports(now).update(
        state=ReportState.BROKEN,
        sentence=_("Whoever ran it stopped before the end. What it sent is counted; ask anew."),
        numbers_sealed=b"",
        finished_at=now,
    )


def _take(pk: int, now: datetime) -> ConnectionReport | None:
    waiting = ConnectionReport.objects.filter(pk=pk, state=ReportState.WAITING)
    taken = waiting.update(state=ReportState.RUNNING, started_at=now, heard_at=now)
    return ConnectionReport.objects.select_related("connection").get(pk=pk) if taken else None


def _context(report: ConnectionReport) -> str:
    return f"connection_report.numbers:{report.pk}"


def _bench(report: ConnectionReport, now: datetime) -> Bench:
    """Read everything that the check needs from the database: its own thread may not."""
    connection: Connection = report.connection
    numbers = json.loads(keys().open(bytes(report.numbers_sealed), _context(report)))
    chosen = report.options
    options = CheckOptions(
        tuple(numbers), chosen["sender"], chosen["messages"], chosen["above_rate"]
    )
    source = None
    if options.sends:
        source = sender_address(options.sender, short_code_ton=connection.short_code_ton)
    sight = sight_of(connection, now)
    is_busy = bool(sight.rate_now or sight.in_flight)
    is_beside = bool(sight.bound_count)
    return Bench(account_of(connection), options, source, is_beside=is_beside, is_busy=is_busy)


def _steps_of(bench: Bench) -> "Steps":
    """Run the check in a thread; yield each step as it ends, and None now and then in between.

    Raises what breaks the check.
    """
    told: queue.Queue[Step | BaseException | None] = queue.Queue()

    def work() -> None:
        try:
            asyncio.run(run_steps(bench, told.put))
        except BaseException as error:  # handed on, so that it is raised where it is looked for
            told.put(error)
        else:
            told.put(None)

    threading.Thread(target=work, name="conformance", daemon=True).start()
    return Steps(told)


class Steps:
    """An iterator over steps that come from another thread."""

    def __init__(self, told: "queue.Queue[Step | BaseException | None]") -> None:
        self._told = told

    def __iter__(self) -> "Steps":
        return self

    def __next__(self) -> Step | None:
        try:
            step = self._told.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            return None
        if step is None:
            raise StopIteration
        if isinstance(step, BaseException):
            raise step
        return step


def _end(report: ConnectionReport, bench: Bench, steps: Sequence[Step], now: datetime) -> None:
    ended = counts(steps)
    sentence = _("%(passed)s passed, %(failed)s failed, %(not_tried)s not tried.") % {
        state.value: count for state, count in ended.items()
    }
    options = report.options | {
        "sent": bench.sent_count,
        "turned_back": bench.turned_back_count(),
        "texts": bench.texts,
        "beside_sender": bench.is_beside,
    }
    with transaction.atomic(durable=True):
        is_ours = ConnectionReport.objects.filter(pk=report.pk, state=ReportState.RUNNING).update(
            state=ReportState.DONE,
            sentence=sentence,
            options=options,
            numbers_sealed=b"",
            finished_at=now,
        )
        if is_ours:
            tell_event(report.connection, CHECKED, _("Full check: %s") % sentence, now)
