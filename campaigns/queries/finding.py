"""What a workspace sent to one number, found by its fingerprint."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.models import Campaign, OptOut
from campaigns.queries.message_rows import Key, Shown, shown
from campaigns.rules.faults import Fault
from campaigns.rules.number_plans import is_country
from campaigns.rules.numbers import mask, normalise
from workspaces.models import Workspace
from workspaces.queries.keys import keys

MOST = 100

TO_NUMBER = """
SELECT frozen_on, campaign_id, position FROM message
WHERE workspace_id = %s AND fingerprint = %s
ORDER BY frozen_on DESC, campaign_id DESC, position DESC LIMIT %s
"""


@dataclass(frozen=True)
class Hit:
    """A message to the number, with its campaign."""

    campaign: Campaign
    row: Shown


@dataclass(frozen=True)
class Findings:
    """Messages to one number, newest campaigns first. `is_cut` says that there are more."""

    number: str
    hits: Sequence[Hit]
    is_cut: bool
    opt_out: OptOut | None


def find_number(workspace: Workspace, text: str, country: str) -> Findings | Fault:
    """Return what was sent to a typed number, or what is wrong with the number.

    `country` is the ISO code of numbers without a country code, or "".
    """
    number = normalise(text, country if is_country(country) else "")
    if isinstance(number, Fault):
        return number
    return found_for(workspace, keys().fingerprint(number), mask(number))


def found_for(workspace: Workspace, fingerprint: bytes, number: str) -> Findings:
    """Return what was sent to the number with this fingerprint; `number` is how it is shown."""
    with connection.cursor() as cursor:
        cursor.execute(TO_NUMBER, [workspace.pk, fingerprint, MOST + 1])
        found = [Key(*row) for row in cursor.fetchall()]
    opt_outs = OptOut.objects.filter(workspace=workspace, fingerprint=fingerprint, lifted_at=None)
    return Findings(
        number=number,
        hits=hits_of(workspace, found[:MOST]),
        is_cut=len(found) > MOST,
        opt_out=opt_outs.first(),
    )


def hits_of(workspace: Workspace, found: Sequence[Key], *, with_deleted: bool = False) -> list[Hit]:
    """Return these messages with their campaigns; `with_deleted` those of deleted ones too."""
    rows = Campaign.objects.filter(workspace=workspace).select_related("sender")
    kept = rows if with_deleted else rows.filter(deleted_at=None)
    campaigns = kept.in_bulk({key.campaign_id for key in found})
    seen = shown(workspace.pk, [key for key in found if key.campaign_id in campaigns])
    return [Hit(campaigns[row.campaign_id], row) for row in seen]
