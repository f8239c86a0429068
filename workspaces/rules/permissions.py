"""Who may do what: one table, read by the gate, the pages and the tests.

Permissions are plain words so that apps to the right of this one can name them too.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """A member's role in one workspace; SUPER_ADMIN comes from the account, not a membership."""

    VIEWER = "viewer"
    AUTHOR = "author"
    AUTHOR_MODERATOR = "author_moderator"
    MODERATOR = "moderator"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


PUBLIC = "public"
SIGNED_IN = "signed_in"

_SEE = frozenset(
    {"workspace.see", "campaign.see", "sender.see", "list.see", "member.see", "audit.see"}
)
_WRITE = frozenset(
    {
        "campaign.edit",
        "list.edit",
        "opt_out.edit",
        "reply.assign",
        "sender.propose",
        "campaign.run_own",
        "resend.request",
    }
)
_REVIEW = frozenset({"campaign.review", "sender.review", "resend.decide"})
_SUPERVISE = frozenset(
    {"campaign.run", "campaign.run_own", "number.reveal", "resend.request", "records.import"}
)
_ADMIN = frozenset(
    {"sender.edit", "member.edit", "key.edit", "workspace.edit", "evidence.export", "audit.erase"}
)
_PLATFORM = frozenset({"platform.see", "platform.edit", "campaign.delete"})

PERMISSIONS: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: _SEE,
    Role.AUTHOR: _SEE | _WRITE,
    Role.AUTHOR_MODERATOR: _SEE | _WRITE | _REVIEW,
    Role.MODERATOR: _SEE
    | frozenset({"opt_out.edit", "reply.assign", "sender.propose"})
    | _REVIEW
    | _SUPERVISE,
    Role.ADMIN: _SEE | _WRITE | _REVIEW | _SUPERVISE | _ADMIN,
    Role.SUPER_ADMIN: _SEE | _WRITE | _REVIEW | _SUPERVISE | _ADMIN | _PLATFORM,
}

# A super admin who has not entered a workspace reads it, and nothing else.
MASTER_VIEW: frozenset[str] = _SEE

# What an API key may be given, and the permission its creator needs to keep for it to work.
SCOPES: Mapping[str, str] = {
    "message.send": "campaign.edit",
    "message.see": "campaign.see",
    "campaign.see": "campaign.see",
    "sender.see": "sender.see",
    "inbound.see": "campaign.see",
    "inbound.assign": "reply.assign",
}

# What only a super admin's key may be given. It lives as long as he is one, member or not.
PLATFORM_SCOPES: Mapping[str, str] = {"diagnostics.see": "platform.see"}
ALL_SCOPES: Mapping[str, str] = {**SCOPES, **PLATFORM_SCOPES}

KNOWN: frozenset[str] = frozenset({PUBLIC, SIGNED_IN, *ALL_SCOPES}).union(*PERMISSIONS.values())
