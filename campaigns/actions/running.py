"""Campaigns after approval: started, paused, resumed, slowed, cancelled; held, completed and
expired by the machine.
"""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.rules.events import Actor
from campaigns.actions.moves import (
    SWEEP,
    CampaignRefused,
    WrongState,
    campaign_obj,
    find,
    lock,
    lock_found,
    move,
    note_machine,
    replan,
)
from campaigns.models import Campaign, Mode, StartBy
from campaigns.rules.campaign_states import State
from workspaces.actions.noting import note, note_denied
from workspaces.queries.me import Me
from workspaces.scope import scope_everywhere

SENDER = Actor(kind="system", id="sender")
BEFORE_SENDING = frozenset({State.APPROVED, State.SCHEDULED})
MILLI = Decimal("0.001")
HIGHEST_RATE = Decimal(1_000_000)
STOPPABLE = frozenset(
    {
        State.DRAFT,
        State.RETURNED,
        State.BUILDING,
        State.FAILED,
        State.READY,
        State.IN_REVIEW,
        State.APPROVED,
        State.SCHEDULED,
        State.SENDING,
        State.PAUSED,
        State.HELD,
    }
)


class NotYours(CampaignRefused):
    """An author runs his own campaigns only."""

    code = "not_yours"


class TooEarly(CampaignRefused):
    """The approval does not reach as far as this."""

    code = "too_early"


class TooLate(CampaignRefused):
    """Its window is over."""

    code = "too_late"


class OtherAudience(CampaignRefused):
    """The audience is not the one that was approved: only cancelling is left."""

    code = "other_audience"


class AboveCeiling(CampaignRefused):
    """Faster than approved needs a new approval."""

    code = "above_ceiling"


def start(*, number: int, by: Me, now: datetime) -> Campaign:
    """Start an approved campaign by hand; it is held instead when its audience is another one.

    Raises TooEarly before its approved start, TooLate after its end, NotYours, WrongState.
    """
    with transaction.atomic(durable=True):
        campaign = _mine(number, by, "campaign.start", now)
        if campaign.starts_at is not None and campaign.starts_at > now:
            raise TooEarly(_("It was approved to start later. Until then it waits."))
        if campaign.ends_at is not None and campaign.ends_at <= now:
            raise TooLate(_("Its window is over. Clone it and plan another one."))
        op = _begin(campaign, now, run_request_id=by.request_id)
        note(by, op, campaign_obj(campaign.pk), now=now, why=campaign.hold_sentence)
    return campaign


def _mine(number: int, by: Me, op: str, now: datetime) -> Campaign:
    campaign = lock(by.here, number)
    if not by.may("campaign.run") and campaign.author_person_id != by.person_id:
        note_denied(by, op, campaign_obj(campaign.pk), now=now, why="not the author")
        raise NotYours(_("Only its author, a moderator or an admin runs this campaign."))
    return campaign


def _begin(campaign: Campaign, now: datetime, **fields: Any) -> str:
    """Move to sending, with the audience hashed again: what was approved is what goes out.

    Return the operation that it became.
    """
    if not _is_audience_approved(campaign):
        move(
            campaign,
            State.HELD,
            allowed=BEFORE_SENDING,
            now=now,
            hold_reason="audience",
            hold_sentence=_("The audience is not the one that was approved."),
        )
        return "campaign.hold"
    move(campaign, State.SENDING, allowed=BEFORE_SENDING, now=now, started_at=now, **fields)
    return "campaign.start"


def _is_audience_approved(campaign: Campaign) -> bool:
    if campaign.mode == Mode.TRIGGER:
        return True
    approved = bytes(campaign.audience_digest or b"")
    # Or it was frozen by an earlier release.
    return approved == audience_digest(campaign.pk) or approved == audience_digest(
        campaign.pk, with_numbers=False
    )


def audience_digest(campaign_id: int, *, with_numbers: bool = True) -> bytes:
    """Return the digest of a frozen audience as its rows are now; without their sealed numbers, as
    it was made at first, a guess of what an erased row said could be confirmed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_audience_digest(%s, %s)", [campaign_id, with_numbers])
        row = cursor.fetchone()
    return bytes(row[0])


def pause(*, number: int, by: Me, why: str = "", now: datetime) -> Campaign:
    """Stop claiming at once; what is in flight finishes."""
    with transaction.atomic(durable=True):
        campaign = _mine(number, by, "campaign.pause", now)
        move(campaign, State.PAUSED, allowed={State.SENDING, State.HELD}, now=now)
        note(by, "campaign.pause", campaign_obj(campaign.pk), now=now, why=why)
    return campaign


def resume(*, number: int, by: Me, now: datetime) -> Campaign:
    """Go on after a pause or a hold.

    The plan's curve starts again from here, so nothing catches up in a burst. Raises OtherAudience
    for a campaign that never began because of it, NotYours, WrongState.
    """
    with transaction.atomic(durable=True):
        campaign = _mine(number, by, "campaign.resume", now)
        op = "campaign.release" if campaign.state == State.HELD else "campaign.resume"
        if campaign.state not in {State.PAUSED, State.HELD}:
            raise WrongState(_("The campaign is neither paused nor held."))
        if campaign.started_at is None and not _is_audience_approved(campaign):
            raise OtherAudience(
                _("The audience is not the one that was approved. Cancel it and clone it.")
            )
        move(
            campaign,
            State.SENDING,
            allowed={State.PAUSED, State.HELD},
            now=now,
            started_at=campaign.started_at or now,
            run_request_id=by.request_id,
        )
        replan(campaign, now)
        note(by, op, campaign_obj(campaign.pk), now=now)
    return campaign


def change_rate(*, number: int, by: Me, rate: Decimal | None, now: datetime) -> Campaign:
    """Slow a campaign down, or let it go faster again below its approved ceiling (segments/s; None
    is the plan's own).

    Raises AboveCeiling.
    """
    with transaction.atomic(durable=True):
        campaign = _mine(number, by, "campaign.rate", now)
        rate = _whole_millis(rate)
        ceiling = campaign.rate_ceiling
        if rate is not None and ceiling is not None and rate > ceiling:
            raise AboveCeiling(
                _("Approved are at most %(ceiling)s segments/s. Faster needs a new approval.")
                % {"ceiling": f"{ceiling.normalize():f}"},
                field="rate",
            )
        before = campaign.runtime_rate
        changed = Campaign.objects.filter(
            pk=campaign.pk,
            workspace=by.here,
            state__in=[State.APPROVED, State.SCHEDULED, State.SENDING, State.PAUSED, State.HELD],
        ).update(runtime_rate=rate)
        if not changed:
            raise WrongState(_("A campaign that is not at work has no rate to change."))
        replan(campaign, now)
        note(by, "campaign.rate", campaign_obj(campaign.pk), now=now, diff={"rate": (before, rate)})
    return campaign


def _whole_millis(rate: Decimal | None) -> Decimal | None:
    """Return a rate as it is stored, to a thousandth. Raises CampaignRefused."""
    if rate is None:
        return None
    if not rate.is_finite() or rate > HIGHEST_RATE:
        raise CampaignRefused(_("No connection is that fast. Type a lower rate."), field="rate")
    rate = rate.quantize(MILLI, rounding=ROUND_DOWN)
    if rate <= 0:
        raise CampaignRefused(_("Type a rate above zero, or pause instead."), field="rate")
    return rate


def cancel(*, number: int, by: Me, why: str, now: datetime) -> int:
    """End a campaign; what is not claimed yet is cancelled. Returns how many messages that were."""
    with transaction.atomic(durable=True):
        campaign = _mine(number, by, "campaign.cancel", now)
        move(campaign, State.CANCELLED, allowed=STOPPABLE, now=now, finished_at=now)
        dropped = _drop_rest(campaign.pk)
        note(
            by,
            "campaign.cancel",
            campaign_obj(campaign.pk),
            now=now,
            why=why,
            diff={"dropped": (None, dropped)},
        )
    return dropped


def _drop_rest(campaign_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_rest(%s)", [campaign_id])
        row = cursor.fetchone()
    return int(row[0])


# --- the machine's own moves ------------------------------------------------------------------


def hold(campaign_id: int, *, reason: str, sentence: str, now: datetime) -> bool:
    """Stop a sending campaign with a reason that a person understands; return whether this call did
    it.
    """
    with transaction.atomic(durable=True):
        campaign = Campaign.objects.select_related("workspace").get(pk=campaign_id)
        try:
            move(
                campaign,
                State.HELD,
                allowed={State.SENDING},
                now=now,
                hold_reason=reason,
                hold_sentence=sentence,
            )
        except WrongState:
            return False
        note_machine(campaign, "campaign.hold", SENDER, now=now, why=sentence)
    return True


def sweep(now: datetime) -> int:
    """Make every move that time or completion asks for; return how many.

    Running it twice changes nothing.
    """
    with scope_everywhere("the sweep moves campaigns of all workspaces"):
        due = (
            [(pk, _start_due) for pk in find(_to_start(now))]
            + [(pk, _expire_due) for pk in find(_to_expire(now))]
            + [(pk, _complete_due) for pk in find(_to_complete(now))]
        )
        return sum(act(pk, now) for pk, act in due)


def _to_start(now: datetime) -> Q:
    return Q(state=State.APPROVED, start_by=StartBy.ITSELF) | Q(
        state=State.SCHEDULED, start_by=StartBy.ITSELF, starts_at__lte=now
    )


def _to_expire(now: datetime) -> Q:
    waiting = [State.IN_REVIEW, State.APPROVED, State.SCHEDULED]
    running = [State.SENDING, State.PAUSED, State.HELD]
    return Q(state__in=[*waiting, *running], ends_at__lte=now)


def _to_complete(now: datetime) -> Q:
    is_done = Q(progress__queued=0, progress__sending=0, progress__deferred=0)
    is_closed = ~Q(mode=Mode.TRIGGER) | Q(ends_at__lte=now)
    return is_done & is_closed & Q(state__in=[State.SENDING, State.PAUSED, State.HELD])


def _start_due(campaign_id: int, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        campaign = lock_found(campaign_id, _to_start(now))
        if campaign is None:
            return False
        if campaign.starts_at is not None and campaign.starts_at > now:
            move(campaign, State.SCHEDULED, allowed={State.APPROVED}, now=now)
            note_machine(campaign, "campaign.schedule", SWEEP, now=now)
            return True
        op = _begin(campaign, now)
        note_machine(campaign, op, SWEEP, now=now, why=campaign.hold_sentence)
    return True


def _complete_due(campaign_id: int, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        campaign = lock_found(campaign_id, _to_complete(now))
        if campaign is None:
            return False
        running = {State.SENDING, State.PAUSED, State.HELD}
        move(campaign, State.COMPLETED, allowed=running, now=now, finished_at=now)
        note_machine(campaign, "campaign.complete", SWEEP, now=now)
    return True


def _expire_due(campaign_id: int, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        campaign = lock_found(campaign_id, _to_expire(now) & ~_to_complete(now))
        if campaign is None:
            return False
        move(campaign, State.EXPIRED, allowed=STOPPABLE, now=now, finished_at=now)
        dropped = _drop_rest(campaign.pk)
        why = f"{dropped} not sent in time"
        note_machine(campaign, "campaign.expire", SWEEP, now=now, why=why)
    return True
