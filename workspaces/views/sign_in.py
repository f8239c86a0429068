"""Signing in and out."""

from contextlib import suppress

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from workspaces.actions.guesses import LockedOut
from workspaces.actions.sessions import SessionRefused, end_session
from workspaces.actions.sign_in import SignInRefused, recognise
from workspaces.forms.sign_in import SignInForm
from workspaces.gate.address import address
from workspaces.gate.caller import start_session
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class SignIn(View):
    """The local account's sign-in."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form; who is signed in goes on."""
        if getattr(request, "me", None) is not None:
            return redirect(next_page(request))
        return self._page(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Sign in, or say what to do."""
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        now = timezone.now()
        try:
            user = recognise(
                **form.cleaned_data,
                address=address(request),
                now=now,
                request_id=str(getattr(request, "request_id", "")),
            )
        except LockedOut as locked:
            response = self._refused(request, form, locked, status=429)
            response["Retry-After"] = str(round((locked.until - now).total_seconds()))
            return response
        except SignInRefused as refusal:
            return self._refused(request, form, refusal, status=200)
        start_session(request, user, now)
        return redirect(next_page(request))

    def _refused(
        self, request: HttpRequest, form: SignInForm, refusal: Refusal, *, status: int
    ) -> HttpResponse:
        """The sentence stands above the form; the password is to be typed again in any case."""
        form.add_error("password", _("Enter your password again."))
        return self._page(request, form, status=status, refused=refusal.sentence)

    def _page(
        self, request: HttpRequest, form: SignInForm, *, status: int = 200, refused: str = ""
    ) -> HttpResponse:
        return show(
            request,
            "workspaces/sign_in.html",
            status=status,
            form=form,
            refused=refused,
            next=next_page(request),
        )


class SignOut(View):
    """Ends this session."""

    permission = "signed_in"

    def post(self, request: GateRequest) -> HttpResponse:
        """Sign out; also when the session's row has been swept."""
        with suppress(SessionRefused):
            end_session(by=request.me, public_id=request.me.session_id, now=timezone.now())
        logout(request)
        messages.success(request, _("You are signed out."))
        return redirect("workspaces:sign_in")


def next_page(request: HttpRequest) -> str:
    """Return where to go after signing in: `next` if it is a page of ours, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("workspaces:home")
