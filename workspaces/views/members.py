"""Members, invitations and requests to join."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.invitations import NewInvitation, invite, invite_again, revoke_invitation
from workspaces.actions.joining import accept_request, refuse_request
from workspaces.actions.mail import MailNotSent, mail_invitation
from workspaces.actions.members import change_role, remove_member
from workspaces.forms.refused import show_refusal
from workspaces.forms.workspace import ChangeRoleForm, InviteForm, RoleForm
from workspaces.gate.request import GateRequest
from workspaces.models import MEMBER_ROLES
from workspaces.queries.members import Member, members, open_invitations, waiting_requests
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import refusals_said, show


class Members(View):
    """Who is here; for admins also who is invited and who asks to join."""

    permission = "member.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The lists."""
        return members_page(request, InviteForm())


def members_page(request: GateRequest, form: InviteForm) -> HttpResponse:
    """Draw the page with the invitation form as it stands."""
    may_edit = request.me.may("member.edit")
    here = request.me.here
    return show(
        request,
        "workspaces/members.html",
        members=members(request.me),
        may_edit=may_edit,
        roles=MEMBER_ROLES,
        invitations=open_invitations(here) if may_edit else [],
        requests=waiting_requests(here) if may_edit else [],
        form=form,
        now=timezone.now(),
    )


class ChangeRole(View):
    """Another role for a member."""

    permission = "member.edit"
    asks_password = True

    def post(self, request: GateRequest, user_id: int) -> HttpResponse:
        """Change it."""
        form = ChangeRoleForm(request.POST)
        member = member_or_404(request, user_id)
        if not form.is_valid():
            messages.error(request, _("Choose a role."))
            return to_members(request)
        with refusals_said(request):
            change_role(user_id=user_id, **form.cleaned_data, by=request.me, now=timezone.now())
            role = dict(MEMBER_ROLES)[form.cleaned_data["role"]]
            messages.success(
                request, _("%(name)s is now %(role)s.") % {"name": member.name, "role": role}
            )
        return to_members(request)


class RemoveMember(View):
    """Ends a membership, after a question."""

    permission = "member.edit"
    asks_password = True

    def get(self, request: GateRequest, user_id: int) -> HttpResponse:
        """The question."""
        member = member_or_404(request, user_id)
        return show(request, "workspaces/remove_member.html", member=member)

    def post(self, request: GateRequest, user_id: int) -> HttpResponse:
        """Remove."""
        member = member_or_404(request, user_id)
        with refusals_said(request):
            remove_member(user_id=user_id, by=request.me, now=timezone.now())
            messages.success(
                request,
                _("%(name)s is no longer a member and can open nothing here.")
                % {"name": member.name},
            )
        return to_members(request)


class Invite(View):
    """Invites an address."""

    permission = "member.edit"
    asks_password = True

    def post(self, request: GateRequest) -> HttpResponse:
        """Make the invitation and send it."""
        form = InviteForm(request.POST)
        if not form.is_valid():
            return members_page(request, form)
        try:
            new = invite(**form.cleaned_data, by=request.me, now=timezone.now())
        except Refusal as refusal:
            show_refusal(form, refusal)
            return members_page(request, form)
        return send(request, new)


class InviteAgain(View):
    """Sends an invitation again, with a new link."""

    permission = "member.edit"

    def post(self, request: GateRequest, invitation_id: int) -> HttpResponse:
        """Send."""
        try:
            new = invite_again(invitation_id=invitation_id, by=request.me, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return to_members(request)
        return send(request, new)


def send(request: GateRequest, new: NewInvitation) -> HttpResponse:
    """E-mail an invitation that is committed; say so if the mail server is down."""
    try:
        mail_invitation(new.invitation, new.token)
    except MailNotSent as refusal:
        messages.error(request, refusal.sentence)
    else:
        sentence = _("The invitation to %(email)s is sent.") % {"email": new.invitation.email}
        messages.success(request, sentence)
    return to_members(request)


class RevokeInvitation(View):
    """Ends an open invitation."""

    permission = "member.edit"

    def post(self, request: GateRequest, invitation_id: int) -> HttpResponse:
        """Revoke."""
        with refusals_said(request):
            revoke_invitation(invitation_id=invitation_id, by=request.me, now=timezone.now())
            messages.success(request, _("The invitation is revoked. Its link is dead."))
        return to_members(request)


class AcceptRequest(View):
    """Lets a person in who asked."""

    permission = "member.edit"
    asks_password = True

    def post(self, request: GateRequest, join_request_id: int) -> HttpResponse:
        """Accept with a role."""
        form = RoleForm(request.POST)
        role = form.cleaned_data["role"] if form.is_valid() else ""
        with refusals_said(request):
            new = accept_request(
                join_request_id=join_request_id, role=role, by=request.me, now=timezone.now()
            )
            messages.success(request, _("%(name)s is a member now.") % {"name": new.user.name})
        return to_members(request)


class RefuseRequest(View):
    """Turns a request down."""

    permission = "member.edit"

    def post(self, request: GateRequest, join_request_id: int) -> HttpResponse:
        """Refuse."""
        with refusals_said(request):
            refuse_request(join_request_id=join_request_id, by=request.me, now=timezone.now())
            messages.success(request, _("The request is refused."))
        return to_members(request)


def member_or_404(request: GateRequest, user_id: int) -> Member:
    """Return a member of this workspace; anybody else does not exist here."""
    found = next((row for row in members(request.me) if row.user_id == user_id), None)
    if found is None:
        raise Http404
    return found


def to_members(request: GateRequest) -> HttpResponse:
    """Go back to the list."""
    return redirect("workspaces:members", workspace=request.me.here.slug)
