"""The own account: name, look, password, browsers."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from workspaces.actions.account import change_account
from workspaces.actions.passwords import change_password
from workspaces.actions.sessions import end_other_sessions, end_session, rename_session
from workspaces.forms.account import AccountForm
from workspaces.forms.refused import refusals_shown, show_refusal
from workspaces.forms.sign_in import ChangePasswordForm
from workspaces.gate.address import address
from workspaces.gate.request import GateRequest
from workspaces.queries.sessions import browsers
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show

SESSIONS = "workspaces:sessions"


class Account(View):
    """Name, theme and keys."""

    permission = "signed_in"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form as it is."""
        user = request.me.user
        values = {"name": user.name, "theme": user.theme, "has_shortcuts": user.has_shortcuts}
        return self._page(request, AccountForm(values))

    def post(self, request: GateRequest) -> HttpResponse:
        """Save."""
        form = AccountForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                change_account(by=request.me, **form.cleaned_data, now=timezone.now())
                messages.success(request, _("Saved."))
                return redirect("workspaces:account")
        return self._page(request, form)

    def _page(self, request: GateRequest, form: AccountForm) -> HttpResponse:
        return show(
            request,
            "workspaces/account.html",
            form=form,
            idle_seconds=settings.SESSION_IDLE_SECONDS,
            absolute_seconds=settings.SESSION_ABSOLUTE_SECONDS,
        )


@method_decorator(sensitive_post_parameters(), name="dispatch")
class Password(View):
    """The own password."""

    permission = "signed_in"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return show(request, "workspaces/password.html", form=ChangePasswordForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Change it; this browser stays signed in under a new session key."""
        form = ChangePasswordForm(request.POST)
        if not form.is_valid():
            return show(request, "workspaces/password.html", form=form)
        try:
            user = change_password(
                by=request.me,
                old=form.cleaned_data["old"],
                new=form.cleaned_data["password"],
                address=address(request),
                now=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return show(request, "workspaces/password.html", form=form)
        update_session_auth_hash(request, user)
        rename_session(request.me.session_id, request.session.session_key or "")
        messages.success(request, _("Your password is changed. All other browsers are signed out."))
        return redirect("workspaces:account")


class Sessions(View):
    """Where the person is signed in."""

    permission = "signed_in"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        found = browsers(request.me, timezone.now())
        return show(request, "workspaces/sessions.html", browsers=found)

    def post(self, request: GateRequest) -> HttpResponse:
        """End one session, or (without an id) all others."""
        now, public_id = timezone.now(), request.POST.get("session", "")
        try:
            if public_id:
                end_session(by=request.me, public_id=public_id, now=now)
                messages.success(request, _("That browser is signed out."))
            else:
                count = end_other_sessions(by=request.me, now=now)
                messages.success(request, _signed_out(count))
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
        return redirect(SESSIONS)


def _signed_out(count: int) -> str:
    return ngettext(
        "%(count)s other browser is signed out.",
        "%(count)s other browsers are signed out.",
        count,
    ) % {"count": count}
