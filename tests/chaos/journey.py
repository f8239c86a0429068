"""The steps of a campaign by the worker's own tasks, from the uploaded list to the approval."""

from django.utils import timezone

from campaigns.actions import building, review
from campaigns.models import Campaign, ListState, Recipient, RecipientList
from campaigns.queries.blockers import count_to_confirm
from campaigns.rules.campaign_states import State
from campaigns.tasks.builds import build
from campaigns.tasks.lists import import_list
from tests import make
from tests.campaigns.lists import ordered
from tests.campaigns.sending.wire import Site
from tests.poll import poll
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere


def begin_import(place: Site, rows: int) -> RecipientList:
    """Upload a list and nudge its import; numbers of one block for fiction, then the next."""
    lines = [f"{_number(row)},Name{row}" for row in range(rows)]
    lst = ordered(place.author, "\n".join(["phone,name", *lines, ""]).encode())
    import_list.delay(lst.pk)
    return lst


def _number(row: int) -> str:
    """Return +44 7700 900000 to 900999, then +1 NXX 555 0100 to 0199."""
    if row < 1_000:
        return f"+447700900{row:03d}"
    area, line = divmod(row - 1_000, 100)
    return f"+1{_AREAS[area]}55501{line:02d}"


_AREAS = [area for area in range(201, 990) if area % 100 != 11 and area // 10 % 10 != 9]


def wait_imported(lst: RecipientList, seconds: float = 120) -> None:
    """Poll until every row is stored, and stored once."""
    with scope_everywhere("the test looks at everything"):
        ready = RecipientList.objects.filter(pk=lst.pk, state=ListState.READY)
        poll(ready.exists, seconds, "never imported")
        lst.refresh_from_db()
        assert Recipient.objects.filter(recipient_list=lst).count() == lst.valid_count


def begin_build(place: Site, recipients: RecipientList) -> Campaign:
    """Write a campaign that starts by itself, and nudge its build. Needs a scope."""
    campaign = make.draft(place.author, place.route, 0, recipient_list_id=recipients.pk)
    building.start_build(number=campaign.number, by=place.author, now=timezone.now())
    build.delay(campaign.pk)
    return campaign


def approve(place: Site, campaign: Campaign, seconds: float = 120) -> None:
    """Wait for the build, and let another person approve it. Needs a scope."""
    poll(lambda: is_in(campaign, State.READY), seconds, "never built")
    review.submit(
        number=campaign.number,
        by=place.author,
        typed_count=count_to_confirm(campaign),
        now=timezone.now(),
    )
    moderator = make.person_in(place.author.here, Role.MODERATOR)
    seen = review.digest_of(campaign.pk).hex()
    review.approve(number=campaign.number, by=moderator, seen=seen, now=timezone.now())


def is_in(campaign: Campaign, state: State) -> bool:
    """Read the campaign again and compare."""
    campaign.refresh_from_db()
    return campaign.state == state
