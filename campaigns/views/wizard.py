"""The wizard: five steps over one draft, each at its address, saved while one types."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import drafts
from campaigns.forms.plan import PlanForm, worked_out
from campaigns.forms.wizard import (
    MessageForm,
    PurposeForm,
    RecipientsForm,
    StepForm,
    one_line_end,
)
from campaigns.models import Campaign, Mode, RecipientList
from campaigns.queries import planning
from campaigns.queries.counting import counted, estimate_of
from campaigns.queries.lists import opted_out_count, ready_lists, waterfall
from campaigns.queries.previews import preview_of
from campaigns.queries.review import last_return
from campaigns.queries.senders import approved
from campaigns.queries.wizard import STEPS, standings
from campaigns.rules.campaign_states import EDITABLE, State
from campaigns.rules.composition import marked, plainer
from campaigns.rules.text import SLOT_TYPES, unknown_names
from campaigns.views.campaign_address import address, campaign_or_404
from campaigns.views.conflicts import differences_of
from campaigns.views.lists import COUNTED_AT_ONCE
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show

Context = dict[str, Any]


class Edit(View):
    """A step of the wizard, but the last: a form that saves itself, or by its buttons."""

    permission = "campaign.edit"

    def get(self, request: GateRequest, number: int, step: str) -> HttpResponse:
        """The form as it is saved."""
        campaign = campaign_or_404(request, number)
        elsewhere = not_here(request, campaign, step)
        if elsewhere is not None:
            return elsewhere
        return step_page(request, campaign, step, form_of(step, campaign))

    def post(self, request: GateRequest, number: int, step: str) -> HttpResponse:
        """Save; htmx gets the parts of the page that this changes."""
        campaign = campaign_or_404(request, number)
        if step not in FORMS:
            raise Http404
        form = form_of(step, campaign, _posted(request, step))
        if not form.is_valid():
            return _unsaved(request, campaign, step, form)
        try:
            drafts.edit_draft(
                number=number,
                by=request.me,
                fields=form.changes(campaign),
                version=_seen_version(request.POST),
                now=timezone.now(),
            )
        except drafts.EditedMeanwhile as refusal:
            return _conflict(request, campaign_or_404(request, number), step, form, refusal)
        except Refusal as refusal:
            show_refusal(form, refusal)
            return _unsaved(request, campaign, step, form)
        return _saved(request, campaign_or_404(request, number), step, form)


def not_here(request: GateRequest, campaign: Campaign, step: str) -> HttpResponseRedirect | None:
    """Return where to go instead: a campaign that is built shows that, one past editing itself."""
    if step not in STEPS:
        raise Http404
    if campaign.state == State.BUILDING:
        return None if step == "check" else to_step(request, campaign, "check")
    if State(campaign.state) not in EDITABLE:
        return HttpResponseRedirect(address(request, "detail", campaign))
    return None


def to_step(request: GateRequest, campaign: Campaign, step: str) -> HttpResponseRedirect:
    """Go to a step."""
    where = {"workspace": request.me.here.slug, "number": campaign.number, "step": step}
    return HttpResponseRedirect(reverse("campaigns:edit", kwargs=where))


def is_htmx(request: GateRequest) -> bool:
    """Whether the script asks for parts of the page."""
    return request.headers.get("HX-Request") == "true"


def _seen_version(data: QueryDict) -> int:
    """Return the version that the form was filled from; a person who keeps his own says which he
    replaces.
    """
    text = data.get("overwrite") or data.get("version", "")
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def _posted(request: GateRequest, step: str) -> QueryDict:
    """Return what was posted, with the replacement done that one button asks for."""
    if step != "message" or "replace" not in request.POST:
        return request.POST
    data = request.POST.copy()
    data["text"] = plainer(one_line_end(data.get("text", "")))
    return data


# --- the forms ------------------------------------------------------------------------------------


def _purpose(campaign: Campaign, data: QueryDict | None) -> StepForm:
    return PurposeForm(campaign, approved(campaign.workspace), data)


def _message(campaign: Campaign, data: QueryDict | None) -> StepForm:
    return MessageForm(campaign, data)


def _recipients(campaign: Campaign, data: QueryDict | None) -> StepForm:
    return RecipientsForm(campaign, ready_lists(campaign.workspace), data)


def _plan(campaign: Campaign, data: QueryDict | None) -> PlanForm:
    routes = [(one.pk, one.name) for one in planning.routes_of(campaign.workspace)]
    estimate = estimate_of(campaign)
    return PlanForm(campaign, routes, estimate.segment_total if estimate else 0, data)


FORMS: Mapping[str, Callable[[Campaign, QueryDict | None], StepForm]] = {
    "purpose": _purpose,
    "message": _message,
    "recipients": _recipients,
    "plan": _plan,
}


def form_of(step: str, campaign: Campaign, data: QueryDict | None = None) -> StepForm:
    """Return the form of a step. Raises Http404 for a step without one."""
    if step not in FORMS:
        raise Http404
    return FORMS[step](campaign, data)


# --- what stands beside them ----------------------------------------------------------------------


def _purpose_context(request: GateRequest, campaign: Campaign, form: StepForm) -> Context:
    return {
        "senders": approved(campaign.workspace),
        "may_propose": request.me.may("sender.propose"),
    }


def _message_context(request: GateRequest, campaign: Campaign, form: StepForm) -> Context:
    return text_context(campaign, str(form["text"].value() or ""))


def text_context(campaign: Campaign, text: str, picked: int = 0) -> Context:
    """Return what is said about a text that may not be saved yet."""
    found = counted(campaign, text)
    lst = campaign.recipient_list
    is_trigger = campaign.mode == Mode.TRIGGER
    names = [slot["name"] for slot in campaign.slots] if is_trigger else lst.columns if lst else []
    return {
        "found": found,
        "preview": preview_of(campaign, found, picked),
        "names": names,
        "has_list": lst is not None,
        "pieces": marked(text, found.alphabet_counted),
        "is_trigger": is_trigger,
    }


def _recipients_context(request: GateRequest, campaign: Campaign, form: StepForm) -> Context:
    lists = ready_lists(campaign.workspace)
    chosen = campaign.recipient_list
    if chosen is not None and chosen not in lists:
        lists = [chosen, *lists]
    return {
        "lists": lists,
        "chosen_id": str(form["recipient_list"].value() or ""),
        "chosen": chosen,
        **waterfall_context(request, chosen),
        "unknown": unknown_names(campaign.text, chosen.columns) if chosen else (),
        "is_trigger": campaign.mode == Mode.TRIGGER,
    }


def waterfall_context(request: GateRequest, lst: RecipientList | None) -> Context:
    """Return what the waterfall of a list needs; of a long list it counts opt-outs later."""
    if lst is None or not lst.row_count:
        return {"waterfall": [], "is_counted": True}
    is_counted = lst.valid_count <= COUNTED_AT_ONCE or "count" in request.GET
    opted_out = opted_out_count(lst) if is_counted else None
    return {"waterfall": waterfall(lst, opted_out), "is_counted": is_counted}


def _plan_context(request: GateRequest, campaign: Campaign, form: StepForm) -> Context:
    if not isinstance(form, PlanForm):
        raise TypeError("The plan's step has the plan's form.")
    routes = planning.routes_of(campaign.workspace)
    others = planning.others_on(campaign, timezone.now())
    route = next((one for one in routes if str(one.pk) == str(form["route"].value())), None)
    estimate = estimate_of(campaign)
    known = form.sum if form.is_bound else planning.known_of(campaign, estimate)
    if not form.is_bound and campaign.mode == Mode.SPREAD:
        form.sum = known
    ceiling = campaign.rate_ceiling if campaign.mode != Mode.SPREAD else None
    total = estimate.segment_total if estimate else 0
    return {
        "routes": routes,
        "others": others,
        "worked_out": worked_out(form),
        "unknown": known.unknown.value,
        "arithmetic": planning.arithmetic(known, is_exact=bool(estimate and estimate.is_exact)),
        "at_rate": planning.at_rate(
            total, float(ceiling) if ceiling else None, route.rate if route else 0
        ),
        "fit": planning.fit_of(known, route, others, campaign.workspace.zone),
        "slot_types": list(SLOT_TYPES),
    }


CONTEXTS: Mapping[str, Callable[[GateRequest, Campaign, StepForm], Context]] = {
    "purpose": _purpose_context,
    "message": _message_context,
    "recipients": _recipients_context,
    "plan": _plan_context,
}


# --- answers --------------------------------------------------------------------------------------


def wizard_context(request: GateRequest, campaign: Campaign, step: str) -> Context:
    """Return what every step shows around its form."""
    beside = standings(campaign, timezone.now())
    at = campaign.edited_at.astimezone(ZoneInfo(campaign.workspace.zone))
    return {
        "campaign": campaign,
        "step": beside.step(step),
        "steps": beside.steps,
        "receipt": beside.receipt,
        "fit_of_plan": beside.fit,
        "saved_at": f"{at:%H:%M:%S}",
        "returned": last_return(campaign) if campaign.state == State.RETURNED else "",
        "template": f"campaigns/steps/{step}.html",
    }


def step_page(
    request: GateRequest,
    campaign: Campaign,
    step: str,
    form: StepForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Draw a step with the form as it stands."""
    context = wizard_context(request, campaign, step)
    context |= CONTEXTS[step](request, campaign, form)
    return show(request, "campaigns/wizard.html", status=status, form=form, **context, **more)


def _unsaved(request: GateRequest, campaign: Campaign, step: str, form: StepForm) -> HttpResponse:
    """Say what is wrong; nothing that was typed is lost."""
    if not is_htmx(request):
        return step_page(request, campaign, step, form)
    wrong = next(iter(form.errors.values()), [_("Look at the form.")])
    return show(request, "campaigns/not_saved.html", sentence=wrong[0], form=form)


def _conflict(
    request: GateRequest, campaign: Campaign, step: str, form: StepForm, refusal: Refusal
) -> HttpResponse:
    """Compare what was typed with what somebody else saved; nothing is saved."""
    conflict = {
        "sentence": refusal.sentence,
        "differences": differences_of(campaign, form.changes(campaign)),
    }
    if is_htmx(request):
        return show(
            request,
            "campaigns/conflict_found.html",
            campaign=campaign,
            step_key=step,
            conflict=conflict,
        )
    return step_page(request, campaign, step, form, status=409, conflict=conflict)


def _saved(request: GateRequest, campaign: Campaign, step: str, form: StepForm) -> HttpResponse:
    """Answer the script with what has changed beside the form; a button goes where it says."""
    if is_htmx(request):
        context = wizard_context(request, campaign, step)
        if step in {"plan", "recipients"}:
            context |= CONTEXTS[step](request, campaign, form)
        return show(
            request,
            "campaigns/saved.html",
            form=form,
            changed=request.POST.get("changed", ""),
            **context,
        )
    go = request.POST.get("go", "")
    if "replace" in request.POST:
        messages.success(request, _("The letters are replaced and the text is saved."))
    if "overwrite" in request.POST:
        messages.success(request, _("Your version is saved."))
    if go == "close":
        return redirect("campaigns:list", workspace=request.me.here.slug)
    index = STEPS.index(step)
    return to_step(request, campaign, STEPS[index + 1] if go == "next" else step)


class CountText(View):
    """How many parts the text is that is being typed."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """The counter, the note about letters and the phone; nothing is saved."""
        campaign = campaign_or_404(request, number)
        form = MessageForm(campaign, request.POST)
        text = one_line_end(request.POST.get("text", ""))
        row = request.POST.get("row", "")
        picked = int(row[:12]) if row.isascii() and row.isdigit() else 0
        if not form.is_valid():
            return show(request, "campaigns/counter.html", too_long=form.errors["text"][0])
        context = text_context(campaign, text, picked)
        return show(request, "campaigns/counted.html", campaign=campaign, **context)
