"""Campaigns whose route is down are held, and go on by themselves when it is back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.actions.lanes import clear_lanes
from campaigns.actions.moves import SWEEP, find, lock_found, move, note_machine, replan
from campaigns.queries.why import no_way_out
from campaigns.rules.campaign_states import State
from smpp_client.actions.route_state import observe_routes
from workspaces.scope import scope_everywhere

ROUTE_DOWN = "route_down"
# A session that binds again at once holds nobody up.
PATIENCE = timedelta(seconds=2)


def watch_routes(now: datetime) -> int:
    """Hold what cannot go out, release what can again, and let go over any connection what no range
    keeps for one; return how many campaigns moved.

    The sender does it each second and so does a sweep, for the case that no sender lives. Doing it
    twice changes nothing. What a person paused stays paused.
    """
    with scope_everywhere("campaigns of all workspaces share the routes"):
        observe_routes(now)
        clear_lanes(now)
        held = sum(_hold(pk, now) for pk in find(_to_hold(now)))
        return held + sum(_release(pk, now) for pk in find(_to_release()))


def _to_hold(now: datetime) -> Q:
    return Q(state=State.SENDING, route__down_since_at__lte=now - PATIENCE)


def _to_release() -> Q:
    return Q(state=State.HELD, hold_reason=ROUTE_DOWN, route__down_since_at=None)


def _hold(campaign_id: int, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        campaign = lock_found(campaign_id, _to_hold(now))
        if campaign is None:
            return False
        why = no_way_out(campaign, now) or _(
            "The sender process does not run: nothing was observed for some seconds."
        )
        move(
            campaign,
            State.HELD,
            allowed={State.SENDING},
            now=now,
            hold_reason=ROUTE_DOWN,
            hold_sentence=why[:300],
        )
        note_machine(campaign, "campaign.hold", SWEEP, now=now, why=why)
    return True


def _release(campaign_id: int, now: datetime) -> bool:
    """Let a campaign go on; its curve starts again from here, so nothing catches up in a burst."""
    with transaction.atomic(durable=True):
        campaign = lock_found(campaign_id, _to_release())
        if campaign is None:
            return False
        move(campaign, State.SENDING, allowed={State.HELD}, now=now)
        replan(campaign, now)
        why = _("Its route is up again.")
        note_machine(campaign, "campaign.release", SWEEP, now=now, why=why)
    return True
