"""Tables of an earlier release, with what they hold, taken to the newest while senders work."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.utils import timezone

from message_center.stack.product import ROOT
from tests.ground import Ground
from tests.poll import poll

SUBMISSION = (
    "INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part,"
    " part_count, connection_id, kind, smsc_id, happened_at, receipt_state)"
    " VALUES (%s, 1, 1, 1, %s, 1, 1, 1, 'submitted', %s, %s, %s)"
)
WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'submission'::regclass"


def manage(ground: Ground, database: str, *words: str) -> "subprocess.Popen[bytes]":
    """Begin a management command as an operator does."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=ground.environment(database)
    )


@pytest.fixture
def empty(servers: Ground) -> Iterator[str]:
    """The name of a database without tables."""
    name = servers.fresh_empty()
    yield name
    servers.drop(name)


def test_what_was_not_delivered_is_found_though_receipts_came_meanwhile(
    servers: Ground, empty: str
) -> None:
    assert manage(servers, empty, "migrate", "campaigns", "0015").wait(120) == 0
    url = servers.url("superuser", empty)
    with psycopg.connect(url) as sender, psycopg.connect(url, autocommit=True) as watch:
        now = timezone.now()
        for position, state in enumerate(("undeliverable", "none", "delivered", "", "expired")):
            sender.execute(SUBMISSION, [now.date(), position, str(position), now, state])
        sender.commit()
        sender.execute("UPDATE submission SET receipt_state = 'rejected' WHERE position = 3")
        upgrade = manage(servers, empty, "setup_database")
        poll(lambda: watch.execute(WAITS).fetchone(), 60, "nothing waits for the sender")
        sender.commit()
        assert upgrade.wait(120) == 0
        noted = watch.execute("SELECT position, is_reported FROM non_delivery").fetchall()
    assert set(noted) == {(0, True), (1, False), (3, True), (4, True)}
