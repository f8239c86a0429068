"""Whether the parts of the installation run, each by what it shows of itself."""

import os
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import LazySettings
from django.utils import timezone

from audit.actions.fallback import fallback
from audit.actions.record import record
from audit.queries.last_check import CHECKER
from audit.queries.system import system_uuid
from audit.rules.events import Obj, Result
from audit.rules.fallback import Identity
from campaigns.queries import installation_parts as parts
from campaigns.queries.diagnostics import CHECKS, findings, findings_without_database
from tests.audit.fallback.ground import AFTER, write
from tests.audit.make import INSTALL
from tests.ground import SHARED, Ground
from workspaces.scope import scope_everywhere


@pytest.fixture(autouse=True)
def apart(settings: LazySettings, tmp_path: Path) -> None:
    """A data folder of this test's own."""
    settings.DATA_DIR = tmp_path
    settings.AUDIT_FALLBACK_DIR = tmp_path / "fallback"


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "tone"), [(29, "ok"), (31, "bad")])
def test_a_log_that_nobody_checks_is_bad(hours: float, tone: str) -> None:
    found = parts.log_check(timezone.now() + timedelta(hours=hours))
    assert found.tone == tone


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("result", "tone", "begins"),
    [("ok", "ok", "Checked from"), ("failed", "bad", "The check 0 h ago did not find all")],
)
def test_what_the_last_check_found_is_told(result: Result, tone: str, begins: str) -> None:
    record(
        "audit.verify",
        workspace=system_uuid(),
        actor=CHECKER,
        obj=Obj("audit", "log"),
        now=timezone.now(),
        result=result,
    )
    found = parts.log_check(timezone.now())
    assert (found.tone, found.sentence.startswith(begins)) == (tone, True)


def swept(seconds_ago: float) -> None:
    """Let the worker's sweep have been so long ago."""
    folder = fallback()
    folder.show_life()
    at = timezone.now().timestamp() - seconds_ago
    os.utime(folder.path / "sweep.alive", (at, at))


@pytest.mark.django_db
def test_every_check_has_a_code_of_its_own() -> None:
    with scope_everywhere("diagnostics"):
        found = findings(timezone.now())
    assert [one.code for one in found] == list(CHECKS)
    assert all(one.sentence for one in found)


@pytest.mark.parametrize(("seconds", "tone"), [(5, "ok"), (300, "bad")])
def test_the_worker_shows_life_by_its_sweep(seconds: float, tone: str) -> None:
    swept(seconds)
    assert parts.worker(timezone.now()).tone == tone


def test_a_worker_that_was_never_seen_is_bad() -> None:
    assert parts.worker(timezone.now()).sentence.startswith("It has not shown life")


def test_without_a_sweep_and_without_a_broker_nobody_knows_of_beat(settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert parts.beat(timezone.now()).tone == "bad"
    swept(1)
    assert parts.beat(timezone.now()).tone == "ok"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["sequencer", "signer"])
def test_a_process_of_the_log_is_seen_by_its_connection(servers: Ground, name: str) -> None:
    # Who is connected is looked up once in a transaction, which is the whole of this test.
    with psycopg.connect(servers.url(name, SHARED), application_name=f"message-center-{name}"):
        assert getattr(parts, name)(timezone.now()).tone == "ok"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["sequencer", "signer"])
def test_a_process_of_the_log_that_is_not_connected_does_not_run(name: str) -> None:
    assert getattr(parts, name)(timezone.now()).tone == "bad"


def test_the_disk_says_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "are free for the data folder" in parts.disk(timezone.now()).sentence
    monkeypatch.setattr(parts, "FREE_BAD", 10**18)
    assert parts.disk(timezone.now()).tone == "bad"


def test_what_waits_in_the_fallback_file_is_told() -> None:
    folder = fallback()
    folder.remember(Identity(INSTALL, AFTER))
    assert parts.fallback(timezone.now()).tone == "ok"
    write(folder, 2)
    finding = parts.fallback(timezone.now())
    assert (finding.tone, finding.sentence[:14]) == ("warn", "2 entries wait")


def test_without_the_database_what_can_be_known_is_told() -> None:
    # No database fixture: any query would fail this test.
    swept(1)
    found = {one.code: one.tone for one in findings_without_database(timezone.now())}
    assert set(found) == {"database", "broker", "worker", "beat", "fallback", "disk"}
    assert (found["database"], found["worker"]) == ("bad", "ok")
