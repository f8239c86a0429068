"""Plain functions that make sender names by the product's own verbs."""

from dataclasses import replace

from django.utils import timezone

from campaigns.actions.protected_names import protect_name
from campaigns.actions.sender_review import approve_revision
from campaigns.actions.senders import Proposal, create_sender, propose_revision
from campaigns.models import Sender, SenderRevision
from tests.make import person_in
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

AMBER = Proposal(
    value="Amber",
    category="service",
    legal_entity="Amber Telecom Ltd",
    purpose="Outages and maintenance",
    sample_text="Maintenance tonight from 01:00 to 03:00.",
)


def proposal(value: str = "Amber", **fields: str) -> Proposal:
    """Return a proposal that is right in everything but what is given."""
    return replace(AMBER, value=value, **fields)


def proposed(by: Me, value: str = "Amber", **fields: str) -> Sender:
    """Make a sender whose first revision is in review."""
    with scope(by.here):
        return create_sender(by=by, proposal=proposal(value, **fields), now=timezone.now())


def approve(sender: Sender, by: Me, seen: int = 1) -> None:
    """Approve a revision."""
    with scope(by.here):
        approve_revision(sender_id=sender.pk, seen=seen, by=by, now=timezone.now())
        sender.refresh_from_db()


def revised(sender_id: int, by: Me) -> SenderRevision:
    """Give a sender in use a second approved revision and return that; needs a scope."""
    sender = Sender.objects.get(pk=sender_id)
    now = timezone.now()
    propose_revision(sender_id=sender.pk, by=by, proposal=proposal(sender.value), now=now)
    other = person_in(by.here, Role.MODERATOR)
    approve_revision(sender_id=sender.pk, seen=2, by=other, now=now)
    return SenderRevision.objects.get(sender=sender, number=2)


def in_use(by: Me, value: str = "Amber", **fields: str) -> Sender:
    """Make a sender in use, approved by a new moderator."""
    sender = proposed(by, value, **fields)
    approve(sender, make.me_in(by.here, Role.MODERATOR))
    return sender


def protect(*names: str) -> None:
    """Put names on the installation's list."""
    keeper = make.me(make.user(is_super_admin=True))
    for name in names:
        protect_name(value=name, by=keeper, now=timezone.now())
