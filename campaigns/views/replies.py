"""What subscribers wrote to the workspace: listed, found, read, given to somebody, opted out by,
taken as a file.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from campaigns.actions.replies import (
    ReplyNotAssigned,
    TakenReplies,
    assign_reply,
    opt_out_writer,
    reveal_writer,
    take_replies,
)
from campaigns.forms.messages import RevealForm
from campaigns.forms.replies import AssignForm, FindReplyForm, TakeRepliesForm
from campaigns.queries.finding import found_for
from campaigns.queries.inbound import (
    NOBODY,
    FoundReplies,
    ShownReply,
    conversation,
    fingerprint_of,
    in_full,
    page_of_replies,
    replies_of,
    replies_with,
    reply_counts,
    reply_of,
)
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.numbers import mask
from campaigns.rules.stop_words import Wish
from campaigns.views.csv_files import csv_lines, csv_response
from campaigns.views.uploads import address
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.models import User, Workspace
from workspaces.queries.access import role_in
from workspaces.queries.members import Member, members
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope
from workspaces.views.shown import refusals_said, show

ROWS_A_TIME = 500
REVEAL = "number.reveal"
LONGEST_ID = 15
MINE, WITH_NOBODY = "mine", "nobody"
ASSIGN = "reply.assign"


class Replies(View):
    """What subscribers wrote, newest first; ?show=stop, start, mine or nobody; ?before=, an older
    page.
    """

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them."""
        return replies_page(request)


def replies_page(
    request: GateRequest,
    *,
    find: FindReplyForm | None = None,
    take: TakeRepliesForm | None = None,
    found: FoundReplies | None = None,
) -> HttpResponse:
    """Draw the page, with what was looked for, or with a file's form that was refused."""
    asked, before = request.GET.get("show", ""), request.GET.get("before", "")
    me, may_reveal, wish = request.me, request.me.may(REVEAL), wish_from(asked)
    holder = {MINE: me.user.pk, WITH_NOBODY: NOBODY}.get(asked)
    return show(
        request,
        "replies/index.html",
        page=page_of_replies(me.here, wish=wish, holder=holder, before=id_from(before)),
        counts=reply_counts(me.here, me.user.pk),
        wish=wish.value if holder is None else asked,
        is_first=not before,
        find=find or FindReplyForm(),
        found=found,
        form=take or TakeRepliesForm(may_reveal=may_reveal, initial={"show": wish.value}),
        may_reveal=may_reveal,
        may_edit=me.may("opt_out.edit"),
        may_take=me.may(ASSIGN) and role_in(me.here, me.user) is not None,
        here=address(request, "replies"),
    )


def _people(request: GateRequest) -> list[Member]:
    """Return whom the reader may give messages to."""
    return members(request.me) if request.me.may(ASSIGN) else []


def wish_from(text: str) -> Wish:
    """Return which messages an address names; anything unknown is all of them."""
    return Wish(text) if text in set(Wish) else Wish.NONE


def id_from(text: str) -> int:
    """Return the row that an address names; 0 is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID else 0


@method_decorator(sensitive_post_parameters(), name="dispatch")
class FindReplies(View):
    """Looks for a number or for words; they come in the body and stay out of every address."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """A reader who reloads comes back to the list."""
        return redirect(address(request, "replies"))

    def post(self, request: GateRequest) -> HttpResponse:
        """The page with what was found."""
        form = FindReplyForm(request.POST)
        if not form.is_valid():
            return replies_page(request, find=form)
        given = form.cleaned_data
        if given["words"]:
            return replies_page(
                request, find=form, found=replies_with(request.me.here, given["words"])
            )
        found = replies_of(request.me.here, given["number"], given["country"])
        if isinstance(found, Fault):
            form.add_error("number", _(FAULTS[found]))
            return replies_page(request, find=form)
        return replies_page(request, find=form, found=found)


class Reply(View):
    """One message, and what else passed between its writer and the workspace."""

    permission = "campaign.see"

    def get(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """The message."""
        return reply_page(request, reply_id, RevealForm())


def reply_page(request: GateRequest, reply_id: int, form: RevealForm, **more: Any) -> HttpResponse:
    """Draw a message, with its number in full where that was just recorded."""
    here = request.me.here
    row = reply_of(here, reply_id)
    if row is None:
        raise Http404
    fingerprint, people = fingerprint_of(here, reply_id), _people(request)
    return show(
        request,
        "replies/reply.html",
        row=row,
        others=[one for one in conversation(here, reply_id) if one.id != row.id],
        found=found_for(here, fingerprint, row.number) if fingerprint else None,
        form=form,
        may_reveal=request.me.may(REVEAL) and row.is_number,
        may_edit=request.me.may("opt_out.edit"),
        assign=_assign_form(people, row) if people else None,
        may_take=any(one.is_me for one in people),
        **more,
    )


def _assign_form(people: Sequence[Member], row: ShownReply) -> AssignForm:
    return AssignForm(people=people, initial={"holder": row.holder_id or 0, "seen": row.holder_id})


class AssignReply(View):
    """Gives a message to a person of the workspace, to the reader himself, or back to nobody."""

    permission = ASSIGN

    def get(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """A reader who reloads comes back to the message."""
        return reply_page(request, reply_id, RevealForm())

    def post(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """Give it, and show the message."""
        if reply_of(request.me.here, reply_id) is None:
            raise Http404
        form = AssignForm(request.POST, people=members(request.me))
        with refusals_said(request):
            if not form.is_valid():
                raise ReplyNotAssigned(_("Choose a person of this workspace."))
            holder = User.objects.filter(pk=form.cleaned_data["holder"]).first()
            assign_reply(
                by=request.me,
                reply_id=reply_id,
                holder=holder,
                seen=form.cleaned_data["seen"],
                now=timezone.now(),
            )
            said = _("%(name)s looks after this reply now.") if holder else _("It is nobody's now.")
            messages.success(request, said % {"name": holder.name if holder else ""})
        return redirect(address(request, "reply", reply_id=reply_id))


class RevealReply(View):
    """Shows the number of one message in full, for a reason that is recorded."""

    permission = REVEAL

    def get(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """A reader who reloads is asked again."""
        return reply_page(request, reply_id, RevealForm())

    def post(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """The page with the number: nothing keeps it, and asking again is recorded again."""
        form = RevealForm(request.POST)
        if not form.is_valid():
            return reply_page(request, reply_id, form)
        why, now = form.cleaned_data["why"], timezone.now()
        try:
            clear = reveal_writer(by=request.me, reply_id=reply_id, why=why, now=now)
        except Refusal as refusal:
            show_refusal(form, refusal)
            return reply_page(request, reply_id, form)
        return reply_page(request, reply_id, RevealForm(), clear=clear)


class OptOutWriter(View):
    """Opts out who wrote a message, with one press."""

    permission = "opt_out.edit"

    def get(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """A reader who reloads comes back to the message."""
        return reply_page(request, reply_id, RevealForm())

    def post(self, request: GateRequest, reply_id: int) -> HttpResponse:
        """Opt out, and show the message."""
        if reply_of(request.me.here, reply_id) is None:
            raise Http404
        try:
            opt_out_writer(by=request.me, reply_id=reply_id, now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(
                request, _("The number is opted out. Campaigns under way leave it out too.")
            )
        return redirect(address(request, "reply", reply_id=reply_id))


class ExportReplies(View):
    """What subscribers wrote, as a CSV file."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """A reader who reloads comes back to the list."""
        return redirect(address(request, "replies"))

    def post(self, request: GateRequest) -> HttpResponseBase:
        """Record who takes it and why, then stream it."""
        form = TakeRepliesForm(request.POST, may_reveal=request.me.may(REVEAL))
        if not form.is_valid():
            return replies_page(request, take=form)
        given = form.cleaned_data
        try:
            taken = take_replies(
                by=request.me,
                wish=given["show"],
                is_in_full=bool(given.get("in_full")),
                why=given.get("why", ""),
                now=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return replies_page(request, take=form)
        name = f"{request.me.here.slug}-{taken.wish or 'replies'}.csv"
        return csv_response(name, reply_lines(request.me.here, taken))


def reply_lines(workspace: Workspace, taken: TakenReplies) -> Iterator[str]:
    """Return the lines of a file of replies."""
    titles = [_("Came"), _("Number"), _("Written to"), _("Text"), _("Asks for")]
    titles += [_("Opted out now"), _("Looked after by")]
    return csv_lines(titles, _rows(workspace, taken))


def _rows(workspace: Workspace, taken: TakenReplies) -> Iterator[list[str]]:
    zone = ZoneInfo(workspace.zone)
    with scope(workspace):
        for row in _replies(workspace, taken):
            yield _cells(row, zone)


def _replies(workspace: Workspace, taken: TakenReplies) -> Iterator[ShownReply]:
    before, write = 0, in_full if taken.is_in_full else mask
    while True:
        page = page_of_replies(
            workspace, wish=taken.wish, before=before, size=ROWS_A_TIME, write=write
        )
        yield from page.rows
        before = page.before
        if not before:
            return


def _cells(row: ShownReply, zone: ZoneInfo) -> list[str]:
    return [
        row.received_at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
        row.number,
        row.destination,
        row.text,
        row.wish,
        _("yes") if row.is_opted_out else "",
        row.holder,
    ]
