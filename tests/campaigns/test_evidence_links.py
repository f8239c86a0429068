"""From a campaign, a sender name or the log it is one click to the evidence, filled in."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from audit.actions.record import record
from audit.rules.events import Obj
from campaigns.models import Campaign
from tests.campaigns import names
from tests.campaigns.looking import Team, client_of, path, seen_by, team, text
from tests.workspaces import make as people
from tests.workspaces.log import entries
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db
EVIDENCE = "/w/care/evidence/"
LOG = "/w/care/audit/"


@pytest.fixture
def care(db: None) -> Team:
    return team()


@pytest.fixture
def admin(care: Team) -> Me:
    return care.member(Role.ADMIN)


def started(care: Team) -> Campaign:
    """A campaign whose last entry is of now."""
    campaign = care.campaign()
    with scope(care.place):
        record(
            "campaign.rate",
            workspace=care.place.uuid,
            actor=care.author.actor,
            obj=Obj("campaign", f"cmp_{campaign.pk}"),
            now=timezone.now(),
        )
    return campaign


def today(care: Team) -> str:
    """Return today's date in the workspace's zone."""
    return f"{timezone.now().astimezone(ZoneInfo(care.place.zone)):%Y-%m-%d}"


def test_a_campaign_leads_to_its_entries_and_to_the_filled_form(care: Team, admin: Me) -> None:
    campaign = started(care)
    page = seen_by(admin, path(campaign))
    assert f'href="{LOG}?q=cmp_{campaign.pk}"' in page
    assert f'href="{EVIDENCE}?about=cmp_{campaign.pk}#ask"' in page


def test_the_form_begins_with_the_first_entry_and_says_what_it_is_about(
    care: Team, admin: Me
) -> None:
    campaign = started(care)
    form = seen_by(admin, f"{EVIDENCE}?about=cmp_{campaign.pk}")
    assert f'name="since" value="{today(care)}"' in form
    count = sum(one["obj"]["id"] == f"cmp_{campaign.pk}" for one in entries(care.place))
    assert f'<b class="b">{campaign} {campaign.name}</b>: {count} entries' in form
    assert f'href="{LOG}?q=cmp_{campaign.pk}"' in form


def test_a_campaign_that_is_long_over_fills_in_its_end(care: Team, admin: Me) -> None:
    campaign = started(care)
    over = timezone.now() - timedelta(days=30)
    with scope(care.place):
        Campaign.objects.filter(pk=campaign.pk).update(finished_at=over)
    end = f"{(over + timedelta(hours=74)).astimezone(ZoneInfo(care.place.zone)):%Y-%m-%d}"
    assert f"?about=cmp_{campaign.pk}&amp;until={end}#ask" in seen_by(admin, path(campaign))
    form = seen_by(admin, f"{EVIDENCE}?about=cmp_{campaign.pk}&until={end}")
    assert f'name="until" value="{end}"' in form


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR])
def test_who_may_not_export_sees_the_entries_only(care: Team, role: Role) -> None:
    campaign, member = started(care), care.member(role)
    page = seen_by(member, path(campaign))
    assert f"?q=cmp_{campaign.pk}" in page
    for one in (page, seen_by(member, LOG)):
        assert "Export evidence" not in one


def test_a_sender_name_counts_with_its_revisions(care: Team, admin: Me) -> None:
    sender = names.in_use(admin)
    page = seen_by(admin, "/w/care/senders/Amber/")
    assert f'href="{LOG}?q=snd_{sender.pk}"' in page
    assert f'href="{EVIDENCE}?about=snd_{sender.pk}#ask"' in page
    # Created with its first revision, and approved: the second entry is about the revision.
    assert '<b class="b">Amber</b>: 2 entries' in seen_by(
        admin, f"{EVIDENCE}?about=snd_{sender.pk}"
    )


def test_the_log_hands_its_filter_over(care: Team, admin: Me) -> None:
    campaign = started(care)
    assert f'href="{EVIDENCE}#ask"' in seen_by(admin, LOG)
    page = seen_by(admin, f"{LOG}?q=cmp_{campaign.pk}&since=2026-03-01&until=2026-03-09")
    wish = f"?about=cmp_{campaign.pk}&amp;since=2026-03-01&amp;until=2026-03-09#ask"
    assert f'href="{EVIDENCE}{wish}"' in page
    # What is looked for is the name of a person: there is no one object.
    assert f'href="{EVIDENCE}#ask"' in seen_by(admin, f"{LOG}?q=somebody")


def test_an_entry_leads_to_the_evidence_of_its_object(care: Team, admin: Me) -> None:
    campaign = started(care)
    lines = client_of(admin).get(f"{LOG}?q=cmp_{campaign.pk}").context["lines"]
    address = next(url for line, url in lines if line.row.op == "campaign.rate")
    assert f'href="{EVIDENCE}?about=cmp_{campaign.pk}#ask"' in seen_by(admin, address)


def test_of_the_system_chain_nothing_is_exported_by_itself() -> None:
    root = people.me(people.user(is_super_admin=True))
    assert "Export evidence" not in seen_by(root, "/platform/audit/")


@pytest.mark.parametrize(
    "wish", ["?about=cmp_999999", "?about=nothing", "?since=soon", "?until=2026-02-30"]
)
def test_a_wish_that_makes_no_sense_is_a_page_that_does_not_exist(
    care: Team, admin: Me, wish: str
) -> None:
    assert client_of(admin).get(f"{EVIDENCE}{wish}").status_code == 404


def test_a_neighbours_campaign_cannot_be_named(care: Team, admin: Me) -> None:
    theirs = started(team("roaming"))
    assert client_of(admin).get(f"{EVIDENCE}?about=cmp_{theirs.pk}").status_code == 404


def test_nothing_is_exported_without_a_reason_and_the_wish_stays(care: Team, admin: Me) -> None:
    campaign = started(care)
    address = f"{EVIDENCE}?about=cmp_{campaign.pk}"
    typed = {"since": today(care), "until": "", "values": "masked", "reason": ""}
    form = text(client_of(admin).post(address, typed))
    assert "This field is required." in form
    assert f'<b class="b">{campaign} {campaign.name}</b>' in form
    assert "No evidence was exported yet" in form
