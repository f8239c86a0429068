"""Why a campaign is not faster, in one line; and why it is held."""

from datetime import datetime
from math import isinf

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.actions.sending.candidates import MOST_IN_LANES, Wish
from campaigns.models import Mode
from smpp_client.carrier import Bound, Room

HOLDS = {
    "suspended": _("The workspace is suspended."),
    "sender": _("The sender name has no approved revision any more."),
    "no_approval": _("There is no approval of this campaign."),
    "digest": _("It is not what was approved: its text, sender, plan, route or audience changed."),
    "signature": _("Its approval was not made in this application."),
    "route": _("This workspace may not use the campaign's route any more."),
    "alphabet": _(
        "A connection of its route has had its alphabet changed: messages need more segments there"
        " than were approved. Set it back and let the campaign go on, or cancel it, clone it and"
        " build it again."
    ),
}
# A refusal that passes by itself: the campaign goes on waiting.
PASSING = {
    "not_yet": _("Waits for its start."),
    "window_over": _("Its window is over."),
    "closed_hours": _("Closed hours: it goes on when its daily window opens."),
}


def turn_sentence() -> str:
    """Return why this connection leaves alone what is due."""
    return _("Its next segments are the turn of the route's other connections, by weight.")


def bound_sentence(room: Room, rivals: int = 0) -> str:
    """Return what keeps a session from taking more; `rivals` other campaigns want its room."""
    figure = f"{room.limit:,.0f}"
    if rivals and room.bound is Bound.RATE:
        return ngettext(
            "Shares the connection's %(rate)s segments/s with %(n)s other campaign, by class and"
            " by the weights of workspaces.",
            "Shares the connection's %(rate)s segments/s with %(n)s other campaigns, by class and"
            " by the weights of workspaces.",
            rivals,
        ) % {"rate": figure, "n": rivals}
    said = {
        Bound.RATE: _("Limited by the connection's rate: %(rate)s segments/s."),
        Bound.THROTTLED: _("Slowed by the SMSC: %(rate)s segments/s for now."),
        Bound.WINDOW: _("Limited by the window: %(n)s segments wait for the SMSC's answer."),
        Bound.BUDGET: _("Limited by the intent budget: %(n)s segments are not settled yet."),
        Bound.STANDSTILL: _("The SMSC refuses everything for now: one segment is tried at a time."),
    }
    return said[room.bound] % {"rate": figure, "n": figure}


def plan_sentence(wish: Wish, now: datetime) -> str:
    """Return what the plan itself says when the session had room left."""
    candidate = wish.candidate
    if candidate.plan_row.mode == Mode.TRIGGER:
        return _("Nothing is pushed now: messages leave as they come.")
    if candidate.cursor >= candidate.total:
        if candidate.deferred:
            return _("Everything is sent once; %(n)s wait for their next try.") % {
                "n": f"{candidate.deferred:,}"
            }
        return _("Everything is sent; the last answers are awaited.")
    if candidate.in_lanes >= MOST_IN_LANES:
        return _(
            "%(n)s segments wait for the connection of their number range; the rest waits for them."
        ) % {"n": f"{candidate.in_lanes:,}"}
    if wish.due is None or wish.plan is None:
        return _("The plan cannot be kept: its window is never open.")
    if not wish.plan.open.contains(now):
        return PASSING["closed_hours"]
    return _rate_sentence(wish)


def _rate_sentence(wish: Wish) -> str:
    if wish.due is None or wish.plan is None or isinf(wish.due.rate):
        return _("Goes as fast as its route takes it.")
    rate = {"rate": f"{wish.due.rate:,.1f}"}
    by_hand = wish.candidate.runtime_rate
    if by_hand is not None and wish.due.rate >= float(by_hand) * 0.999:
        return _("Slowed by hand: %(rate)s segments/s.") % rate
    if wish.plan.is_spread and wish.due.rate > wish.plan.rate * 1.02:
        return _("Limited by the catch-up rule: %(rate)s segments/s, at most 1.25 × plan.") % rate
    if wish.plan.is_spread:
        return _("Goes at its plan's rate: %(rate)s segments/s.") % rate
    return _("Limited by its approved rate: %(rate)s segments/s.") % rate
