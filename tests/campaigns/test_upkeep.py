"""What keeps the tables well."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.actions.upkeep import EVENT_DAYS, SAMPLE_DAYS, forget_observations
from campaigns.models import Campaign, Mode, RateSample
from smpp_client.models import ConnectionEvent
from tests import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

pytestmark = pytest.mark.django_db


def sampled(author: Me, campaign: Campaign, *seconds: datetime) -> None:
    """Write down that a campaign sent in these seconds."""
    for at in seconds:
        second = int(at.timestamp())
        RateSample.objects.create(workspace=author.here, campaign=campaign, second=second)


def test_old_seconds_of_triggers_and_old_events_go_and_nothing_else() -> None:
    now = timezone.now()
    old, young = now - timedelta(days=SAMPLE_DAYS + 1), now - timedelta(days=SAMPLE_DAYS - 1)
    with scope_everywhere("the test makes rows"):
        author, wire = make.person_in(make.workspace(), Role.ADMIN), make.connection()
        route = make.route(author.here, wire)
        spread, trigger = make.draft(author, route), make.draft(author, route)
        Campaign.objects.filter(pk=trigger.pk).update(mode=Mode.TRIGGER)
        for campaign in (spread, trigger):
            sampled(author, campaign, old, young)
        for days in (EVENT_DAYS + 1, EVENT_DAYS - 1):
            at = now - timedelta(days=days)
            ConnectionEvent.objects.create(connection=wire, kind="lost", happened_at=at)
    assert forget_observations(now) == 2
    assert forget_observations(now) == 0
    with scope_everywhere("the test looks"):
        kept = RateSample.objects.filter(campaign=trigger).values_list("second", flat=True)
        assert list(kept) == [int(young.timestamp())]
        assert RateSample.objects.filter(campaign=spread).count() == 2
        assert ConnectionEvent.objects.count() == 1
