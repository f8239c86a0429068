"""A killed sender's unknowns: settled by the simulator's own ledger, then sent again by two people.

The ledger stands for the SMSC's call records: tab-separated, without a header.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.actions import running
from campaigns.actions.resending import approve_resend, request_resend
from campaigns.models import Campaign, Submission
from campaigns.rules.call_records import Stated
from smpp_client.models import Connection
from smpp_client.simulator.ledger import read
from tests import make
from tests.campaigns.sending.ground import counts, derived
from tests.campaigns.sending.records import bring_ledger
from tests.campaigns.sending.test_faults import (
    check_invariants,
    wait_settled,
    wait_submitted,
)
from tests.campaigns.sending.wire import Site, progress
from tests.poll import poll
from tests.processes import Processes
from workspaces.rules.permissions import Role

pytestmark = [pytest.mark.processes, pytest.mark.alone]


def reached(wired: Site) -> Counter[str]:
    """Return how often the simulator accepted something for each number."""
    return Counter(line.destination for line in read(wired.simulator.ledger))


def lose_some(wired: Site, processes: Processes, *, kills: int) -> Campaign:
    """Send a campaign while its sender is killed; some answers are lost. No receipts come."""
    wired.simulator.control(delay=0.05, receipt_delay=3_600)
    Connection.objects.filter(pk=wired.connection.pk).update(rate=150)
    campaign = make.sending(wired.author, wired.route, rows=500)
    sender = processes.start("sender")
    for _kill in range(kills):
        wait_submitted(campaign, progress(campaign).submitted_segments + 60)
        sender.kill9()
        sender.begin()
    wait_settled(campaign, 60)
    assert progress(campaign).unknown > 0
    return campaign


def test_the_ledger_settles_all_that_kills_left_unknown_and_a_resend_goes_out_once(
    wired: Site, processes: Processes, settings: Settings, tmp_path: Path
) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    began = datetime.now(UTC)
    campaign = lose_some(wired, processes, kills=3)
    left = progress(campaign).unknown
    check_invariants(campaign, wired)

    # Two people have one of them sent again: nobody knows yet, so it may be there twice.
    position = Submission.objects.filter(campaign=campaign, kind="unknown").values_list(
        "position", flat=True
    )[0]
    before = sum(reached(wired).values())
    asked = request_resend(
        number=campaign.number, positions=[position], by=wired.author, words="Try", now=_now()
    )
    moderator = make.person_in(wired.author.here, Role.MODERATOR)
    approve_resend(decision_id=asked.pk, by=moderator, words="", now=_now())
    poll(lambda: counts(campaign).get("unknown") == left - 1, 10)
    poll(lambda: sum(reached(wired).values()) == before + 1, 20, "the resend went out not once")
    wait_settled(campaign)
    assert progress(campaign).total == 500
    assert progress(campaign).resent == 1

    # The ledger without a stated time settles what arrived; with it, all.
    done = bring_ledger(wired.author, wired.simulator.ledger, wired.connection)
    arrived = counts(campaign)
    assert done.accepted_count == left - 1 - arrived.get("unknown", 0)
    stated = _all_of_it(campaign, began)
    rest = bring_ledger(wired.author, wired.simulator.ledger, wired.connection, stated)
    assert rest.absent_count == arrived.get("unknown", 0)
    assert counts(campaign) == derived(campaign)
    assert "unknown" not in counts(campaign)
    twice = [number for number, count in reached(wired).items() if count > 1]
    assert len(twice) <= 1
    assert len(reached(wired)) == 500 - counts(campaign).get("refused", 0)
    running.sweep(_now())
    campaign.refresh_from_db()
    assert campaign.state == "completed"
    print(f"unknown {left}: accepted {done.accepted_count}, never there {rest.absent_count}")


def _now() -> datetime:
    return timezone.now()


def _all_of_it(campaign: Campaign, began: datetime) -> Stated:
    """State the time of the whole run, once it is past the last unknown by the tolerance."""
    last = max(
        Submission.objects.filter(campaign=campaign).values_list("happened_at", flat=True)
    ) + timedelta(seconds=2)
    poll(lambda: datetime.now(UTC) > last, 10)
    return Stated(began - timedelta(minutes=1), last)
