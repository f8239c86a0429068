"""What waits for a moderator: the inbox, and what a decision on one campaign means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Approval, Campaign, Mode, StartBy, Verdict
from campaigns.queries.approvers import parts_in
from campaigns.queries.campaign_words import local, people_words, when_words
from campaigns.queries.deadlines import deadline_of
from campaigns.queries.senders import waiting_for
from campaigns.rules.campaign_states import State
from campaigns.rules.local_times import write_duration
from workspaces.models import Workspace
from workspaces.queries.me import Me

SOON = timedelta(hours=1)
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Item:
    """Something that waits for a decision, as one person sees it.

    `kind` is campaign or sender; `why_not` is empty where this person may decide. `number` is the
    campaign's; `sender` the name of a revision's sender.
    """

    kind: str
    title: str
    words: str
    waits_since: datetime
    deadline: datetime | None = None
    time_left: str = ""
    is_soon: bool = False
    is_late: bool = False
    why_not: str = ""
    number: int = 0
    sender: str = ""

    @property
    def is_own(self) -> bool:
        """Whether another person has to decide."""
        return bool(self.why_not)


def in_review(workspace: Workspace) -> list[Campaign]:
    """Return the campaigns that wait, the longest waiting first."""
    return list(
        Campaign.objects.select_related(
            "workspace", "sender", "recipient_list", "author__person", "submitter__person"
        )
        .filter(workspace=workspace, state=State.IN_REVIEW, deleted_at=None)
        .order_by("submitted_at", "pk")
    )


def inbox(me: Me, now: datetime) -> list[Item]:
    """Return everything that waits, first deadline first, what this person cannot decide last."""
    found = [_campaign_item(one, me, now) for one in in_review(me.here)] + _sender_items(me)
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda one: (one.is_own, one.deadline or far, one.waits_since))


def waiting_for_me(me: Me, now: datetime) -> list[Item]:
    """Return what this person may decide; nothing for who reviews nothing."""
    wanted = {"campaign": me.may("campaign.review"), "sender": me.may("sender.review")}
    return [one for one in inbox(me, now) if not one.is_own and wanted[one.kind]]


def waiting_count(me: Me) -> int:
    """Return how many campaigns and sender revisions this person may decide now."""
    if not me.may("campaign.review"):
        return 0
    campaigns = sum(me.person_id not in parts_in(one) for one in in_review(me.here))
    return campaigns + sum(one.may_decide for one in waiting_for(me))


def _campaign_item(campaign: Campaign, me: Me, now: datetime) -> Item:
    deadline = deadline_of(campaign)
    part = parts_in(campaign).get(me.person_id, "")
    return Item(
        kind="campaign",
        title=campaign.name or str(campaign),
        words=f"{people_words(campaign)}, {when_words(campaign, now)}",
        waits_since=campaign.submitted_at or campaign.state_since_at,
        deadline=deadline,
        time_left=_time_left(campaign, deadline, now),
        is_soon=deadline is not None and deadline - now < SOON,
        is_late=deadline is not None and deadline <= now,
        why_not=_("You %(part)s, so another person decides.") % {"part": part} if part else "",
        number=campaign.number,
        sender=campaign.sender.value if campaign.sender else "",
    )


def _time_left(campaign: Campaign, deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return _("No deadline")
    if deadline <= now:
        return _("Start has passed")
    if deadline - now < A_DAY:
        return _("%(time)s left") % {"time": write_duration(deadline - now)}
    return local(campaign, deadline, "j M H:i")


def _sender_items(me: Me) -> list[Item]:
    return [
        Item(
            kind="sender",
            title=_("%(name)s, revision %(n)s")
            % {"name": one.revision.sender.value, "n": one.revision.number},
            words=_("Sender name, proposed by %(who)s") % {"who": one.revision.proposed_by.name},
            waits_since=one.revision.proposed_at,
            why_not=_why_not(is_own=one.is_own, is_decided=one.is_decided),
            sender=one.revision.sender.value,
        )
        for one in waiting_for(me)
    ]


def _why_not(*, is_own: bool, is_decided: bool) -> str:
    if is_own:
        return _("You proposed it, so another person decides.")
    return _("You have decided; one more person has to.") if is_decided else ""


def last_return(campaign: Campaign) -> str:
    """Return the words with which a campaign was returned last; empty if that was not the last
    verdict.
    """
    last = (
        Approval.objects.filter(workspace=campaign.workspace_id, campaign=campaign)
        .order_by("-pk")
        .first()
    )
    return last.note if last is not None and last.verdict == Verdict.RETURN else ""


def effect_of_approval(campaign: Campaign, now: datetime) -> str:
    """Return what an approval sets off, in one sentence."""
    if campaign.start_by == StartBy.HAND:
        return _("With your approval it waits for a person to press start.")
    if campaign.mode == Mode.TRIGGER:
        return _("With your approval it is open within seconds.")
    if campaign.starts_at is None or campaign.starts_at <= now:
        return _("With your approval it starts within seconds.")
    return _("With your approval it starts by itself: %(when)s.") % {
        "when": when_words(campaign, now)
    }


def approve_words(campaign: Campaign) -> str:
    """Return what the button says that approves."""
    if campaign.mode == Mode.TRIGGER:
        return _("Approve the trigger")
    words = ngettext("Approve %(n)s message", "Approve %(n)s messages", campaign.total)
    return words % {"n": f"{campaign.total:,}"}


def who_made(campaign: Campaign) -> Sequence[str]:
    """Return who had which part in a campaign, as short words."""
    lst = campaign.recipient_list
    parts = [
        _("by %(who)s") % {"who": campaign.author.name},
        _("list by %(who)s") % {"who": lst.uploaded_by.name} if lst else "",
        _("submitted by %(who)s") % {"who": campaign.submitter.name} if campaign.submitter else "",
    ]
    return [part for part in parts if part]
