"""What stands between a campaign and its submission, each by name.

The button is disabled only by these.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from campaigns.models import Campaign, ListState, Mode, RevisionState
from campaigns.queries.alphabets import alphabet_now
from campaigns.queries.plans import plan_of
from campaigns.rules.campaign_states import State
from campaigns.rules.text import unknown_names
from smpp_client.models import RouteGrant
from smpp_client.rules.pace import PlanRefused
from smpp_client.rules.segments import TextRefused, count

LONGEST_TRIGGER = timedelta(days=365)


@dataclass(frozen=True)
class Blocker:
    """One reason.

    `step` is the wizard's step where it is mended, `code` is stable, the sentence is for people.
    """

    step: str
    code: str
    sentence: str


def blockers(campaign: Campaign, now: datetime) -> list[Blocker]:
    """Return everything that keeps a campaign from review, in order of the steps; nothing means it
    may be submitted.
    """
    found = content_blockers(campaign, now)
    if not found and campaign.state != State.READY:
        found.append(
            Blocker(
                "check", "not_built", _("The audience is not built yet. Build it, then submit.")
            )
        )
    if not found and _is_sender_newer(campaign):
        found.append(
            Blocker(
                "check",
                "sender_revised",
                _("The sender name has a newer revision than the audience was built with.")
                + " "
                + _("Build it again."),
            )
        )
    if not found and alphabet_now(campaign) != campaign.alphabet:
        found.append(
            Blocker(
                "check",
                "alphabet_changed",
                _("A connection of the route takes another alphabet than when it was built.")
                + " "
                + _("Build it again."),
            )
        )
    return found


def _is_sender_newer(campaign: Campaign) -> bool:
    sender = campaign.sender
    return sender is not None and sender.approved_revision_id != campaign.sender_revision_id


def count_to_confirm(campaign: Campaign) -> int:
    """Return the number that a person types to submit: the messages, or how many a day a trigger
    may send.
    """
    if campaign.mode == Mode.TRIGGER:
        return campaign.daily_cap or 0
    return campaign.total


def content_blockers(campaign: Campaign, now: datetime) -> list[Blocker]:
    """Return what keeps a campaign from being built."""
    checks: tuple[Callable[[Campaign, datetime], Iterator[Blocker]], ...] = (
        _purpose,
        _message,
        _recipients,
        _plan,
    )
    return [blocker for check in checks for blocker in check(campaign, now)]


def _purpose(campaign: Campaign, _now: datetime) -> Iterator[Blocker]:
    if not campaign.name.strip():
        yield Blocker("purpose", "name_missing", _("Give the campaign a name."))
    sender = campaign.sender
    if sender is None:
        yield Blocker("purpose", "sender_missing", _("Choose a sender name."))
    elif (
        sender.is_archived
        or sender.approved_revision is None
        or sender.approved_revision.state != RevisionState.APPROVED
    ):
        yield Blocker(
            "purpose",
            "sender_not_approved",
            _("The sender name %(sender)s has no approved revision.") % {"sender": sender.value},
        )


def _message(campaign: Campaign, _now: datetime) -> Iterator[Blocker]:
    if not campaign.text.strip():
        yield Blocker("message", "text_missing", _("Write the text."))
        return
    for name in unknown_names(campaign.text, known_names(campaign)):
        yield Blocker(
            "message",
            "unknown_placeholder",
            _unknown_name_sentence(campaign) % {"name": name},
        )
    try:
        count(campaign.text, alphabet=alphabet_now(campaign))
    except TextRefused as refused:
        yield Blocker("message", "text_refused", str(refused))


def _unknown_name_sentence(campaign: Campaign) -> str:
    if campaign.mode == Mode.TRIGGER:
        return _("“{{%(name)s}}” is no slot of the trigger. Add the slot or remove it.")
    if campaign.recipient_list is None:
        return _("“{{%(name)s}}” needs a list with such a column. Choose one or remove it.")
    return _("“{{%(name)s}}” is no column of the list. Remove it or choose another list.")


def known_names(campaign: Campaign) -> tuple[str, ...]:
    """Return the names that may stand in {{}}: the list's columns, or a trigger's slots."""
    if campaign.mode == Mode.TRIGGER:
        return tuple(slot["name"] for slot in campaign.slots)
    return tuple(campaign.recipient_list.columns) if campaign.recipient_list else ()


def _recipients(campaign: Campaign, _now: datetime) -> Iterator[Blocker]:
    chosen = campaign.recipient_list
    if campaign.mode == Mode.TRIGGER:
        return
    if chosen is None:
        yield Blocker("recipients", "list_missing", _("Choose a recipient list."))
    elif chosen.state != ListState.READY:
        yield Blocker("recipients", "list_not_ready", _("The recipient list is not imported yet."))
    elif chosen.is_archived:
        yield Blocker(
            "recipients",
            "list_archived",
            _("The recipient list is archived. Restore it or choose another."),
        )
    elif chosen.valid_count == 0:
        yield Blocker("recipients", "list_empty", _("The recipient list has no valid number."))


def _plan(campaign: Campaign, now: datetime) -> Iterator[Blocker]:
    route = campaign.route
    if route is None:
        yield Blocker("plan", "route_missing", _("Choose a route."))
    elif not RouteGrant.objects.filter(workspace=campaign.workspace_id, route=route).exists():
        yield Blocker(
            "plan",
            "route_not_granted",
            _("This workspace may not use the route %(route)s.") % {"route": route.name},
        )
    found = list(_times(campaign, now))
    yield from found or _window(campaign)
    if campaign.mode == Mode.TRIGGER and not campaign.daily_cap:
        yield Blocker("plan", "cap_missing", _("Set how many messages a day may be pushed."))


def _times(campaign: Campaign, now: datetime) -> Iterator[Blocker]:
    needs_start = campaign.mode in {Mode.SCHEDULED, Mode.SPREAD}
    needs_end = campaign.mode in {Mode.SPREAD, Mode.TRIGGER}
    if needs_start and campaign.starts_at is None:
        yield Blocker("plan", "start_missing", _("Set when it starts."))
    if needs_end and campaign.ends_at is None:
        yield Blocker("plan", "end_missing", _("Set when it ends."))
    if campaign.ends_at is not None and campaign.ends_at <= now:
        yield Blocker("plan", "window_past", _("The window is over. Choose a later end."))
    elif campaign.mode == Mode.SCHEDULED and campaign.starts_at and campaign.starts_at <= now:
        yield Blocker("plan", "start_past", _("The start is in the past. Choose a later one."))
    if (
        campaign.mode == Mode.TRIGGER
        and campaign.ends_at is not None
        and campaign.ends_at > now + LONGEST_TRIGGER
    ):
        yield Blocker("plan", "end_too_late", _("A trigger ends within 365 days."))


def _window(campaign: Campaign) -> Iterator[Blocker]:
    """What only the arithmetic finds: a daily window that never opens, a plan of two years."""
    try:
        plan_of(campaign)
    except PlanRefused as refused:
        yield Blocker("plan", "plan_refused", str(refused))
