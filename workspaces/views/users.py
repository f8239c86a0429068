"""The platform team's pages of accounts."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.mail import MailNotSent, mail_password_link
from workspaces.actions.users import change_super_admin, create_user, disable_user, enable_user
from workspaces.forms.platform import NewUserForm, WhyForm
from workspaces.forms.refused import refusals_shown, show_refusal
from workspaces.gate.request import GateRequest
from workspaces.models import User
from workspaces.queries.platform import MOST_USERS, user_by_email, user_by_id, user_rows
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope_everywhere
from workspaces.views.shown import refusals_said, show

USERS = "platform:users"


class Users(View):
    """All accounts."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list, or what of it has the words in name or address."""
        words = request.GET.get("words", "").strip()
        with scope_everywhere("the platform's list of accounts"):
            rows = user_rows(request.me.user, words)
        return show(request, "platform/users.html", rows=rows, words=words, most=MOST_USERS)


class NewUser(View):
    """Creates an account; its owner sets the password through an e-mailed link."""

    permission = "platform.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return show(request, "platform/new_user.html", form=NewUserForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Create it and send the link."""
        form = NewUserForm(request.POST)
        if not form.is_valid():
            return show(request, "platform/new_user.html", form=form)
        same_as = form.cleaned_data["same_as"]
        other = user_by_email(same_as) if same_as else None
        if same_as and other is None:
            form.add_error("same_as", _("There is no account with this address."))
            return show(request, "platform/new_user.html", form=form)
        try:
            user = create_user(
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                person=other.person if other is not None else None,
                by_actor=request.me.actor,
                now=timezone.now(),
                request_id=request.me.request_id,
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return show(request, "platform/new_user.html", form=form)
        return send_link(request, user)


class SendLink(View):
    """Sends a link to set a password."""

    permission = "platform.edit"

    def post(self, request: GateRequest, user_id: int) -> HttpResponse:
        """Send."""
        user = user_or_404(user_id)
        if not user.is_active:
            messages.error(request, _("Enable the account first."))
            return redirect(USERS)
        return send_link(request, user)


def send_link(request: GateRequest, user: User) -> HttpResponse:
    """E-mail the link and say so."""
    try:
        mail_password_link(user, is_welcome=not user.has_usable_password())
    except MailNotSent as refusal:
        messages.error(request, refusal.sentence)
    else:
        sentence = _("%(email)s gets a link to set a password.")
        messages.success(request, sentence % {"email": user.email})
    return redirect(USERS)


class WithReason(View):
    """A change of an account that asks why first."""

    permission = "platform.edit"
    asks_password = True
    template = ""

    def get(self, request: GateRequest, user_id: int) -> HttpResponse:
        """The question."""
        return self._page(request, user_or_404(user_id), WhyForm())

    def post(self, request: GateRequest, user_id: int) -> HttpResponse:
        """Change it."""
        account, form = user_or_404(user_id), WhyForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                sentence = self.change(
                    account,
                    by=request.me,
                    why=form.cleaned_data["why"],
                    now=timezone.now(),
                )
                messages.success(request, sentence % {"name": account.name})
                return redirect(USERS)
        return self._page(request, account, form)

    def change(self, account: User, **how: Any) -> str:
        """Call the verb and return the sentence that says what happened."""
        raise NotImplementedError

    def _page(self, request: GateRequest, account: User, form: WhyForm) -> HttpResponse:
        return show(request, self.template, account=account, form=form)


class Disable(WithReason):
    """Ends an account's sessions and keys."""

    template = "platform/disable_user.html"

    def change(self, account: User, **how: Any) -> str:
        """Disable."""
        disable_user(user_id=account.pk, **how)
        return _("%(name)s cannot sign in any more. Sessions and API keys have ended.")


class ChangeSuperAdmin(WithReason):
    """Takes somebody into the platform team, or out of it."""

    template = "platform/super_admin.html"

    def change(self, account: User, **how: Any) -> str:
        """Turn the standing that the page showed into the other one."""
        becomes = not account.is_super_admin
        change_super_admin(user_id=account.pk, is_super_admin=becomes, **how)
        if becomes:
            return _("%(name)s is a super admin now.")
        return _("%(name)s is no longer a super admin.")


class Enable(View):
    """Lets an account sign in again."""

    permission = "platform.edit"

    def post(self, request: GateRequest, user_id: int) -> HttpResponse:
        """Enable."""
        account = user_or_404(user_id)
        with refusals_said(request):
            enable_user(user_id=user_id, by=request.me, now=timezone.now())
            messages.success(request, _("%(name)s can sign in again.") % {"name": account.name})
        return redirect(USERS)


def user_or_404(user_id: int) -> User:
    """Return the account that a platform page is about."""
    user = user_by_id(user_id)
    if user is None:
        raise Http404
    return user
