"""Who: installation, people, workspaces, keys."""

from workspaces.models.installation import Installation
from workspaces.models.keys import ApiKey, IdempotentRequest
from workspaces.models.people import Person, Session, SignInFailure, Theme, User
from workspaces.models.workspaces import (
    DEFAULT_REPLY_DAYS,
    MEMBER_ROLES,
    Invitation,
    JoinRequest,
    Membership,
    Visit,
    Workspace,
)

__all__ = [
    "DEFAULT_REPLY_DAYS",
    "MEMBER_ROLES",
    "ApiKey",
    "IdempotentRequest",
    "Installation",
    "Invitation",
    "JoinRequest",
    "Membership",
    "Person",
    "Session",
    "SignInFailure",
    "Theme",
    "User",
    "Visit",
    "Workspace",
]
