"""Who may decide on a campaign and who may not, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import Campaign
from workspaces.models import Membership, Workspace
from workspaces.queries.accounts import usable
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS, Role

REVIEWERS = [role.value for role in Role if "campaign.review" in PERMISSIONS[role]]


@dataclass(frozen=True)
class Barred:
    """Somebody who could decide but had a part in it. `why` completes "... because he"."""

    name: str
    why: str
    is_me: bool


@dataclass(frozen=True)
class Approvers:
    """The people of a workspace who review campaigns, by name."""

    may: Sequence[str]
    barred: Sequence[Barred]


def parts_in(campaign: Campaign) -> Mapping[int, str]:
    """Return the persons who made a campaign, each with the first part that he had in it."""
    uploader = campaign.recipient_list.uploaded_person_id if campaign.recipient_list else None
    parts = [
        (campaign.author_person_id, _("wrote it")),
        (campaign.editor_person_id, _("edited it last")),
        (campaign.submitter_person_id, _("submitted it")),
        (uploader, _("uploaded its list")),
    ]
    found: dict[int, str] = {}
    for person_id, why in parts:
        if person_id is not None:
            found.setdefault(person_id, why)
    return found


def approvers_of(campaign: Campaign, me: Me) -> Approvers:
    """Return who may decide when the caller submits it."""
    parts = {**parts_in(campaign)}
    parts.setdefault(me.person_id, _("submit it"))
    rows = reviewers(me.here)
    return Approvers(
        may=[name for person_id, name in rows if person_id not in parts],
        barred=[
            Barred(name, parts[person_id], is_me=person_id == me.person_id)
            for person_id, name in rows
            if person_id in parts
        ],
    )


def reviewers(workspace: Workspace) -> list[tuple[int, str]]:
    """Return (person id, name) of the members who review campaigns."""
    rows = Membership.objects.filter(
        usable("user__"), workspace=workspace, role__in=REVIEWERS
    ).order_by("user__person__name")
    return list(rows.values_list("user__person_id", "user__person__name"))
