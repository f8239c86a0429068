"""A forgotten password: a link by e-mail, and the page behind it."""

from django.contrib import messages
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from workspaces.actions.passwords import reset_password
from workspaces.forms.refused import show_refusal
from workspaces.forms.sign_in import LinkForm, NewPasswordForm
from workspaces.models import User
from workspaces.queries.accounts import may_be_used
from workspaces.queries.people import account_id
from workspaces.queries.platform import user_by_id
from workspaces.rules.refusal import Refusal
from workspaces.tasks.links import send_password_link
from workspaces.views.shown import show

RESET = "reset_token"
# What stands in the address once the token has moved.
MOVED = "new"


class Forgotten(View):
    """Asks for a link. Answers the same for every address."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        return show(request, "workspaces/forgotten.html", form=LinkForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Have a link sent, if there is somebody to send it to."""
        form = LinkForm(request.POST)
        if not form.is_valid():
            return show(request, "workspaces/forgotten.html", form=form)
        send_password_link.delay(account_id(form.cleaned_data["email"]))
        return redirect("workspaces:link_sent")


class LinkSent(View):
    """Says what happens next."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return show(request, "workspaces/link_sent.html")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class Reset(View):
    """The page behind the link. The token moves from the address into the session at once, so that
    no log, history or Referer keeps a token that still works.
    """

    permission = "public"

    def get(self, request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
        """The form, or the sentence that the link is dead."""
        if token != MOVED and self._user(uidb64, token) is not None:
            request.session[RESET] = token
            return redirect("workspaces:reset", uidb64=uidb64, token=MOVED)
        user = self._user(uidb64, request.session.get(RESET, ""))
        return self._page(request, user, NewPasswordForm())

    def post(self, request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
        """Set the password."""
        user = self._user(uidb64, request.session.get(RESET, ""))
        form = NewPasswordForm(request.POST)
        if user is None or not form.is_valid():
            return self._page(request, user, form)
        try:
            reset_password(
                user=user,
                new=form.cleaned_data["password"],
                now=timezone.now(),
                request_id=str(getattr(request, "request_id", "")),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self._page(request, user, form)
        request.session.flush()
        messages.success(request, _("Your password is set. Sign in with it."))
        return redirect("workspaces:sign_in")

    def _user(self, uidb64: str, token: str) -> User | None:
        """Return whose link this is while it lives."""
        try:
            user = user_by_id(int(urlsafe_base64_decode(uidb64)))
        except ValueError:
            return None
        if user is None or not may_be_used(user):
            return None
        return user if default_token_generator.check_token(user, token) else None

    def _page(self, request: HttpRequest, user: User | None, form: NewPasswordForm) -> HttpResponse:
        return show(
            request,
            "workspaces/reset.html",
            status=200 if user is not None else 410,
            form=form,
            account=user,
        )
