"""Why a campaign is not going faster: one sentence at any moment, before, while and after it
sends.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.queries.entries import of_object
from audit.queries.names import names
from audit.rules.events import Obj
from campaigns.models import Campaign, Mode, Progress, QueuedSegment, StartBy
from campaigns.queries.plans import open_of
from campaigns.rules.campaign_states import State
from smpp_client.models import (
    FIRST_RECEIVER_SLOT,
    Connection,
    RouteConnection,
    SessionState,
    SessionStatus,
)
from smpp_client.rules.pace import OpenTime, PlanRefused

# The owner of a session writes about once a second, and so does the desk.
FRESH = timedelta(seconds=5)
# Sweeps run every few seconds; what is later than this was forgotten.
OVERDUE = timedelta(minutes=1)
ENTRIES_LOOKED_AT = 50


@dataclass(frozen=True)
class Look:
    """A sending campaign at one instant; `progress` is as its row was read."""

    campaign: Campaign
    progress: Progress
    now: datetime


def why_not_faster(campaign: Campaign, now: datetime) -> str:
    """Return the one reason why a campaign is not faster; never empty."""
    return _OF_STATE[State(campaign.state)](campaign, now)


def clock(campaign: Campaign, at: datetime, now: datetime) -> str:
    """Write an instant in the workspace's zone: of today only the clock, else with the day."""
    zone = ZoneInfo(campaign.workspace.zone)
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return date_format(local, "H:i" if local.date() == today else "j M H:i")


def to_the_second(campaign: Campaign, at: datetime, now: datetime) -> str:
    """Write an instant in the workspace's zone with its seconds; of another day with that."""
    zone = ZoneInfo(campaign.workspace.zone)
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return date_format(local, "H:i:s" if local.date() == today else "j M H:i:s")


# Before it sends


def _building(campaign: Campaign, _now: datetime) -> str:
    valid = campaign.recipient_list.valid_count if campaign.recipient_list else 0
    figures = {"done": f"{campaign.built_count:,}", "all": f"{valid:,}"}
    return _("Its audience is being built: %(done)s of %(all)s people so far.") % figures


def _approved(campaign: Campaign, now: datetime) -> str:
    if campaign.start_by != StartBy.HAND:
        return _("It is approved and starts within seconds.")
    if campaign.starts_at is not None and campaign.starts_at > now:
        at = {"time": clock(campaign, campaign.starts_at, now)}
        return _("It may be started by hand from %(time)s on.") % at
    return _("It is approved and waits for a person to press start.")


def _scheduled(campaign: Campaign, now: datetime) -> str:
    if campaign.starts_at is None or campaign.start_by == StartBy.HAND:
        return _approved(campaign, now)
    at = {"time": clock(campaign, campaign.starts_at, now)}
    if now - campaign.starts_at > OVERDUE:
        return _("It should have started at %(time)s: the sweeps do not run.") % at
    return _("It is scheduled and starts at %(time)s.") % at


# While it may send


def _paused(campaign: Campaign, now: datetime) -> str:
    entries = of_object(
        campaign.workspace.uuid, Obj("campaign", f"cmp_{campaign.pk}"), limit=ENTRIES_LOOKED_AT
    )
    pauses = [row for row in entries if row.op == "campaign.pause" and row.result == "ok"]
    who = names("user", [pauses[0].actor.id]).get(pauses[0].actor.id, "") if pauses else ""
    words = {"who": who, "time": clock(campaign, campaign.state_since_at, now)}
    if who:
        return _("Paused by %(who)s at %(time)s.") % words
    return _("Paused at %(time)s.") % words


def _held(campaign: Campaign, _now: datetime) -> str:
    return campaign.hold_sentence or _("It is held.")


def _sending(campaign: Campaign, now: datetime) -> str:
    look = Look(campaign, Progress.objects.get(campaign=campaign), now)
    for reason in _WHILE_SENDING:
        sentence = reason(look)
        if sentence:
            return sentence
    return _silent(look)


def _suspended(look: Look) -> str:
    if look.campaign.workspace.is_suspended:
        return _("The workspace is suspended: nothing goes out.")
    return ""


def _all_sent(look: Look) -> str:
    counts = look.progress
    if look.campaign.mode == Mode.TRIGGER or counts.queued or counts.sending or counts.deferred:
        return ""
    return _("Everything is sent.")


def _closed(look: Look) -> str:
    """Say when time itself forbids it: before the start, after the end, in closed hours."""
    campaign, now = look.campaign, look.now
    if campaign.starts_at is not None and campaign.starts_at > now:
        return _("It waits for its start at %(time)s.") % {
            "time": clock(campaign, campaign.starts_at, now)
        }
    if campaign.ends_at is not None and campaign.ends_at <= now:
        return _("Its window ended at %(time)s.") % {"time": clock(campaign, campaign.ends_at, now)}
    try:
        open_ = open_of(campaign)
    except PlanRefused:
        return _("The plan cannot be kept: its daily window never opens.")
    if open_.contains(now):
        return ""
    opens = _next_opening(open_, now)
    if opens is None:
        return _("Closed hours: its daily window does not open again.")
    return _("Closed hours: it goes on at %(time)s.") % {"time": clock(campaign, opens, now)}


def _next_opening(open_: OpenTime, now: datetime) -> datetime | None:
    later = open_.starts[bisect_right(open_.starts, now.timestamp()) :]
    return datetime.fromtimestamp(later[0], UTC) if later else None


def _no_way_out(look: Look) -> str:
    return no_way_out(look.campaign, look.now)


def no_way_out(campaign: Campaign, now: datetime) -> str:
    """Say why no connection of the route takes anything, in the connection's own words; empty when
    one does.
    """
    route = campaign.route
    parts = list(
        RouteConnection.objects.filter(route=route, weight__gt=0)
        .select_related("connection")
        .order_by("-weight", "connection__name")
    )
    named = {"route": route.name if route else ""}
    if not parts:
        return _("No connection of the route %(route)s takes new traffic.") % named
    enabled = [part.connection_id for part in parts if part.connection.is_enabled]
    if not enabled:
        return _("Every connection of the route %(route)s is disabled.") % named
    return _no_session(campaign, enabled, named, now)


def _no_session(
    campaign: Campaign, connections: list[int], named: dict[str, str], now: datetime
) -> str:
    """Say why none of these connections has a session, or nothing when one has."""
    rows = _senders().filter(lease__connection__in=connections)
    statuses = sorted(rows, key=lambda row: row.lease_id)
    if not statuses:
        return _("The sender process does not run: it has not observed a connection yet.")
    if any(_is_fresh(row, now) and row.state == SessionState.BOUND for row in statuses):
        return ""
    fresh = [row for row in statuses if _is_fresh(row, now)]
    if not fresh:
        last = max(row.observed_at for row in statuses)
        return _("The sender process does not run: nothing was observed since %(time)s.") % {
            "time": to_the_second(campaign, last, now)
        }
    why = next((row.sentence for row in fresh if row.sentence), _("it is connecting."))
    return _("No connection of the route %(route)s is up: %(why)s") % {**named, "why": why}


def _is_fresh(row: SessionStatus, now: datetime) -> bool:
    return now - row.observed_at <= FRESH


def _nothing_pushed(look: Look) -> str:
    counts = look.progress
    if look.campaign.mode != Mode.TRIGGER or counts.queued or counts.sending or counts.deferred:
        return ""
    return _("Nothing is pushed now: messages leave as they come.")


def _range_is_down(look: Look) -> str:
    """Say that nothing is left but numbers whose own connection is down."""
    waiting = QueuedSegment.objects.filter(campaign=look.campaign, batch_id=None)
    lanes = dict(
        waiting.exclude(lane_id=None)
        .values_list("lane_id")
        .annotate(positions=Count("position", distinct=True))
        .order_by("lane_id")
    )
    if not lanes or sum(lanes.values()) < look.progress.queued + look.progress.deferred:
        return ""
    up = _connections(_up(lanes, look.now))
    down = Connection.objects.filter(pk__in=set(lanes) - up).order_by("name").first()
    if down is None:
        return ""
    return _(
        "%(n)s messages wait for the connection %(name)s, whose number range theirs is: it is down."
    ) % {"n": f"{lanes[down.pk]:,}", "name": down.name}


def _senders() -> QuerySet[SessionStatus]:
    """Return the sessions that send: of a pair the receiver helps no campaign."""
    return SessionStatus.objects.filter(lease__slot__lt=FIRST_RECEIVER_SLOT)


def _up(connections: Iterable[int], now: datetime) -> QuerySet[SessionStatus]:
    """Return the sessions of these connections that are up now."""
    return _senders().filter(
        lease__connection__in=list(connections),
        state=SessionState.BOUND,
        observed_at__gte=now - FRESH,
    )


def _connections(sessions: QuerySet[SessionStatus]) -> set[int]:
    return set(sessions.values_list("lease__connection", flat=True))


def _backup_carries(look: Look) -> str:
    """Say that only backups carry it, before what the desk says."""
    parts = list(
        RouteConnection.objects.filter(route=look.campaign.route, weight__gt=0)
        .select_related("connection")
        .order_by("tier", "connection__name")
    )
    up = _up([part.connection_id for part in parts], look.now).filter(stands_still=False)
    carrying = _connections(up)
    living = [part for part in parts if part.connection_id in carrying]
    if not living or living[0].tier == min(part.tier for part in parts):
        return ""
    names = ", ".join(part.connection.name for part in living if part.tier == living[0].tier)
    return _("Only the backup %(names)s takes segments.") % {"names": names}


def _sessions_say(look: Look) -> str:
    """Return what is wrong in the session's own words, where each that is up has some."""
    connections = RouteConnection.objects.filter(route=look.campaign.route, weight__gt=0)
    up = _up(connections.values_list("connection", flat=True), look.now)
    fresh = list(up.select_related("lease__connection").order_by("lease"))
    if not fresh or not all(row.sentence for row in fresh):
        return ""
    return f"{fresh[0].lease.connection.name}: {fresh[0].sentence}"


def _as_the_sender_says(look: Look) -> str:
    """Return what the desk wrote in its last claims: window, rate, throttled, budget, plan."""
    told_at = look.progress.reason_at
    if told_at is None or look.now - told_at > FRESH:
        return ""
    return " ".join(filter(None, [_backup_carries(look), look.progress.reason]))


def _waits_for_next_try(look: Look) -> str:
    if look.progress.queued or not look.progress.deferred:
        return ""
    waiting = QueuedSegment.objects.filter(campaign=look.campaign, batch_id=None)
    first = waiting.order_by("not_before_at").first()
    if first is None or first.not_before_at <= look.now:
        return ""
    return _("Everything was tried once: %(n)s wait for their next try at %(time)s.") % {
        "n": f"{look.progress.deferred:,}",
        "time": to_the_second(look.campaign, first.not_before_at, look.now),
    }


def _silent(look: Look) -> str:
    """Say that a sender with a session has not spoken about this campaign for a while."""
    campaign, told_at = look.campaign, look.progress.reason_at
    if campaign.started_at is not None and look.now - campaign.state_since_at <= FRESH:
        return _("It has just begun: the first messages leave within seconds.")
    if told_at is None:
        return _("The sender runs and has not taken up this campaign yet.")
    return _("The sender runs and has not looked at this campaign since %(time)s.") % {
        "time": to_the_second(campaign, told_at, look.now)
    }


# The first that has a sentence is the answer.
_WHILE_SENDING: tuple[Callable[[Look], str], ...] = (
    _suspended,
    _all_sent,
    _closed,
    _no_way_out,
    _nothing_pushed,
    _range_is_down,
    _sessions_say,
    _as_the_sender_says,
    _waits_for_next_try,
)

_OF_STATE: Mapping[State, Callable[[Campaign, datetime], str]] = {
    State.DRAFT: lambda _c, _n: _("It is a draft: nothing is sent before it is approved."),
    State.BUILDING: _building,
    State.READY: lambda _c, _n: _("It is ready and waits to be submitted for approval."),
    State.IN_REVIEW: lambda _c, _n: _("It waits for a moderator to approve it."),
    State.RETURNED: lambda _c, _n: _("It was returned and waits for its author."),
    State.REJECTED: lambda _c, _n: _("It was rejected: nothing is sent."),
    State.APPROVED: _approved,
    State.SCHEDULED: _scheduled,
    State.SENDING: _sending,
    State.PAUSED: _paused,
    State.HELD: _held,
    State.COMPLETED: lambda _c, _n: _("Everything is sent."),
    State.CANCELLED: lambda _c, _n: _("It was cancelled: the rest is not sent."),
    State.EXPIRED: lambda _c, _n: _("Its window is over: the rest was not sent in time."),
    State.FAILED: lambda _c, _n: _("Its audience could not be built: nothing is sent."),
}
