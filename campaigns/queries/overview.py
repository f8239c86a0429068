"""A workspace at a glance: what sends, what waits, what needs a person, what comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Progress, RecipientList
from campaigns.queries.campaigns import Row, row
from campaigns.queries.pace import Pace, pace_of
from campaigns.queries.planning import rate_text
from campaigns.queries.review import Item, waiting_for_me
from campaigns.queries.senders import approved
from campaigns.rules.campaign_states import RUNNING, State
from workspaces.models import Workspace
from workspaces.queries.me import Me

MOST_ROWS = 10
UNKNOWN_BACK = timedelta(days=7)
EXPIRED_BACK = timedelta(days=2)
LOADED = ("workspace", "sender", "author__person", "recipient_list", "progress", "approval")


@dataclass(frozen=True)
class Sending:
    """A campaign that sends, with its pace and the one reason why it is not faster."""

    row: Row
    pace: Pace
    reason: str
    may_pause: bool

    @property
    def is_behind(self) -> bool:
        """Whether it lags behind its plan by more than a few seconds of it."""
        return not self.pace.is_on_plan and (self.pace.behind or 0) > 0


@dataclass(frozen=True)
class Tiles:
    """The four figures. Those of today are of the campaigns that were at work today.

    `accepted` counts segments, the others messages or campaigns; `with_receipt` is what the
    delivered share is of.
    """

    accepted: int
    delivered: int
    with_receipt: int
    unknown: int
    held: int
    paused: int
    behind: int

    @property
    def delivered_share(self) -> float | None:
        """The delivered share of what has a receipt, in percent; None without any."""
        return 100 * self.delivered / self.with_receipt if self.with_receipt else None


@dataclass(frozen=True)
class Trouble:
    """Something that a person should look at."""

    number: int
    title: str
    state: str
    sentence: str


@dataclass(frozen=True)
class Glance:
    """The overview of one workspace, as one person sees it."""

    lede: Sequence[str]
    tiles: Tiles
    sending: Sequence[Sending]
    waiting: Sequence[Item]
    troubles: Sequence[Trouble]
    coming: Sequence[Row]
    is_new: bool
    has_sender: bool
    has_list: bool
    counted_at: datetime

    @property
    def is_moving(self) -> bool:
        """Whether anything here changes by itself within minutes."""
        return bool(self.sending)


def glance(me: Me, now: datetime) -> Glance:
    """Return the overview."""
    sending = _sending(me, now)
    troubles = _troubles(me.here, now)
    waiting = waiting_for_me(me, now)
    tiles = _tiles(me.here, sending, now)
    return Glance(
        lede=_lede(sending, waiting, tiles),
        tiles=tiles,
        sending=sending,
        waiting=waiting,
        troubles=troubles,
        coming=[row(one, now) for one in _coming(me.here)],
        is_new=not _mine(me.here).exists(),
        has_sender=bool(approved(me.here)),
        has_list=RecipientList.objects.filter(workspace=me.here, is_internal=False).exists(),
        counted_at=now,
    )


def _mine(workspace: Workspace) -> QuerySet[Campaign]:
    return Campaign.objects.filter(workspace=workspace, deleted_at=None)


def _in_use(workspace: Workspace) -> QuerySet[Campaign]:
    return _mine(workspace).filter(is_archived=False).select_related(*LOADED)


def _sending(me: Me, now: datetime) -> list[Sending]:
    found = _in_use(me.here).filter(state=State.SENDING).order_by("ends_at", "pk")[:MOST_ROWS]
    return [_sending_row(one, me, now) for one in found]


def _sending_row(campaign: Campaign, me: Me, now: datetime) -> Sending:
    progress: Progress | None = getattr(campaign, "progress", None)
    is_own = campaign.author_person_id == me.person_id
    return Sending(
        row=row(campaign, now),
        pace=pace_of(campaign, progress, now),
        reason=progress.reason if progress else "",
        may_pause=me.may("campaign.run") or (is_own and me.may("campaign.run_own")),
    )


def _tiles(workspace: Workspace, sending: Sequence[Sending], now: datetime) -> Tiles:
    local = now.astimezone(ZoneInfo(workspace.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    running = [state.value for state in RUNNING]
    at_work = Q(campaign__state__in=running) | Q(campaign__finished_at__gte=midnight)
    counters = Progress.objects.filter(
        workspace=workspace, campaign__deleted_at=None, campaign__started_at__isnull=False
    )
    today = counters.filter(at_work).aggregate(
        accepted=Sum("submitted_segments"),
        delivered=Sum("delivered"),
        undelivered=Sum("undelivered"),
    )
    recent = counters.filter(campaign__started_at__gte=now - UNKNOWN_BACK)
    delivered = today["delivered"] or 0
    return Tiles(
        accepted=today["accepted"] or 0,
        delivered=delivered,
        with_receipt=delivered + (today["undelivered"] or 0),
        unknown=recent.aggregate(sum=Sum("unknown"))["sum"] or 0,
        held=_mine(workspace).filter(state=State.HELD).count(),
        paused=_mine(workspace).filter(state=State.PAUSED).count(),
        behind=sum(one.is_behind for one in sending),
    )


def _troubles(workspace: Workspace, now: datetime) -> list[Trouble]:
    stopped = _in_use(workspace).filter(state__in=[State.HELD, State.FAILED])
    paused = _in_use(workspace).filter(state=State.PAUSED)
    expired = _in_use(workspace).filter(
        state=State.EXPIRED, finished_at__gte=now - EXPIRED_BACK, progress__expired__gt=0
    )
    unsure = _in_use(workspace).filter(started_at__gte=now - UNKNOWN_BACK, progress__unknown__gt=0)
    found = [_stopped(one) for one in stopped.order_by("-state_since_at")[:MOST_ROWS]]
    found += [_paused(one, now) for one in paused.order_by("-state_since_at")[:MOST_ROWS]]
    found += [_expired(one) for one in expired.order_by("-finished_at")[:MOST_ROWS]]
    found += [_unsure(one) for one in unsure.order_by("-number")[:MOST_ROWS]]
    return found


def _stopped(campaign: Campaign) -> Trouble:
    return Trouble(
        campaign.number, campaign.name or str(campaign), campaign.state, campaign.hold_sentence
    )


def _paused(campaign: Campaign, now: datetime) -> Trouble:
    when = row(campaign, now).when
    sentence = _("Nothing goes out until somebody presses Resume. Its time: %(when)s.")
    return Trouble(
        campaign.number, campaign.name or str(campaign), campaign.state, sentence % {"when": when}
    )


def _expired(campaign: Campaign) -> Trouble:
    count = campaign.progress.expired
    words = ngettext(
        "Its window ended before %(n)s message was sent.",
        "Its window ended before %(n)s messages were sent.",
        count,
    )
    sentence = words % {"n": f"{count:,}"}
    return Trouble(campaign.number, campaign.name or str(campaign), "expired", sentence)


def _unsure(campaign: Campaign) -> Trouble:
    count = campaign.progress.unknown
    words = ngettext(
        "%(n)s message may have reached its person: no answer came. It is never sent again.",
        "%(n)s messages may have reached people: no answer came. They are never sent again.",
        count,
    )
    sentence = words % {"n": f"{count:,}"}
    return Trouble(campaign.number, campaign.name or str(campaign), "unknown", sentence)


def _coming(workspace: Workspace) -> list[Campaign]:
    found = _in_use(workspace).filter(state__in=[State.APPROVED, State.SCHEDULED])
    return list(found.order_by("starts_at", "pk")[:MOST_ROWS])


def _lede(sending: Sequence[Sending], waiting: Sequence[Item], tiles: Tiles) -> list[str]:
    """Return the sentences that say whether anything is wrong and whether anything waits."""
    found = [_sending_words(sending, is_stopped=tiles.held + tiles.paused > 0)]
    if tiles.held:
        words = ngettext("%(n)s campaign is held.", "%(n)s campaigns are held.", tiles.held)
        found.append(words % {"n": tiles.held})
    if tiles.paused:
        words = ngettext("%(n)s campaign is paused.", "%(n)s campaigns are paused.", tiles.paused)
        found.append(words % {"n": tiles.paused})
    behind = [one for one in sending if one.is_behind]
    if behind:
        found.append(
            _("%(name)s is %(n)s segments behind its plan.")
            % {"name": behind[0].row.name, "n": f"{behind[0].pace.behind or 0:,}"}
        )
    if waiting:
        words = ngettext(
            "%(n)s decision waits for you.", "%(n)s decisions wait for you.", len(waiting)
        )
        found.append(words % {"n": len(waiting)})
    return found


def _sending_words(sending: Sequence[Sending], *, is_stopped: bool) -> str:
    timed = [one for one in sending if one.row.state != "open"]
    if not sending:
        if is_stopped:
            return _("Nothing is sending now.")
        return _("Nothing is sending now, that is normal.")
    rate = sum(one.pace.rate_now or 0 for one in sending)
    if not timed:
        words = ngettext("%(n)s trigger is open.", "%(n)s triggers are open.", len(sending))
        return words % {"n": len(sending)}
    words = ngettext(
        "%(n)s campaign is sending %(rate)s segments/s.",
        "%(n)s campaigns are sending %(rate)s segments/s.",
        len(sending),
    )
    return words % {"n": len(sending), "rate": rate_text(rate) if rate else "0"}
