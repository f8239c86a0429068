"""The invited person's side of an invitation."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from workspaces.actions.invitations import accept_as_new, accept_invitation, token_hash
from workspaces.forms.refused import show_refusal
from workspaces.forms.sign_in import NewPersonForm
from workspaces.gate.caller import start_session
from workspaces.models import Invitation, User
from workspaces.queries.members import invitation_by_hash
from workspaces.queries.people import has_account
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope_everywhere
from workspaces.views.shown import show

HASH = "invitation_hash"


class OpenInvitation(View):
    """The address in the e-mail: moves the token's hash into the session and goes on."""

    permission = "public"

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Redirect to an address without a token."""
        request.session[HASH] = token_hash(token)
        return redirect("workspaces:invitation")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AcceptInvitation(View):
    """Shows the invitation to whoever came with its token, and accepts it."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The invitation, with what the person has to do."""
        return self._page(request, self._invitation(request), NewPersonForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Accept: as the account that is signed in, or as a new person."""
        invitation = self._invitation(request)
        user = _caller(request)
        if invitation is None:
            return self._page(request, None, NewPersonForm())
        if user is None:
            return self._accept_as_new(request, invitation)
        try:
            accept_invitation(
                invitation=invitation,
                user=user,
                now=timezone.now(),
                request_id=_request_id(request),
            )
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return redirect("workspaces:invitation")
        return self._welcome(request, invitation)

    def _accept_as_new(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        form = NewPersonForm(request.POST)
        if not form.is_valid():
            return self._page(request, invitation, form)
        now = timezone.now()
        try:
            user = accept_as_new(
                invitation=invitation,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                now=now,
                request_id=_request_id(request),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self._page(request, invitation, form)
        start_session(request, user, now)
        return self._welcome(request, invitation)

    def _welcome(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        request.session.pop(HASH, None)
        messages.success(
            request, _("You are now a member of %(name)s.") % {"name": invitation.workspace.name}
        )
        return redirect(f"/w/{invitation.workspace.slug}/")

    def _invitation(self, request: HttpRequest) -> Invitation | None:
        """Return the live invitation that this session has the token of."""
        with scope_everywhere("the invited person is not a member yet"):
            invitation = invitation_by_hash(request.session.get(HASH, ""))
        if invitation is None or invitation.accepted_at or invitation.revoked_at:
            return None
        return invitation if invitation.expires_at > timezone.now() else None

    def _page(
        self, request: HttpRequest, invitation: Invitation | None, form: NewPersonForm
    ) -> HttpResponse:
        user = _caller(request)
        is_mine = bool(user and invitation and user.email.lower() == invitation.email.lower())
        return show(
            request,
            "workspaces/invitation.html",
            status=200 if invitation is not None else 410,
            invitation=invitation,
            form=form,
            is_mine=is_mine,
            is_signed_in=user is not None,
            has_account=invitation is not None and has_account(invitation.email),
        )


def _caller(request: HttpRequest) -> User | None:
    me = getattr(request, "me", None)
    return me.user if me is not None else None


def _request_id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))
