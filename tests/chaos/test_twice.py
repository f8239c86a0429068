"""Every Celery task runs twice, from the upload to the last receipt, and nothing happens twice."""

from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from campaigns.actions import building, review
from campaigns.models import Campaign, ListState, Recipient, RecipientList
from campaigns.queries.blockers import count_to_confirm
from campaigns.rules.campaign_states import State
from campaigns.tasks.builds import build
from campaigns.tasks.lists import import_list
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.lists import ordered
from tests.campaigns.sending.ground import counts, derived
from tests.campaigns.sending.wire import Site, site
from tests.poll import poll
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
ROWS = 900


def test_tasks_that_are_delivered_twice_have_one_effect(
    processes: Processes, tmp_path: Path, settings: Settings
) -> None:
    key_queries.keys.cache_clear()
    settings.UPLOAD_DIR = processes.data / "uploads"
    ran = tmp_path / "twice"
    twice = {"DJANGO_SETTINGS_MODULE": "tests.chaos.twice", "TWICE_FILE": str(ran)}
    with scope_everywhere("the test makes its ground"):
        place = site(tmp_path / "wire")
    try:
        processes.start("worker", **twice)
        processes.start("beat")
        recipients = _import(place)
        with scope_everywhere("the test looks at everything"):
            campaign = _campaign(place, recipients)
            processes.start("sender")
            poll(lambda: _is(campaign, State.COMPLETED), 120, "never completed")
            final = counts(campaign)
            assert sum(final.values()) == ROWS
            assert final == derived(campaign)
        accepted = Counter(line.destination for line in texts(place.simulator.ledger))
        assert (len(accepted), set(accepted.values())) == (ROWS, {1})
        tasks = Counter(ran.read_text().split())
        assert {"campaigns.import_list", "campaigns.build", "campaigns.sweep"} <= set(tasks)
    finally:
        place.simulator.kill()


def _import(place: Site) -> RecipientList:
    rows = "".join(f"07700900{row:03d},Name{row}\n" for row in range(ROWS))
    lst = ordered(place.author, b"phone,name\n" + rows.encode())
    import_list.delay(lst.pk)
    with scope_everywhere("the test looks at everything"):
        poll(lambda: _ready(lst), 60, "never imported")
        lst.refresh_from_db()
        stored = Recipient.objects.filter(recipient_list=lst).count()
        assert (lst.valid_count, stored) == (ROWS, ROWS)
    return lst


def _ready(lst: RecipientList) -> bool:
    return RecipientList.objects.filter(pk=lst.pk, state=ListState.READY).exists()


def _campaign(place: Site, recipients: RecipientList) -> Campaign:
    """Write a campaign that starts by itself, let the worker build it, and approve it."""
    campaign = make.draft(place.author, place.route, ROWS, recipient_list_id=recipients.pk)
    building.start_build(number=campaign.number, by=place.author, now=timezone.now())
    build.delay(campaign.pk)
    poll(lambda: _is(campaign, State.READY), 60, "never built")
    campaign.refresh_from_db()
    now = timezone.now()
    review.submit(
        number=campaign.number,
        by=place.author,
        typed_count=count_to_confirm(campaign),
        now=now,
    )
    moderator = make.person_in(place.author.here, Role.MODERATOR)
    seen = review.digest_of(campaign.pk).hex()
    review.approve(number=campaign.number, by=moderator, seen=seen, now=timezone.now())
    return campaign


def _is(campaign: Campaign, state: State) -> bool:
    campaign.refresh_from_db()
    return campaign.state == state
