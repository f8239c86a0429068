"""Workspaces and how people come to be in them."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from workspaces.models.people import User
from workspaces.rules.permissions import Role

MEMBER_ROLES = [
    (Role.VIEWER.value, _("Viewer")),
    (Role.AUTHOR.value, _("Author")),
    (Role.AUTHOR_MODERATOR.value, _("Author and moderator")),
    (Role.MODERATOR.value, _("Moderator")),
    (Role.ADMIN.value, _("Admin")),
]


DEFAULT_REPLY_DAYS = 180


class Workspace(models.Model):
    """A team with its own senders, lists and campaigns.

    `uuid` names it in the audit log, for ever. `weight` is its part of a route that several share.
    What subscribers write to it is erased after `reply_days`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=64, default="UTC")
    is_suspended = models.BooleanField(default=False)
    is_open_to_requests = models.BooleanField(default=True)
    weight = models.PositiveSmallIntegerField(default=1)
    reply_days = models.PositiveSmallIntegerField(default=DEFAULT_REPLY_DAYS)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "workspace"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight__gte=1, weight__lte=100), name="workspace_weight"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in a workspace.

    Read again at every request, so removing it bites on the next one. `granted_by` and `granted_at`
    say who gave the role as it is now (None: the set-up), for those who judge an approval.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=MEMBER_ROLES)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "membership"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role for role, _name in MEMBER_ROLES]),
                name="membership_role_known",
            ),
        ]


class Invitation(models.Model):
    """An invitation by e-mail. Only the hash of its token is kept (SHA-256, hex)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=MEMBER_ROLES)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"
        constraints = [
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open",
            )
        ]


class JoinRequest(models.Model):
    """A signed-in person asks to be let into a workspace;

    an admin accepts with a role, or refuses.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="join_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="join_requests")
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    is_accepted = models.BooleanField(null=True)

    class Meta:
        db_table = "join_request"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user"],
                condition=models.Q(decided_at=None),
                name="join_request_one_open",
            )
        ]


class Visit(models.Model):
    """A super admin acts inside a workspace: with a reason, until a time, audited."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="visits")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    reason = models.CharField(max_length=300)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "visit"
        indexes = [models.Index(fields=["workspace", "user", "ends_at"], name="visit_current")]
