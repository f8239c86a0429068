"""Unknown messages: the list, a file of it, and two people who send some again."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from campaigns.actions.attaching import attach_receipt
from campaigns.actions.resending import approve_resend, refuse_resend, request_resend
from campaigns.actions.revealing import take_unknowns
from campaigns.forms.unknowns import DecisionForm, ResendForm
from campaigns.models import Campaign, ResendDecision, ResendState
from campaigns.queries.settling import (
    NeverThere,
    absent_in,
    find_resend,
    never_there,
    newest_records,
    open_resends,
)
from campaigns.queries.unknowns import (
    MOST_COUNTED,
    Asked,
    Unknown,
    all_unknowns,
    campaigns_with_unknowns,
    connections_with_unknowns,
    count_unknowns,
    page_of_unknowns,
)
from campaigns.views.campaign_address import campaign_or_404
from campaigns.views.csv_files import csv_lines, csv_response
from campaigns.views.uploads import address
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.scope import scope, scope_everywhere
from workspaces.views.shown import refusals_said, show

LONGEST_NUMBER = 9
LONGEST_PLACE = 40
MOST_CHOSEN = 5_000
# ?which= of a request: only what the SMSC never had, by its call records.
ABSENT = "absent"


def number_from(text: str, longest: int = LONGEST_NUMBER) -> int:
    """Return the number that an address names; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= longest else 0


def asked_from(request: GateRequest, workspace: Workspace | None) -> Asked:
    """Return what the address asks for; what makes no sense asks for everything."""
    campaign = request.GET.get("campaign", "").removeprefix("C-")
    return Asked(
        workspace=workspace.pk if workspace else None,
        campaign=(number_from(campaign) or None) if workspace else None,
        connection=number_from(request.GET.get("connection", "")) or None,
        before=number_from(request.GET.get("before", ""), LONGEST_PLACE),
    )


def query(asked: Asked, **changes: str | int) -> str:
    """Return the query string of this filter with other values, from its first page on."""
    values: dict[str, str | int] = {
        "campaign": f"C-{asked.campaign}" if asked.campaign else "",
        "connection": asked.connection or "",
    } | changes
    return f"?{urlencode({name: value for name, value in values.items() if value})}"


class Unknowns(View):
    """The unknown segments of a workspace, newest first; the filter is the address."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them."""
        here, me = request.me.here, request.me
        asked = asked_from(request, here)
        campaign = _campaign(here, asked)
        page = page_of_unknowns(asked)
        count = count_unknowns(asked)
        return show(
            request,
            "unknowns/list.html",
            page=page,
            asked=asked,
            count=count,
            is_many=count >= MOST_COUNTED,
            campaign=campaign,
            campaigns=[
                (query(asked, campaign=f"C-{number}"), number, name, n)
                for number, name, n in campaigns_with_unknowns(here)
            ],
            connections=_connections(asked),
            all_url=query(Asked(here.pk)),
            next_url=query(asked, before=page.after) if page.after else "",
            first_url=query(asked) if asked.before else "",
            waiting=open_resends(here),
            imports=newest_records(here)[:5],
            may_resend=campaign is not None and _may_resend(request, campaign.author_person_id),
            absent=[
                (one, _may_resend(request, one.author_person_id))
                for one in never_there(here, asked.campaign)
            ],
            which=ABSENT,
            may_import=me.may("records.import"),
        )


def _connections(asked: Asked) -> list[tuple[str, int, str, int]]:
    found = connections_with_unknowns(asked)
    return [(query(asked, connection=pk), pk, name, n) for pk, name, n in found]


def _campaign(here: Workspace, asked: Asked) -> Campaign | None:
    if asked.campaign is None:
        return None
    rows = Campaign.objects.filter(workspace=here, number=asked.campaign, deleted_at=None)
    return rows.first()


def _may_resend(request: GateRequest, author_person_id: int) -> bool:
    me = request.me
    is_own = author_person_id == me.person_id
    return me.may("resend.request") and (me.may("campaign.run") or is_own)


class PlatformUnknowns(View):
    """The unknown segments of all workspaces, to look at and nothing else."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them."""
        asked = asked_from(request, None)
        with scope_everywhere("the Master view"):
            page, count = page_of_unknowns(asked), count_unknowns(asked)
            connections = _connections(asked)
        return show(
            request,
            "platform/unknowns.html",
            page=page,
            asked=asked,
            count=count,
            is_many=count >= MOST_COUNTED,
            connections=connections,
            all_url="?",
            next_url=query(asked, before=page.after) if page.after else "",
            first_url=query(asked) if asked.before else "",
        )


class TakeUnknowns(View):
    """The list as a CSV file, numbers masked."""

    permission = "campaign.see"

    def post(self, request: GateRequest) -> HttpResponseBase:
        """Record who takes it, then stream it."""
        here = request.me.here
        asked = asked_from(request, here)
        take_unknowns(by=request.me, now=timezone.now(), campaign=asked.campaign)
        return csv_response("unknown.csv", unknown_lines(here, asked))


def unknown_lines(workspace: Workspace, asked: Asked) -> Iterator[str]:
    """Return the lines of the file."""
    titles = [_("Campaign"), _("Number"), _("Sender"), _("Part"), _("Parts"), _("Attempt")]
    titles += [_("Connection"), _("Submitted"), _("Unknown since"), _("Cause")]
    return csv_lines(titles, _rows(workspace, asked))


def _rows(workspace: Workspace, asked: Asked) -> Iterator[list[str]]:
    zone = ZoneInfo(workspace.zone)
    with scope(workspace):
        for row in all_unknowns(asked):
            yield _cells(row, zone)


def _cells(row: Unknown, zone: ZoneInfo) -> list[str]:
    return [
        row.campaign,
        row.number,
        row.sender,
        str(row.part),
        str(row.part_count),
        str(row.attempt),
        row.connection,
        row.intended_at.astimezone(zone).isoformat(sep=" ", timespec="milliseconds"),
        row.unknown_at.astimezone(zone).isoformat(sep=" ", timespec="milliseconds"),
        row.cause,
    ]


class RequestResend(View):
    """Asks that messages of a campaign go out again: ?at= some of them, ?which=absent those that
    the SMSC never had, or all of both.
    """

    permission = "resend.request"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The question."""
        return self._page(request, campaign_or_404(request, number), ResendForm())

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Ask."""
        campaign = campaign_or_404(request, number)
        form = ResendForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                asked = request_resend(
                    number=number,
                    positions=_chosen(request.POST.getlist("at")),
                    by=request.me,
                    words=form.cleaned_data["note"],
                    now=timezone.now(),
                    is_absent_only=request.POST.get("which") == ABSENT,
                )
                messages.success(request, _("Asked. Another person decides now."))
                return redirect(address(request, "resend", decision_id=asked.pk))
        return self._page(request, campaign, form)

    def _page(self, request: GateRequest, campaign: Campaign, form: ResendForm) -> HttpResponse:
        given = request.POST if request.method == "POST" else request.GET
        chosen = _chosen(given.getlist("at"))
        is_absent_only = given.get("which") == ABSENT
        absent = 0 if chosen else sum(one.count for one in _absent_of(campaign))
        unknown = campaign.progress.unknown if hasattr(campaign, "progress") else 0
        if chosen is not None:
            count = len(chosen)
        else:
            count = absent if is_absent_only else unknown + absent
        return show(
            request,
            "unknowns/resend_new.html",
            campaign=campaign,
            form=form,
            chosen=chosen,
            count=count,
            absent=absent,
            which=ABSENT if is_absent_only else "",
            is_allowed=_may_resend(request, campaign.author_person_id),
        )


def _absent_of(campaign: Campaign) -> list[NeverThere]:
    return never_there(campaign.workspace, campaign.number)


def _chosen(texts: list[str]) -> list[int] | None:
    """Return the positions that were ticked; None where none was: then all are meant."""
    found = {int(text) for text in texts[:MOST_CHOSEN] if text.isascii() and text.isdecimal()}
    return sorted(at for at in found if at < 1 << 48) or None


class Resend(View):
    """One request to send again, and what became of it."""

    permission = "campaign.see"

    def get(self, request: GateRequest, decision_id: int) -> HttpResponse:
        """The request."""
        return _resend_page(request, _resend_or_404(request, decision_id), DecisionForm())


class DecideResend(View):
    """The second person's decision."""

    permission = "resend.decide"

    def post(self, request: GateRequest, decision_id: int) -> HttpResponse:
        """Approve or refuse."""
        found = _resend_or_404(request, decision_id)
        form = DecisionForm(request.POST)
        decide = approve_resend if request.POST.get("verdict") == "approve" else refuse_resend
        if form.is_valid():
            with refusals_shown(form):
                done = decide(
                    decision_id=found.pk,
                    by=request.me,
                    words=form.cleaned_data["words"],
                    now=timezone.now(),
                )
                messages.success(request, _decided_words(done))
                return redirect(address(request, "resend", decision_id=found.pk))
        return _resend_page(request, found, form)


def _decided_words(done: ResendDecision) -> str:
    if done.state != ResendState.APPROVED:
        return _("Refused. The messages stay as they are.")
    words = ngettext(
        "%(n)s message goes out again now. It counts as one message.",
        "%(n)s messages go out again now. Each counts as one message.",
        done.resent_count,
    )
    return words % {"n": f"{done.resent_count:,}"}


def _resend_page(request: GateRequest, asked: ResendDecision, form: DecisionForm) -> HttpResponse:
    is_own = asked.requested_person_id == request.me.person_id
    is_open = asked.state == ResendState.REQUESTED
    return show(
        request,
        "unknowns/resend.html",
        asked=asked,
        campaign=asked.campaign,
        form=form,
        is_open=is_open,
        is_own=is_own,
        absent=absent_in(asked) if is_open else None,
        may_decide=is_open and request.me.may("resend.decide"),
        state_words=ResendState(asked.state).label,
    )


def _resend_or_404(request: GateRequest, decision_id: int) -> ResendDecision:
    found = find_resend(request.me.here, decision_id)
    if found is None:
        raise Http404
    return found


class AttachReceipt(View):
    """Gives an unknown message the receipt that a person says is its own."""

    permission = "records.import"

    def post(self, request: GateRequest, number: int, position: int) -> HttpResponse:
        """Do it, then show the message."""
        campaign_or_404(request, number)
        with refusals_said(request):
            attach_receipt(
                number=number,
                position=position,
                receipt_id=number_from(request.POST.get("receipt", ""), 18),
                by=request.me,
                why=request.POST.get("why", "")[:300],
                now=timezone.now(),
            )
            messages.success(request, _("The receipt settles this message."))
        return redirect(address(request, "message", number=number, position=position))
