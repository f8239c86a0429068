"""Sender names: the list, one name with its revisions, a proposal, a decision."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from campaigns.actions.senders import create_sender, propose_revision
from campaigns.forms.senders import DecisionForm, ProposalForm
from campaigns.models import Sender, SenderRevision
from campaigns.queries import senders as questions
from campaigns.queries.senders import Standing
from campaigns.rules.sender_names import kind_of
from campaigns.views.sender_acts import DO, Act, acts_on
from workspaces.forms.refused import refusals_shown, show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal

# A refusal's code -> HTTP status; what is not here is a conflict with the state of things.
STATUS_OF = {"not_found": 404, "four_eyes": 403, "note_missing": 200}
PROPOSED = ("value", "category", "legal_entity", "purpose", "sample_text")


class Senders(View):
    """The sender names of a workspace; ?state= is a standing."""

    permission = "sender.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        asked = request.GET.get("state", "")
        standing = Standing(asked) if asked in set(Standing) else None
        here = request.me.here
        counts = questions.standings(here)
        context = {
            "rows": questions.senders_of(here, standing),
            "standing": standing,
            "counts": counts,
            "active_count": sum(counts.values()) - counts[Standing.ARCHIVED],
            "waiting_count": questions.waiting_count(request.me),
        }
        return render(request, "senders/list.html", context)


class SenderPage(View):
    """One sender name: what is in use, what is proposed, who decided what."""

    permission = "sender.see"

    def get(self, request: GateRequest, sender: str, number: int | None = None) -> HttpResponse:
        """The page, or one of its revisions."""
        found = sender_or_404(request, sender)
        return sender_page(request, found, number=number)


def sender_page(
    request: GateRequest,
    sender: Sender,
    *,
    number: int | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the page of a sender, with the refusal of what was just tried."""
    waiting = questions.waiting_on(sender, request.me)
    row = questions.row_of(sender, waiting.revision if waiting else None)
    revisions = questions.revisions_of(sender)
    shown, before = _shown(revisions, row, number)
    context = {
        "sender": sender,
        "row": row,
        "kind": kind_of(sender.value),
        "waiting": waiting,
        "revisions": revisions,
        "shown": shown,
        "before": before,
        "comparison": questions.compared(before, shown),
        "story": questions.story_of(revisions, questions.decisions_of(sender)),
        "usage": questions.usage_of(sender, timezone.now()),
        "campaigns": questions.campaigns_bound_to(sender),
        "acts": acts_on(row, waiting, request.me),
        "may_propose": request.me.may("sender.propose") and not sender.is_archived,
        "refusal": refusal,
    }
    return render(request, "senders/sender.html", context, status=status)


def _shown(
    revisions: list[SenderRevision], row: questions.Row, number: int | None
) -> tuple[SenderRevision, SenderRevision | None]:
    """Return the revision to show and the one to compare it with. Raises Http404.

    What is in review is compared with what is in use, an old revision with the one before it.
    """
    wanted = number or row.asked_number or revisions[0].number
    shown = next((one for one in revisions if one.number == wanted), None)
    if shown is None:
        raise Http404
    if row.proposed is not None and shown.pk == row.proposed.pk:
        return shown, row.approved
    return shown, next((one for one in revisions if one.number == shown.number - 1), None)


class ProposalView(View):
    """A form whose name is looked at while it is typed."""

    permission: ClassVar[str] = "sender.propose"

    def form(
        self, request: GateRequest, sender: Sender | None, *args: Any, **kwargs: Any
    ) -> ProposalForm:
        """Return the form with its preview."""
        url = reverse("campaigns:sender_preview", kwargs={"workspace": request.me.here.slug})
        own = f"?of={sender.pk}" if sender else ""
        return ProposalForm(*args, preview_url=url + own, **kwargs)

    def page(self, request: GateRequest, form: ProposalForm, sender: Sender | None) -> HttpResponse:
        """Draw the form."""
        context = {"form": form, "sender": sender, **preview_of(request, form, sender)}
        return render(request, "senders/propose.html", context)


class NewSender(ProposalView):
    """A new sender name, which is in review from its first moment."""

    permission = "sender.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """An empty form."""
        return self.page(request, self.form(request, None), None)

    def post(self, request: GateRequest) -> HttpResponse:
        """Register it."""
        form = self.form(request, None, request.POST)
        if form.is_valid():
            with refusals_shown(form):
                sender = create_sender(by=request.me, proposal=form.proposal(), now=timezone.now())
                return to_sender(request, sender)
        return self.page(request, form, None)


class Propose(ProposalView):
    """The next revision of a sender."""

    def get(self, request: GateRequest, sender: str) -> HttpResponse:
        """A form that begins with what is in use."""
        found = sender_or_404(request, sender)
        newest = found.approved_revision or questions.revisions_of(found)[0]
        initial = {name: getattr(newest, name) for name in PROPOSED}
        return self.page(request, self.form(request, found, initial=initial), found)

    def post(self, request: GateRequest, sender: str) -> HttpResponse:
        """Put it in review."""
        found = sender_or_404(request, sender)
        form = self.form(request, found, request.POST)
        if form.is_valid():
            with refusals_shown(form):
                propose_revision(
                    sender_id=found.pk, by=request.me, proposal=form.proposal(), now=timezone.now()
                )
                return to_sender(request, found)
        return self.page(request, form, found)


class Preview(View):
    """How a name that is being typed would be sent and look."""

    permission = "sender.propose"

    def post(self, request: GateRequest) -> HttpResponse:
        """The fragment. A number may be typed, so that it comes in the body."""
        form = ProposalForm(request.POST)
        own = questions.sender_by(request.me.here, request.GET.get("of", ""))
        return render(request, "senders/preview.html", preview_of(request, form, own))


def preview_of(request: GateRequest, form: ProposalForm, own: Sender | None) -> dict[str, Any]:
    """Return what the preview shows of a form as it stands, right or wrong.

    `own` is the sender that is revised: it does not stand in its own way.
    """
    value = str(form["value"].value() or "")
    draft = questions.drafted(request.me.here, value) if value else None
    twin = draft.twin if draft and draft.twin != own else None
    return {"draft": draft, "twin": twin, "sample": str(form["sample_text"].value() or "")}


class ActView(View):
    """A question before an act on a sender, and the act. Without script the question is a page."""

    permission: ClassVar[str] = "sender.propose"
    names: ClassVar[tuple[str, ...]] = ()

    def get(self, request: GateRequest, sender: str, verdict: str = "") -> HttpResponse:
        """The question, or the sender's page where there is nothing to ask."""
        found = sender_or_404(request, sender)
        act = self.acts(request, found).get(self.name(verdict))
        return self.question(request, found, act) if act else to_sender(request, found)

    def post(self, request: GateRequest, sender: str, verdict: str = "") -> HttpResponse:
        """Do it."""
        found, name = sender_or_404(request, sender), self.name(verdict)
        act = self.acts(request, found).get(name)
        form = DecisionForm(request.POST, auto_id=f"{name}-%s")
        if not form.is_valid():
            return self.question(request, found, act, form)
        seen, words = form.cleaned_data["seen"], form.cleaned_data["words"]
        try:
            DO[name](found, request.me, seen, words, timezone.now())
        except Refusal as refusal:
            return self.refused(request, found, act, form, refusal)
        if act is not None:
            messages.success(request, act.done)
        return to_sender(request, found)

    def name(self, verdict: str) -> str:
        """Return the act's name. Raises Http404."""
        name = verdict or self.names[0]
        if name not in self.names:
            raise Http404
        return name

    def acts(self, request: GateRequest, sender: Sender) -> dict[str, Act]:
        """Return what may be done now."""
        waiting = questions.waiting_on(sender, request.me)
        row = questions.row_of(sender, waiting.revision if waiting else None)
        return acts_on(row, waiting, request.me)

    def question(
        self,
        request: GateRequest,
        sender: Sender,
        act: Act | None,
        form: DecisionForm | None = None,
    ) -> HttpResponse:
        """Draw the question as a page."""
        if act is None:
            return to_sender(request, sender)
        context = {"sender": sender, "act": act, "form": form or act.form}
        return render(request, "senders/act.html", context)

    def refused(
        self,
        request: GateRequest,
        sender: Sender,
        act: Act | None,
        form: DecisionForm,
        refusal: Refusal,
    ) -> HttpResponse:
        """Show a field's refusal in the form, any other on the sender's page with its status."""
        if act is not None and refusal.field:
            show_refusal(form, refusal)
            return self.question(request, sender, act, form)
        status = STATUS_OF.get(refusal.code, 409)
        return sender_page(request, sender, refusal=refusal, status=status)


class Decide(ActView):
    """Approves or rejects the revision that was seen."""

    permission = "sender.review"
    names = ("approve", "reject")


class Withdraw(ActView):
    """Takes a revision back."""

    names = ("withdraw",)


class Archive(ActView):
    """Takes a sender out of use."""

    permission = "sender.edit"
    names = ("archive",)


class Restore(ActView):
    """Puts an archived sender back."""

    permission = "sender.edit"
    names = ("restore",)


def sender_or_404(request: GateRequest, text: str) -> Sender:
    """Return a sender of this workspace; any other does not exist here."""
    found = questions.sender_by(request.me.here, text)
    if found is None:
        raise Http404
    return found


def to_sender(request: GateRequest, sender: Sender) -> HttpResponseRedirect:
    """Go to the page of a sender."""
    return redirect("campaigns:sender", workspace=request.me.here.slug, sender=sender.value)
