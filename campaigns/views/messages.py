"""Messages: those of a campaign by state, one with its attempts, a file of them, a number's."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from campaigns.actions.revealing import Taken, reveal_number, take_messages
from campaigns.forms.messages import ExportForm, RevealForm
from campaigns.forms.opt_outs import NumberForm
from campaigns.models import Campaign
from campaigns.queries.attempts import attempts_of, offered_receipts
from campaigns.queries.finding import Findings, find_number
from campaigns.queries.live import counts_of, progress_of
from campaigns.queries.message_rows import Shown, in_full, masked
from campaigns.queries.messages import message_of, page_of_messages
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.message_states import MessageState
from campaigns.views.campaign_address import address, campaign_or_404
from campaigns.views.csv_files import csv_lines, csv_response
from campaigns.views.live import LEDGER
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope
from workspaces.views.shown import show

ROWS_A_TIME = 500
REVEAL = "number.reveal"
LONGEST_POSITION = 15


class CampaignMessages(View):
    """The messages of a campaign; ?state= one state, ?after= those behind a position."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """One page of them."""
        return messages_page(request, campaign_or_404(request, number))


def messages_page(
    request: GateRequest, campaign: Campaign, form: ExportForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Draw the page, with the form of a file that was refused, if any."""
    state = state_from(request.GET.get("state", ""))
    after = request.GET.get("after", "")
    page = page_of_messages(campaign, state, after=position_from(after))
    counts = counts_of(campaign, progress_of(campaign), timezone.now())
    may_reveal = request.me.may(REVEAL)
    return show(
        request,
        "messages/campaign.html",
        status=status,
        campaign=campaign,
        page=page,
        state=state.value if state else "",
        state_words=str(LEDGER[state]) if state else "",
        is_first=not after,
        pills=[(one.value, LEDGER[one], counts.by_state[one]) for one in MessageState],
        counts=counts,
        form=form or ExportForm(may_reveal=may_reveal, initial={"state": state or ""}),
        may_reveal=may_reveal,
        back=address(request, "detail", campaign),
        here=address(request, "campaign_messages", campaign),
        file=address(request, "export", campaign),
    )


def state_from(text: str) -> MessageState | None:
    """Return the state that an address names; None is all."""
    return MessageState(text) if text in set(MessageState) else None


def position_from(text: str) -> int:
    """Return the position that an address names; -1 is before the first."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_POSITION
    return int(text) if is_number else -1


class OneMessage(View):
    """One message with every attempt to send it."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int, position: int) -> HttpResponse:
        """The message."""
        campaign = campaign_or_404(request, number)
        return message_page(request, campaign, position, RevealForm())


def message_page(
    request: GateRequest,
    campaign: Campaign,
    position: int,
    form: RevealForm,
    **more: Any,
) -> HttpResponse:
    """Draw a message, with its number in full where that was just recorded."""
    row = message_of(campaign, position)
    if row is None:
        raise Http404
    return show(
        request,
        "messages/message.html",
        campaign=campaign,
        row=row,
        attempts=attempts_of(campaign, position),
        offered=offered_receipts(campaign, position) if row.state == MessageState.UNKNOWN else [],
        may_attach=request.me.may("records.import"),
        attach=address(request, "attach_receipt", campaign, position=position),
        form=form,
        may_reveal=request.me.may(REVEAL),
        back=address(request, "detail", campaign),
        all_of_them=address(request, "campaign_messages", campaign),
        reveal=address(request, "reveal", campaign, position=position),
        **more,
    )


class Reveal(View):
    """Shows the number of one message in full, for a reason that is recorded."""

    permission = REVEAL

    def get(self, request: GateRequest, number: int, position: int) -> HttpResponse:
        """A reader who reloads is asked again."""
        return message_page(request, campaign_or_404(request, number), position, RevealForm())

    def post(self, request: GateRequest, number: int, position: int) -> HttpResponse:
        """The page with the number: nothing keeps it, and asking again is recorded again."""
        campaign = campaign_or_404(request, number)
        form = RevealForm(request.POST)
        if not form.is_valid():
            return message_page(request, campaign, position, form)
        try:
            clear = reveal_number(
                number=number,
                position=position,
                by=request.me,
                why=form.cleaned_data["why"],
                now=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return message_page(request, campaign, position, form)
        return message_page(request, campaign, position, RevealForm(), clear=clear)


class Export(View):
    """The messages of a campaign as a CSV file."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """A reader who reloads comes back to the messages."""
        return messages_page(request, campaign_or_404(request, number))

    def post(self, request: GateRequest, number: int) -> HttpResponseBase:
        """Record who takes it and why, then stream it."""
        campaign = campaign_or_404(request, number)
        form = ExportForm(request.POST, may_reveal=request.me.may(REVEAL))
        if not form.is_valid():
            return messages_page(request, campaign, form)
        given = form.cleaned_data
        try:
            taken = take_messages(
                number=number,
                by=request.me,
                state=state_from(given["state"]),
                is_in_full=bool(given.get("in_full")),
                why=given.get("why", ""),
                now=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return messages_page(request, campaign, form)
        name = f"{taken.campaign}-{taken.state or 'messages'}.csv"
        return csv_response(name, message_lines(request.me.here, taken))


def message_lines(workspace: Workspace, taken: Taken) -> Iterator[str]:
    """Return the lines of a file of messages."""
    titles = [_("Row"), _("Number"), _("State"), _("Parts"), _("Accepted"), _("Receipt"), _("Why")]
    return csv_lines(titles, _rows(workspace, taken))


def _rows(workspace: Workspace, taken: Taken) -> Iterator[list[str]]:
    zone = ZoneInfo(workspace.zone)
    with scope(workspace):
        for row in _messages(taken):
            yield _cells(row, zone)


def _messages(taken: Taken) -> Iterator[Shown]:
    after: int | None = -1
    write = in_full if taken.is_in_full else masked
    while after is not None:
        page = page_of_messages(
            taken.campaign, taken.state, after=after, size=ROWS_A_TIME, write=write
        )
        yield from page.rows
        after = page.after


def _cells(row: Shown, zone: ZoneInfo) -> list[str]:
    def clock(at: Any) -> str:
        return at.astimezone(zone).isoformat(sep=" ", timespec="seconds") if at else ""

    return [
        str(row.row_number or ""),
        row.number,
        row.state,
        str(row.part_count),
        clock(row.sent_at),
        clock(row.settled_at),
        row.cause,
    ]


@method_decorator(sensitive_post_parameters(), name="dispatch")
class FindMessages(View):
    """What was sent to one number; it comes in the body and stays out of every address and log."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return find_page(request, NumberForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """The form with what was found."""
        form = NumberForm(request.POST)
        if not form.is_valid():
            return find_page(request, form)
        given = form.cleaned_data
        found = find_number(request.me.here, given["number"], given["country"])
        if isinstance(found, Fault):
            form.add_error("number", _(FAULTS[found]))
            return find_page(request, form)
        return find_page(request, form, found)


def find_page(
    request: GateRequest, form: NumberForm, found: Findings | None = None
) -> HttpResponse:
    """Draw the search with what it found."""
    return show(request, "messages/find.html", form=form, found=found)
