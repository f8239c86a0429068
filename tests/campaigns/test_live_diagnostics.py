"""Diagnostics: what is well, what is not, and the rows behind it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from campaigns.models import Batch, Campaign, Progress
from campaigns.queries.diagnostics import findings
from campaigns.queries.troubles import old_batches, wrong_counts
from campaigns.rules.findings import Finding
from smpp_client.models import Lease, SessionStatus
from tests.campaigns.looking import Team, seen_by, team
from tests.workspaces import make as people
from workspaces.scope import scope_everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def care(db: None) -> Team:
    return team()


@pytest.fixture
def everywhere(care: Team) -> Iterator[Team]:
    """A team, with all workspaces in scope."""
    with scope_everywhere("diagnostics"):
        yield care


def found(name: str) -> Finding:
    """Return one finding."""
    return next(one for one in findings(timezone.now()) if one.name == name)


def observe(care: Team, seconds_ago: float) -> Lease:
    lease = Lease.objects.create(connection=care.wire, slot=0, epoch=3, owner="host:1")
    at = timezone.now() - timedelta(seconds=seconds_ago)
    SessionStatus.objects.create(lease=lease, state="bound", since_at=at, observed_at=at)
    return lease


def test_the_page_says_each_finding_in_words(care: Team) -> None:
    observe(care, 1)
    page = seen_by(people.me(people.user(is_super_admin=True)), "/platform/diagnostics/")
    for name in ("Database", "Broker", "Sender process", "Runtime role", "Partitions", "Receipts"):
        assert f'<b class="b">{name}</b>' in page
    assert "somebody now." in page
    assert "host:1" in page


def test_database_and_broker_answer(everywhere: Team) -> None:
    assert found("Database").sentence.startswith("PostgreSQL ")
    assert found("Broker").sentence.startswith("It answers; ")


def test_a_broker_that_is_away_is_bad_and_loses_nothing(
    everywhere: Team, settings: LazySettings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    broker = found("Broker")
    assert broker.tone == "bad"
    assert "Nothing is lost" in broker.sentence


@pytest.mark.parametrize(("seconds", "tone"), [(1, "ok"), (20, "bad")])
def test_a_sender_that_stopped_writing_does_not_run(
    everywhere: Team, seconds: float, tone: str
) -> None:
    assert found("Sender process").tone == "bad"
    observe(everywhere, seconds)
    assert found("Sender process").tone == tone


def test_a_campaign_past_its_time_tells_that_the_sweeps_do_not_run(care: Team) -> None:
    campaign = care.campaign()
    with scope_everywhere("diagnostics"):
        assert found("Sweeps").tone == "ok"
        over = timezone.now() - timedelta(minutes=2)
        Campaign.objects.filter(pk=campaign.pk).update(ends_at=over)
        assert found("Sweeps").tone == "bad"


def test_the_runtime_role_owns_nothing_of_the_log(everywhere: Team) -> None:
    role = found("Runtime role")
    assert role.tone == "ok"
    assert "owns nothing of the audit log" in role.sentence


def test_partitions_are_there_for_this_month_and_the_next(everywhere: Team) -> None:
    # Rows that another test rolled back may have left their pages in a default partition.
    assert "Missing" not in found("Partitions").sentence


def test_a_month_without_partitions_is_named(everywhere: Team) -> None:
    later = timezone.now() + timedelta(days=400)
    missing = next(one for one in findings(later) if one.name == "Partitions")
    assert missing.tone == "warn"
    assert f"message_{later:%Y_%m}" in missing.sentence


def test_counts_that_do_not_add_up_are_listed(care: Team) -> None:
    campaign = care.campaign(rows=4)
    with scope_everywhere("diagnostics"):
        assert wrong_counts() == []
        Progress.objects.filter(campaign=campaign).update(total=3, queued=3)
        [wrong] = wrong_counts()
        assert (wrong.slug, wrong.number, wrong.counted, wrong.total) == ("care", 1, 3, 4)
        assert found("Counts").tone == "bad"


@pytest.mark.parametrize(("minutes", "count"), [(1, 0), (3, 1)])
def test_a_batch_that_is_open_for_too_long_is_listed(care: Team, minutes: int, count: int) -> None:
    campaign = care.campaign()
    lease = observe(care, 1)
    opened = timezone.now() - timedelta(minutes=minutes)
    with scope_everywhere("diagnostics"):
        intend(campaign, lease, opened)
        batches = old_batches(timezone.now())
        assert len(batches) == count
        assert found("Open batches").tone == ("warn" if count else "ok")


def intend(campaign: Campaign, lease: Lease, opened_at: Any) -> None:
    """Store an intent of an epoch before the lease's."""
    Batch.objects.create(
        workspace=campaign.workspace,
        campaign=campaign,
        connection_id=lease.connection_id,
        lease=lease,
        epoch=lease.epoch - 1,
        segment_count=3,
        open_count=3,
        opened_on=opened_at.date(),
        opened_at=opened_at,
    )


def test_a_batch_whose_sender_is_gone_says_what_becomes_of_it(care: Team) -> None:
    campaign = care.campaign()
    lease = observe(care, 1)
    with scope_everywhere("diagnostics"):
        intend(campaign, lease, timezone.now() - timedelta(minutes=5))
        [batch] = old_batches(timezone.now())
    assert batch.is_fenced
    page = seen_by(people.me(people.user(is_super_admin=True)), "/platform/diagnostics/")
    assert "the next owner of the slot makes it unknown" in page


def test_receipts_that_fit_nothing_are_counted(everywhere: Team) -> None:
    assert found("Receipts").tone == "ok"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO receipt (connection_id, smsc_id, state, raw, received_at, result)"
            " VALUES (1, 'x', 'delivered', '', now(), 'orphan')"
        )
    assert found("Receipts").sentence == "1 fit no message of ours, 0 wait to be matched."
