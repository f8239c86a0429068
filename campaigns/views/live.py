"""The campaign's page: one address before, while and after it sends."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from campaigns.models import Campaign, Mode, StartBy
from campaigns.queries.happenings import happenings_of
from campaigns.queries.live import (
    approvals_of,
    connections_of,
    counts_of,
    daily_of_trigger,
    may_run,
    next_try,
    progress_of,
    room_left,
    sample_of,
    will_change,
)
from campaigns.queries.live_chart import chart_of, in_words, table_of
from campaigns.queries.live_drawing import as_json
from campaigns.queries.pace import in_digits, pace_of
from campaigns.queries.sealing_state import LATE
from campaigns.queries.why import clock, to_the_second, why_not_faster
from campaigns.rules.campaign_states import FINAL, RUNNING, State
from campaigns.rules.message_states import MessageState
from campaigns.rules.text import PLACEHOLDER
from campaigns.views.campaign_address import address, campaign_or_404
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show

SENDING_SECONDS = 2
WAITING_SECONDS = 10
MILESTONES = (75, 50, 25)
TOLD: dict[State, Promise] = {
    State.PAUSED: gettext_lazy("Paused."),
    State.COMPLETED: gettext_lazy("Everything is sent."),
    State.CANCELLED: gettext_lazy("Cancelled."),
    State.EXPIRED: gettext_lazy("The window ended."),
}
ACTS_IN: dict[State, tuple[str, ...]] = {
    State.APPROVED: ("cancel", "start"),
    State.SCHEDULED: ("cancel",),
    State.SENDING: ("rate", "cancel", "pause"),
    State.PAUSED: ("rate", "cancel", "resume"),
    State.HELD: ("cancel", "resume"),
}

QUESTIONS = ("start", "pause", "resume", "rate", "cancel")
ADDRESSES = ("detail", "detail_now", "detail_chart", "campaign_messages", *QUESTIONS)
LEDGER: dict[MessageState, Promise] = {
    MessageState.DELIVERED: gettext_lazy("Delivered"),
    MessageState.SUBMITTED: gettext_lazy("Accepted, receipt awaited"),
    MessageState.UNDELIVERED: gettext_lazy("Not delivered"),
    MessageState.NO_RECEIPT: gettext_lazy("No receipt came"),
    MessageState.REFUSED: gettext_lazy("Refused"),
    MessageState.UNKNOWN: gettext_lazy("Unknown"),
    MessageState.DEFERRED: gettext_lazy("Deferred, will be tried again"),
    MessageState.SENDING: gettext_lazy("In flight now"),
    MessageState.SUPPRESSED: gettext_lazy("Suppressed since approval"),
    MessageState.EXPIRED: gettext_lazy("Not sent in time"),
    MessageState.CANCELLED: gettext_lazy("Cancelled"),
    MessageState.QUEUED: gettext_lazy("Queued"),
}


class CampaignPage(View):
    """Everything about one campaign."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The whole page."""
        campaign = campaign_or_404(request, number)
        context = moving(request, campaign)
        chart = chart_of(campaign, context["pace"], context["happenings"], context["now"])
        if chart is not None:
            state = State(campaign.state)
            context |= {
                "chart": as_json(chart),
                "chart_sentence": in_words(chart, context["pace"], state),
                "rows": table_of(chart),
                "offset": offset_of(campaign, context),
            }
        return show(
            request,
            "live/page.html",
            **context,
            approvals=approvals_of(campaign),
            sample=sample_of(campaign),
            pieces=pieces_of(campaign.text),
            evidence_until=evidence_until(campaign, context["now"]),
            ceiling=in_digits(campaign.rate_ceiling) if campaign.rate_ceiling else "",
        )


def offset_of(campaign: Campaign, context: dict[str, Any]) -> int:
    """Return how many seconds the workspace's clock is ahead of UTC now."""
    shift = context["now"].astimezone(ZoneInfo(campaign.workspace.zone)).utcoffset()
    return int(shift.total_seconds()) if shift else 0


def evidence_until(campaign: Campaign, now: datetime) -> date | None:
    """Return the day after which nothing about a campaign is recorded; None while there may be.

    What late receipts say is sealed within the hours after them.
    """
    if campaign.finished_at is None:
        return None
    ends_at = campaign.finished_at + timedelta(hours=settings.RECEIPT_WAIT_HOURS) + LATE
    return ends_at.astimezone(ZoneInfo(campaign.workspace.zone)).date() if ends_at < now else None


def pieces_of(text: str) -> list[tuple[bool, str]]:
    """Cut a text at its placeholders: (whether it is one, the words)."""
    parts = PLACEHOLDER.split(text)
    return [(index % 2 == 1, part) for index, part in enumerate(parts) if part]


class CampaignNow(View):
    """The parts of the page that move; asked for again and again while something can change."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The parts, each with its id."""
        campaign = campaign_or_404(request, number)
        if _is_another_page(request.GET.get("seen", ""), campaign):
            return HttpResponse(headers={"HX-Refresh": "true"})
        return show(request, "live/now.html", **moving(request, campaign), is_renewal=True)


def _is_another_page(seen: str, campaign: Campaign) -> bool:
    """Whether the whole page is another one now: the campaign was approved, started, or ended."""
    has_changed = bool(seen) and seen != campaign.state
    return has_changed and (seen not in RUNNING or campaign.state in FINAL)


class CampaignChart(View):
    """The chart's points, and the same as rows of its table."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """Rows for the table that is opened, else JSON for the chart."""
        campaign = campaign_or_404(request, number)
        now = timezone.now()
        pace = pace_of(campaign, progress_of(campaign), now)
        chart = chart_of(campaign, pace, happenings_of(campaign, now), now)
        if request.headers.get("HX-Request"):
            rows = table_of(chart) if chart else []
            return show(request, "live/chart_rows.html", rows=rows, campaign=campaign)
        response = JsonResponse(as_json(chart) if chart else {"data": [[], [], [], []], "every": 0})
        response["Cache-Control"] = "no-store"
        return response


def moving(request: GateRequest, campaign: Campaign) -> dict[str, Any]:
    """Return what the moving parts of a campaign's page show at this instant."""
    now = timezone.now()
    progress = progress_of(campaign)
    counts = counts_of(campaign, progress, now)
    pace = pace_of(campaign, progress, now)
    sights = connections_of(campaign, now)
    told = happenings_of(campaign, now)
    is_trigger = campaign.mode == Mode.TRIGGER
    state = State(campaign.state)
    acts = acts_on(campaign) if may_run(request.me, campaign) else []
    urls = {name: address(request, name, campaign) for name in ADDRESSES}
    return {
        "campaign": campaign,
        "now": now,
        "chip_state": "open" if is_trigger and state is State.SENDING else state.value,
        "counts": counts,
        "ledger": [(one.value, LEDGER[one], counts.by_state[one]) for one in MessageState],
        "pace": pace,
        "why": why_not_faster(campaign, now),
        "room_left": room_left(sights) if state is State.SENDING else 0,
        "sights": sights,
        "happenings": told,
        "story": [(to_the_second(campaign, one.at, now), one) for one in told],
        "counted_at": to_the_second(campaign, now, now),
        "ends_in": (pace.ends_at - now).total_seconds() if pace.ends_at else None,
        "ends_at": clock(campaign, pace.ends_at, now) if pace.ends_at else "",
        "next_try": next_try(campaign) if counts.by_state["deferred"] else None,
        "daily": daily_of_trigger(campaign, counts.total, now) if is_trigger else None,
        "is_trigger": is_trigger,
        "is_running": state in RUNNING,
        "is_final": state in FINAL,
        "has_audience": progress is not None,
        "acts": acts,
        "may_edit": request.me.may("campaign.edit"),
        "may_delete": request.me.may("campaign.delete"),
        "has_task_bar": bool(acts) or "bar" in request.GET,
        "questions": [(name, urls[name]) for name in QUESTIONS],
        "milestone": milestone(campaign, counts.percent),
        "every": renewal(campaign, will_change=will_change(campaign, counts)),
        "urls": urls,
    }


def acts_on(campaign: Campaign) -> list[str]:
    """Return what may be done to a campaign in its state, the first button first."""
    return [act for act in ACTS_IN.get(State(campaign.state), ()) if _fits(act, campaign)]


def _fits(act: str, campaign: Campaign) -> bool:
    if act == "start":
        return campaign.start_by == StartBy.HAND
    return act != "rate" or campaign.mode != Mode.TRIGGER


def renewal(campaign: Campaign, *, will_change: bool) -> int:
    """Return after how many seconds the page asks again; 0 is never."""
    if not will_change:
        return 0
    return SENDING_SECONDS if campaign.state == State.SENDING else WAITING_SECONDS


def milestone(campaign: Campaign, percent: int) -> str:
    """Return what a screen reader is told once: a state's own words, or the last quarter passed."""
    state = State(campaign.state)
    if state is State.HELD:
        return _("Held: %(why)s") % {"why": campaign.hold_sentence}
    if state is not State.SENDING:
        return str(TOLD.get(state, _("Not started.")))
    if campaign.mode == Mode.TRIGGER:
        return _("Open for triggers.")
    passed = next((mark for mark in MILESTONES if percent >= mark), 0)
    return _("%(n)s %% is sent.") % {"n": passed} if passed else _("Sending.")
