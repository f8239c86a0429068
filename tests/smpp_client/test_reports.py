"""Reports of full checks: asked for, run once, written, broken off."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from message_center.stack.certificates import DemoCertificates
from smpp_client.actions.connections import NoSuchConnection
from smpp_client.actions.reports import (
    Asked,
    ReportRefused,
    ask_report,
    break_off_silent,
    run_report,
)
from smpp_client.models import Connection, ConnectionReport, ReportState
from smpp_client.queries.connections import events_of
from smpp_client.queries.reports import html_of, read_report, reports_of
from smpp_client.rules.conformance import FIXED_MESSAGES
from tests import make
from tests.simulator import RunningSimulator
from tests.smpp_client import wires
from tests.smpp_client.conftest import StartPartner
from tests.workspaces.log import entries

pytestmark = pytest.mark.django_db
NUMBER = "+44 7700 900001"
ASKED = Asked([NUMBER], "Example", FIXED_MESSAGES)


@pytest.fixture(scope="module")
def partner(start_partner: StartPartner) -> RunningSimulator:
    """A partner that knows one account."""
    return start_partner(receipt_delay=0.1)


@pytest.fixture
def connection(certificates: DemoCertificates, partner: RunningSimulator) -> Connection:
    """A connection to the partner."""
    return make.connection(
        "smsc-a",
        port=partner.port,
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
    )


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def ask(asked: Asked = ASKED, name: str = "smsc-a") -> ConnectionReport:
    """Ask for a check."""
    return ask_report(name=name, asked=asked, by=wires.BY, now=timezone.now())


def test_a_check_runs_once_and_leaves_a_row_and_two_files(
    connection: Connection, tmp_path: Path
) -> None:
    report = ask()
    done = run_report(report.pk, clock=timezone.now)
    assert done is not None
    assert run_report(report.pk, clock=timezone.now) is None
    assert (done.state, bytes(done.numbers_sealed)) == (ReportState.DONE, b"")
    assert done.sentence == "21 passed, 1 failed, 5 not tried."
    assert events_of(connection)[0].sentence == f"Full check: {done.sentence}"
    told = json.loads((tmp_path / "reports" / f"smsc-a-{done.pk}.json").read_text())
    assert told["counts"] == {"passed": 21, "failed": 1, "not_tried": 5}
    assert told["options"]["sent"] == FIXED_MESSAGES
    assert (tmp_path / "reports" / f"smsc-a-{done.pk}.html").exists()


def test_no_number_in_the_clear_is_kept_or_written(connection: Connection, tmp_path: Path) -> None:
    done = run_report(ask().pk, clock=timezone.now)
    assert done is not None
    files = [file.read_text() for file in (tmp_path / "reports").iterdir()]
    kept = [json.dumps(done.options), json.dumps(done.steps), json.dumps(entries()[-1]), *files]
    assert not any("447700900001" in text for text in kept)
    assert done.options["numbers"] == ["+44770•••••01"]


def test_the_report_needs_nothing_else_and_runs_nothing(connection: Connection) -> None:
    done = run_report(ask().pk, clock=timezone.now)
    assert done is not None
    done.sentence = "<script>alert(1)</script>"
    page = html_of(read_report(done))
    assert not any(word in page for word in ("<script", "<link", "src=", "href=", "url(", "http:"))
    assert page.count("<tr>") == 28


def test_asking_is_an_entry_and_an_event(connection: Connection) -> None:
    report = ask()
    entry = entries()[-1]
    assert (entry["op"], entry["diff"]["report"]) == ("connection.check", [None, report.pk])
    assert events_of(connection)[0].sentence == "the command line asked for a full check"


def test_one_connection_has_one_check_at_a_time(connection: Connection) -> None:
    ask()
    with pytest.raises(ReportRefused, match="waiting or running"):
        ask()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Asked(["07700"], "Example", 100), "numbers"),
        (Asked([NUMBER, NUMBER], "Example", 100), "numbers"),
        (Asked([f"4477009000{n:02}" for n in range(21)], "Example", 100), "numbers"),
        (Asked([NUMBER], "", 100), "sender"),
        (Asked([NUMBER], "TwelveLetter", 100), "sender"),
        (Asked([NUMBER], "Example", FIXED_MESSAGES - 1), "messages"),
        (Asked([NUMBER], "Example", 50_001), "messages"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field(
    connection: Connection, asked: Asked, field: str
) -> None:
    with pytest.raises(ReportRefused) as refused:
        ask(asked)
    assert refused.value.field == field


def test_a_check_knows_that_the_sender_is_bound_and_sends(connection: Connection) -> None:
    wires.seen(connection, rate_now=40, in_flight=3)
    done = run_report(ask(Asked([NUMBER], "Example", 1_000)).pk, clock=timezone.now)
    assert done is not None
    told = {step["key"]: step["sentence"] for step in done.steps}
    assert done.options["beside_sender"] is True
    assert told["rate"] == told["window"] == told["load"]
    assert told["rate"] == "The sender is sending over this connection now."


def test_nobody_checks_what_is_not_there() -> None:
    with pytest.raises(NoSuchConnection):
        ask(name="nobody")


def test_a_carrier_of_its_own_is_not_asked_smpp_questions() -> None:
    make.connection("far", carrier="lines")
    with pytest.raises(ReportRefused, match="carrier of its own"):
        ask(name="far")


def test_a_check_that_fell_silent_breaks_off_and_is_never_run_again(
    connection: Connection,
) -> None:
    report, now = ask(), timezone.now()
    ConnectionReport.objects.filter(pk=report.pk).update(
        state=ReportState.RUNNING, started_at=now, heard_at=now
    )
    assert break_off_silent(now + timedelta(seconds=59)) == 0
    assert break_off_silent(now + timedelta(seconds=61)) == 1
    report.refresh_from_db()
    assert (report.state, bytes(report.numbers_sealed)) == (ReportState.BROKEN, b"")
    assert run_report(report.pk, clock=timezone.now) is None
    assert ask().pk != report.pk


def test_a_check_that_nobody_takes_breaks_off(connection: Connection) -> None:
    ask()
    assert break_off_silent(timezone.now() + timedelta(minutes=11)) == 1
    assert [read.is_final for read in reports_of(connection)] == [True]


def test_the_command_tells_steps_writes_files_and_fails_with_a_step(
    connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call_command("connection", "check", "smsc-a", "--full", f"--out={out}")
    said = capsys.readouterr().out
    assert "sends nothing" in said
    assert "ok   TLS: TLSv1.3 with" in said
    assert "–    Window: No test number was given, so nothing is sent." in said
    assert {file.suffix for file in out.iterdir()} == {".html", ".json"}
    words = [f"--to={NUMBER}", "--from=Example", f"--messages={FIXED_MESSAGES}"]
    with pytest.raises(CommandError, match="does not do all"):
        call_command("connection", "check", "smsc-a", "--full", *words)
    assert "FAIL A wrong number: The partner accepted the number +1." in capsys.readouterr().out
