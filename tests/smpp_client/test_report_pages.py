"""Full checks on the pages: asked for with a question in between, watched, downloaded."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from smpp_client import tasks
from smpp_client.models import Connection, ConnectionReport, ReportState
from smpp_client.rules.conformance import Step, StepState
from tests import make as nouns
from tests.smpp_client.test_connection_pages import text
from tests.workspaces import make

pytestmark = pytest.mark.django_db
HOME = "/platform/connections/smsc-a/"
ASKED = {"numbers": "+44 7700 900001\n+44 7700 900002", "sender": "Example", "messages": "114"}
STEPS = [
    Step("tls", "TLS", StepState.PASSED, "TLSv1.3 with a cipher.", {"version": "TLSv1.3"}, 0.1),
    Step("receipts", "Receipts", StepState.FAILED, "No <b>receipt</b> came.", {}, 30.0),
    Step("window", "Window", StepState.NOT_TRIED, "It needs 50 more messages.", {}, 0.0),
]


@pytest.fixture
def smsc() -> Connection:
    """A connection where nobody listens."""
    return nouns.connection("smsc-a", port=1, rate=20, window=10)


@pytest.fixture
def keeper(smsc: Connection) -> Client:
    """A member of the platform team."""
    return make.signed_in(make.user("Olga Nazarova", is_super_admin=True))


@pytest.fixture(autouse=True)
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The reports that a worker was asked to begin: the broker is the far end here."""
    seen: list[int] = []
    monkeypatch.setattr(tasks.check, "apply_async", lambda args, *_, **__: seen.append(args[0]))
    return seen


def report(smsc: Connection, **fields: Any) -> ConnectionReport:
    """A report that is done."""
    now = timezone.now()
    values = {
        "state": ReportState.DONE,
        "sentence": "1 passed, 1 failed, 1 not tried.",
        "steps": [step.as_json() for step in STEPS],
        "options": {"step_count": 27, "sent": 12, "messages": 114, "numbers": ["+44770•••••01"]},
        "asked_at": now,
        "started_at": now,
        "finished_at": now,
    }
    return ConnectionReport.objects.create(connection=smsc, **values | fields)


def test_the_form_offers_what_the_connection_needs(keeper: Client) -> None:
    page = text(keeper.get(f"{HOME}full-check/"))
    assert 'value="64"' in page
    assert "14 messages test receipts" in page


def test_nothing_begins_before_the_question_is_answered(keeper: Client, nudged: list[int]) -> None:
    page = text(keeper.post(f"{HOME}full-check/", ASKED))
    assert "Send 104 messages and check" in page
    assert "+44770•••••01, +44770•••••02" in page
    assert (ConnectionReport.objects.count(), nudged) == (0, [])


def test_an_answered_question_begins_a_check(keeper: Client, nudged: list[int]) -> None:
    answer = keeper.post(f"{HOME}full-check/", {**ASKED, "sure": "yes"})
    begun = ConnectionReport.objects.get()
    assert answer["Location"] == f"{HOME}reports/{begun.pk}/"
    assert nudged == [begun.pk]
    assert b"7700" not in bytes(begun.numbers_sealed)


def test_without_a_number_the_question_says_that_nothing_is_sent(keeper: Client) -> None:
    page = text(keeper.post(f"{HOME}full-check/", {"messages": "114"}))
    assert "Check without a message" in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"numbers": "07700 900001"}, "Begin the number with the country code"),
        ({"sender": ""}, "Enter a sender."),
        ({"messages": "3"}, "greater than or equal to 14"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    keeper: Client, wrong: dict[str, str], sentence: str
) -> None:
    page = text(keeper.post(f"{HOME}full-check/", ASKED | wrong))
    assert sentence in page
    assert "Continue" in page


def test_a_second_check_at_a_time_is_refused(keeper: Client) -> None:
    for _again in range(2):
        page = text(keeper.post(f"{HOME}full-check/", {**ASKED, "sure": "yes"}))
    assert "waiting or running" in page


def test_the_report_shows_every_step_and_its_counts(keeper: Client, smsc: Connection) -> None:
    page = text(keeper.get(f"{HOME}reports/{report(smsc).pk}/"))
    assert "TLSv1.3 with a cipher." in page
    assert "No &lt;b&gt;receipt&lt;/b&gt; came." in page
    assert "hx-trigger" not in page


def test_a_report_that_runs_renews_itself(keeper: Client, smsc: Connection) -> None:
    running = report(smsc, state=ReportState.RUNNING, finished_at=None)
    page = text(keeper.get(f"{HOME}reports/{running.pk}/"))
    assert "3 of 27 steps are done." in page
    assert 'hx-trigger="every 2s"' in page


def test_both_files_are_downloads(keeper: Client, smsc: Connection) -> None:
    done = report(smsc)
    page = keeper.get(f"{HOME}reports/{done.pk}/html/")
    data = keeper.get(f"{HOME}reports/{done.pk}/json/")
    assert page["Content-Disposition"] == f'attachment; filename="smsc-a-{done.pk}.html"'
    assert "No &lt;b&gt;receipt&lt;/b&gt; came." in text(page)
    assert json.loads(data.content)["counts"]["failed"] == 1
    assert keeper.get(f"{HOME}reports/{done.pk}/pdf/").status_code == 404


def test_a_report_is_found_under_its_own_connection_only(keeper: Client, smsc: Connection) -> None:
    done = report(smsc)
    nouns.connection("smsc-b")
    assert keeper.get(f"/platform/connections/smsc-b/reports/{done.pk}/").status_code == 404


def test_the_connections_page_lists_reports(keeper: Client, smsc: Connection) -> None:
    assert "None yet. One shows" in text(keeper.get(HOME))
    report(smsc)
    page = text(keeper.get(HOME))
    assert "1 passed, 1 failed, 1 not tried." in page
    assert "Full check" in page


def test_the_sweep_nudges_what_waits_and_breaks_off_what_fell_silent(
    smsc: Connection, nudged: list[int]
) -> None:
    now = timezone.now()
    silent = report(smsc, state=ReportState.RUNNING, heard_at=now - timedelta(minutes=2))
    tasks.sweep_reports()
    silent.refresh_from_db()
    assert silent.state == ReportState.BROKEN
    waiting = report(smsc, state=ReportState.WAITING)
    tasks.sweep_reports()
    assert nudged == [waiting.pk]
