"""Questions about opt-outs, numbers masked."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import OptOut
from campaigns.rules.faults import Fault
from campaigns.rules.number_plans import is_country
from campaigns.rules.numbers import mask, normalise
from workspaces.models import Workspace
from workspaces.queries.keys import keys

PAGE = 50


@dataclass(frozen=True)
class ShownOptOut:
    """An opt-out as the page shows it.

    `reply_id` is the message of this workspace by which the person said so, 0 where there is none.
    """

    row: OptOut
    number: str
    reply_id: int = 0


@dataclass(frozen=True)
class Page:
    """Opt-outs of one page, and where the next, older one begins (0: there is none)."""

    rows: Sequence[ShownOptOut]
    before: int


def page_of_opt_outs(workspace: Workspace, *, is_lifted: bool, before: int = 0) -> Page:
    """Return a page, newest first, of those with a smaller id than `before`."""
    rows = OptOut.objects.filter(workspace=workspace, lifted_at__isnull=not is_lifted)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(
        rows.select_related("added_by", "lifted_by", "inbound_message").order_by("-pk")[: PAGE + 1]
    )
    shown = [_shown(row) for row in found[:PAGE]]
    return Page(shown, found[PAGE - 1].pk if len(found) > PAGE else 0)


def opt_out_count(workspace: Workspace) -> int:
    """Return how many people are opted out now."""
    return OptOut.objects.filter(workspace=workspace, lifted_at=None).count()


def find_opt_out(workspace: Workspace, opt_out_id: int) -> ShownOptOut | None:
    """Return an opt-out of this workspace, or None."""
    rows = OptOut.objects.filter(workspace=workspace, pk=opt_out_id)
    row = rows.select_related("added_by", "lifted_by", "inbound_message").first()
    return None if row is None else _shown(row)


def opt_outs_of(workspace: Workspace, text: str, country: str) -> list[ShownOptOut] | Fault:
    """Return all opt-outs of a typed number, newest first, or what is wrong with the number."""
    number = normalise(text, country if is_country(country) else "")
    if isinstance(number, Fault):
        return number
    rows = OptOut.objects.filter(workspace=workspace, fingerprint=keys().fingerprint(number))
    found = rows.select_related("added_by", "lifted_by", "inbound_message").order_by("-pk")[:PAGE]
    return [_shown(row) for row in found]


def number_of(row: OptOut) -> str:
    """Return the number in digits, "" once it was erased: the opt-out itself still holds."""
    sealed = bytes(row.number_sealed)
    return keys().open_number(sealed, row.workspace_id) if sealed else ""


def _shown(row: OptOut) -> ShownOptOut:
    number = number_of(row)
    message = row.inbound_message
    is_ours = message is not None and message.workspace_id == row.workspace_id
    shown = mask(number) if number else _("erased")
    return ShownOptOut(row, shown, row.inbound_message_id or 0 if is_ours else 0)
