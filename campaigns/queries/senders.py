"""Sender names as pages show them: the list, one name, what waits for review."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from campaigns.models import (
    Campaign,
    Progress,
    RevisionState,
    Sender,
    SenderDecision,
    SenderRevision,
)
from campaigns.queries.protected_names import protected_pairs
from campaigns.rules.campaign_states import FINAL, State
from campaigns.rules.differences import Piece, differences
from campaigns.rules.sender_names import Kind, NameRefused, kind_of, read_name, resembled, skeleton
from workspaces.models import Workspace
from workspaces.queries.me import Me

LAST_DAYS = timedelta(days=30)
# A campaign in one of these goes on sending with its sender, or will.
BOUND = (State.APPROVED, State.SCHEDULED, State.SENDING, State.PAUSED, State.HELD)


class Standing(StrEnum):
    """How a sender name stands, in the order of the filter."""

    IN_USE = "in_use"
    IN_REVIEW = "in_review"
    NOT_APPROVED = "not_approved"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Row:
    """A line of the list. `proposed` is the revision in review, if any."""

    sender: Sender
    standing: Standing
    approved: SenderRevision | None
    proposed: SenderRevision | None

    @property
    def told(self) -> SenderRevision | None:
        """The revision whose content a line shows: the one in use, else the one in review."""
        return self.approved or self.proposed

    @property
    def asked_number(self) -> int | None:
        """The revision that a reader wants to see first: the one in review, else the one in use."""
        first = self.proposed or self.approved
        return first.number if first else None


@dataclass(frozen=True)
class Waiting:
    """A revision that waits for a decision, as one person sees it.

    `is_own` means that he proposed it, `is_decided` that he has decided already: either way another
    person has to.
    """

    revision: SenderRevision
    approved: SenderRevision | None
    approval_count: int
    is_own: bool
    is_decided: bool

    @property
    def missing_count(self) -> int:
        """How many approvals are still needed."""
        return max(self.revision.needed_approvals - self.approval_count, 0)

    @property
    def may_decide(self) -> bool:
        """Whether this person's decision would count."""
        return not self.is_own and not self.is_decided


@dataclass(frozen=True)
class Usage:
    """What a sender name did in the last 30 days."""

    campaign_count: int
    message_count: int
    delivered_count: int


@dataclass(frozen=True)
class Comparison:
    """A field of a revision beside that of the one before; `old` is None without one."""

    field: str
    old: str | None
    new: str

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new

    @property
    def pieces(self) -> list[Piece]:
        """The new text with what went and what came, for a reader."""
        return [("same", self.new)] if self.old is None else differences(self.old, self.new)


@dataclass(frozen=True)
class Happening:
    """A line of the approval record; `what` is proposed, approved, rejected or withdrawn.

    Who withdrew a revision stands in the audit log only: `who` is empty then.
    """

    what: str
    number: int
    at: datetime
    who: str = ""
    words: str = ""


@dataclass(frozen=True)
class Draft:
    """What a name that is being typed would be; `sentence` says why it cannot be a sender."""

    value: str
    sentence: str = ""
    kind: Kind = Kind.NAME
    ton: int = 0
    npi: int = 0
    resembles: str = ""
    twin: Sender | None = None


COMPARED = ("value", "category", "legal_entity", "purpose", "sample_text")


def senders_of(workspace: Workspace, standing: Standing | None = None) -> list[Row]:
    """Return the sender names of a workspace by name; without a standing all but the archived."""
    rows = [row for row in _rows(workspace) if row.standing is not Standing.ARCHIVED or standing]
    return [row for row in rows if standing is None or row.standing is standing]


def standings(workspace: Workspace) -> dict[Standing, int]:
    """Return how many sender names stand how; every standing is there."""
    counts = dict.fromkeys(Standing, 0)
    for row in _rows(workspace):
        counts[row.standing] += 1
    return counts


def _rows(workspace: Workspace) -> list[Row]:
    proposed = {
        revision.sender_id: revision
        for revision in SenderRevision.objects.filter(
            workspace=workspace, state=RevisionState.IN_REVIEW
        )
    }
    senders = (
        Sender.objects.filter(workspace=workspace)
        .select_related("approved_revision")
        .order_by("value")
    )
    return [row_of(sender, proposed.get(sender.pk)) for sender in senders]


def row_of(sender: Sender, proposed: SenderRevision | None) -> Row:
    """Return a sender's line."""
    if sender.is_archived:
        standing = Standing.ARCHIVED
    elif sender.approved_revision is not None:
        standing = Standing.IN_USE
    else:
        standing = Standing.IN_REVIEW if proposed else Standing.NOT_APPROVED
    return Row(sender, standing, sender.approved_revision, proposed)


def sender_by(workspace: Workspace, text: str) -> Sender | None:
    """Return a workspace's sender by its value, whatever its case, or else by its id."""
    mine = Sender.objects.filter(workspace=workspace).select_related("approved_revision")
    found = mine.filter(value__iexact=text).first()
    if found is None and text.isdecimal() and len(text) < 19:
        found = mine.filter(pk=int(text)).first()
    return found


def approved(workspace: Workspace) -> list[Sender]:
    """Return the senders that a campaign can use now, by name."""
    return list(
        Sender.objects.filter(
            workspace=workspace,
            is_archived=False,
            approved_revision__state=RevisionState.APPROVED,
        )
        .select_related("approved_revision")
        .order_by("value")
    )


def revisions_of(sender: Sender) -> list[SenderRevision]:
    """Return all revisions of a sender, newest first, with who proposed them."""
    return list(
        SenderRevision.objects.filter(workspace=sender.workspace_id, sender=sender)
        .select_related("proposed_by__person")
        .order_by("-number")
    )


def decisions_of(sender: Sender) -> list[SenderDecision]:
    """Return every decision on a sender's revisions, newest first, with who decided."""
    return list(
        SenderDecision.objects.filter(workspace=sender.workspace_id, revision__sender=sender)
        .select_related("decided_by__person", "revision")
        .order_by("-decided_at", "-pk")
    )


def waiting_for(me: Me) -> list[Waiting]:
    """Return the revisions in review in the caller's workspace, oldest first, his own included."""
    return [_waiting(revision, me) for revision in _in_review(me.here)]


def waiting_on(sender: Sender, me: Me) -> Waiting | None:
    """Return the revision of a sender that waits for a decision, or None."""
    found = _in_review(me.here).filter(sender=sender).first()
    return _waiting(found, me) if found else None


def waiting_count(me: Me) -> int:
    """Return how many revisions wait for this person's decision."""
    decided = SenderDecision.objects.filter(revision=OuterRef("pk"), decided_person_id=me.person_id)
    return (
        SenderRevision.objects.filter(workspace=me.here, state=RevisionState.IN_REVIEW)
        .exclude(proposed_person_id=me.person_id)
        .exclude(Exists(decided))
        .exclude(sender__is_archived=True)
        .count()
    )


def _in_review(workspace: Workspace) -> QuerySet[SenderRevision]:
    return (
        SenderRevision.objects.filter(
            workspace=workspace, state=RevisionState.IN_REVIEW, sender__is_archived=False
        )
        .select_related("sender__approved_revision", "proposed_by__person")
        .prefetch_related("decisions")
        .order_by("proposed_at", "pk")
    )


def _waiting(revision: SenderRevision, me: Me) -> Waiting:
    decisions = revision.decisions.all()
    return Waiting(
        revision=revision,
        approved=revision.sender.approved_revision,
        approval_count=sum(decision.is_approval for decision in decisions),
        is_own=revision.proposed_person_id == me.person_id,
        is_decided=any(decision.decided_person_id == me.person_id for decision in decisions),
    )


def compared(old: SenderRevision | None, new: SenderRevision) -> list[Comparison]:
    """Return the fields of a revision beside those of another, in the order of the page."""
    found = [
        Comparison(field, _shown(old, field) if old else None, _shown(new, field))
        for field in COMPARED
    ]
    return [*found, Comparison("wire", on_the_wire(old) if old else None, on_the_wire(new))]


def on_the_wire(revision: SenderRevision) -> str:
    """Return TON and NPI as people write them."""
    return f"TON {revision.ton}, NPI {revision.npi}"


def story_of(revisions: list[SenderRevision], decisions: list[SenderDecision]) -> list[Happening]:
    """Return what was done about a sender, newest first."""
    lines = [
        Happening("proposed", one.number, one.proposed_at, one.proposed_by.name)
        for one in revisions
    ]
    lines += [
        Happening("withdrawn", one.number, one.decided_at)
        for one in revisions
        if one.state == RevisionState.WITHDRAWN and one.decided_at
    ]
    lines += [
        Happening(
            "approved" if one.is_approval else "rejected",
            one.revision.number,
            one.decided_at,
            one.decided_by.name,
            one.note,
        )
        for one in decisions
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def drafted(workspace: Workspace, text: str) -> Draft:
    """Return what a typed name would be as a sender of this workspace."""
    try:
        address = read_name(text)
    except NameRefused as refused:
        return Draft(text, sentence=_(refused.sentence) % refused.values)
    return Draft(
        value=address.value,
        kind=kind_of(address.value),
        ton=address.ton,
        npi=address.npi,
        resembles=resembled(address.value, protected_pairs()),
        twin=own_twin(workspace, address.value),
    )


def _shown(revision: SenderRevision, field: str) -> str:
    if field == "category":
        return str(revision.get_category_display())
    return str(getattr(revision, field))


def usage_of(sender: Sender, now: datetime) -> Usage:
    """Return what the sender's campaigns that began in the last 30 days did."""
    found = Progress.objects.filter(
        workspace=sender.workspace_id,
        campaign__sender=sender,
        campaign__started_at__gte=now - LAST_DAYS,
        campaign__deleted_at=None,
    ).aggregate(count=Count("pk"), messages=Sum("total"), delivered=Sum("delivered"))
    return Usage(found["count"], found["messages"] or 0, found["delivered"] or 0)


def campaigns_bound_to(sender: Sender, limit: int = 10) -> list[Campaign]:
    """Return campaigns that are approved with this sender and not over, newest first."""
    return list(
        Campaign.objects.filter(
            workspace=sender.workspace_id,
            sender=sender,
            state__in=[state.value for state in BOUND],
            deleted_at=None,
        ).order_by("-pk")[:limit]
    )


def drafts_count(sender: Sender) -> int:
    """Return how many campaigns that are not over and not approved have chosen this sender."""
    known = [state.value for state in (*BOUND, *FINAL)]
    return (
        Campaign.objects.filter(workspace=sender.workspace_id, sender=sender, deleted_at=None)
        .exclude(Q(state__in=known) | Q(is_archived=True))
        .count()
    )


def own_twin(workspace: Workspace, text: str) -> Sender | None:
    """Return the sender of this workspace that looks like a name, or None."""
    return Sender.objects.filter(workspace=workspace, skeleton=skeleton(text)).first()
