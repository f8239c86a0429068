"""The platform team's pages of workspaces: the Master view, suspending, entering."""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.invitations import invite
from workspaces.actions.mail import mail_invitation
from workspaces.actions.visits import enter_workspace, leave_workspace
from workspaces.actions.workspaces import (
    create_workspace,
    resume_workspace,
    suspend_workspace,
    weigh_workspace,
)
from workspaces.forms.platform import EnterForm, NewWorkspaceForm, WeightForm, WhyForm
from workspaces.forms.refused import refusals_shown, show_refusal
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.queries.access import workspace_by_slug
from workspaces.queries.platform import workspace_rows
from workspaces.queries.zones import zones
from workspaces.rules.permissions import Role
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope, scope_everywhere
from workspaces.views.shown import refusals_said, show

WORKSPACES = "platform:workspaces"


class Overview(View):
    """Where the platform team begins."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """Every workspace in one table."""
        return workspaces_page(request, "platform/overview.html")


class Workspaces(View):
    """All workspaces."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        return workspaces_page(request, "platform/workspaces.html")


def workspaces_page(request: GateRequest, template: str) -> HttpResponse:
    """Draw a page over all workspaces."""
    with scope_everywhere("the Master view"):
        rows = workspace_rows(request.me.user, timezone.now())
    suspended = sum(row.workspace.is_suspended for row in rows)
    without_admin = [row for row in rows if not row.admin_count]
    return show(
        request,
        template,
        rows=rows,
        active_count=len(rows) - suspended,
        suspended_count=suspended,
        without_admin=without_admin,
        member_count=sum(row.member_count for row in rows),
    )


class NewWorkspace(View):
    """Creates a workspace and invites its first admin."""

    permission = "platform.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return self._page(request, NewWorkspaceForm(initial={"zone": "UTC"}))

    def post(self, request: GateRequest) -> HttpResponse:
        """Create it. An address that cannot be invited does not undo it."""
        form = NewWorkspaceForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        values = dict(form.cleaned_data)
        email = values.pop("admin_email")
        try:
            made = create_workspace(
                **values,
                by_actor=request.me.actor,
                now=timezone.now(),
                request_id=request.me.request_id,
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self._page(request, form)
        messages.success(request, _("%(name)s is created.") % {"name": made.name})
        if email:
            self._invite(request, made, email)
        return redirect(WORKSPACES)

    def _invite(self, request: GateRequest, made: Workspace, email: str) -> None:
        try:
            with scope(made):
                by = replace(request.me, workspace=made)
                new = invite(email=email, role=Role.ADMIN, by=by, now=timezone.now())
            mail_invitation(new.invitation, new.token)
        except Refusal as refusal:
            messages.error(request, f"{email}: {refusal.sentence}")

    def _page(self, request: GateRequest, form: NewWorkspaceForm) -> HttpResponse:
        return show(request, "platform/new_workspace.html", form=form, zones=zones())


class Weight(View):
    """A workspace's part of the routes that several share."""

    permission = "platform.edit"

    def get(self, request: GateRequest, slug: str) -> HttpResponse:
        """The form."""
        workspace = workspace_or_404(slug)
        return self._page(request, workspace, WeightForm(initial={"weight": workspace.weight}))

    def post(self, request: GateRequest, slug: str) -> HttpResponse:
        """Set it."""
        workspace, form = workspace_or_404(slug), WeightForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                weigh_workspace(
                    workspace=workspace,
                    weight=form.cleaned_data["weight"],
                    by=request.me,
                    now=timezone.now(),
                )
                messages.success(
                    request, _("The weight of %(name)s is set.") % {"name": workspace.name}
                )
                return redirect(WORKSPACES)
        return self._page(request, workspace, form)

    def _page(self, request: GateRequest, workspace: Workspace, form: WeightForm) -> HttpResponse:
        return show(request, "platform/weight.html", workspace=workspace, form=form)


class Suspend(View):
    """Lets a workspace only be read, after a reason."""

    permission = "platform.edit"
    asks_password = True

    def get(self, request: GateRequest, slug: str) -> HttpResponse:
        """The question."""
        return self._page(request, workspace_or_404(slug), WhyForm())

    def post(self, request: GateRequest, slug: str) -> HttpResponse:
        """Suspend."""
        workspace, form = workspace_or_404(slug), WhyForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                suspend_workspace(
                    workspace=workspace,
                    by=request.me,
                    why=form.cleaned_data["why"],
                    now=timezone.now(),
                )
                messages.success(request, _("%(name)s is suspended.") % {"name": workspace.name})
                return redirect(WORKSPACES)
        return self._page(request, workspace, form)

    def _page(self, request: GateRequest, workspace: Workspace, form: WhyForm) -> HttpResponse:
        return show(request, "platform/suspend.html", workspace=workspace, form=form)


class Resume(View):
    """Lets a suspended workspace work again."""

    permission = "platform.edit"

    def post(self, request: GateRequest, slug: str) -> HttpResponse:
        """Resume."""
        workspace = workspace_or_404(slug)
        with refusals_said(request):
            resume_workspace(workspace=workspace, by=request.me, now=timezone.now())
            messages.success(request, _("%(name)s works again.") % {"name": workspace.name})
        return redirect(WORKSPACES)


class Enter(View):
    """Lets a super admin act in a workspace for a while."""

    permission = "platform.edit"
    asks_password = True

    def get(self, request: GateRequest, slug: str) -> HttpResponse:
        """Asks for the reason."""
        return self._page(request, workspace_or_404(slug), EnterForm())

    def post(self, request: GateRequest, slug: str) -> HttpResponse:
        """Enter."""
        workspace, form = workspace_or_404(slug), EnterForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                enter_workspace(
                    workspace=workspace,
                    reason=form.cleaned_data["reason"],
                    by=request.me,
                    now=timezone.now(),
                )
                return redirect(f"/w/{workspace.slug}/")
        return self._page(request, workspace, form)

    def _page(self, request: GateRequest, workspace: Workspace, form: EnterForm) -> HttpResponse:
        return show(
            request,
            "platform/enter.html",
            workspace=workspace,
            form=form,
            minutes=settings.VISIT_MINUTES,
        )


class Leave(View):
    """Ends the visit."""

    permission = "platform.edit"

    def post(self, request: GateRequest, slug: str) -> HttpResponse:
        """Leave."""
        workspace = workspace_or_404(slug)
        leave_workspace(workspace=workspace, by=request.me, now=timezone.now())
        messages.success(request, _("You left %(name)s.") % {"name": workspace.name})
        return redirect(WORKSPACES)


def workspace_or_404(slug: str) -> Workspace:
    """Return the workspace that a platform page is about."""
    workspace = workspace_by_slug(slug)
    if workspace is None:
        raise Http404
    return workspace
