"""Which accounts may be used here: the one rule behind every door.

Sign-in, sessions, passes, API keys and links ask it, and whoever counts those who can still act.
"""

from django.conf import settings
from django.db.models import Q

from workspaces.models import User


def may_be_used(user: User) -> bool:
    """Whether an account opens anything: it is active, and of the demo only while DEBUG is on."""
    return user.is_active and (settings.DEBUG or not user.is_demo)


def usable(path: str = "") -> Q:
    """Return the same rule for rows; `path` leads from them to the account: "user__"."""
    active = Q(**{f"{path}is_active": True})
    return active if settings.DEBUG else active & Q(**{f"{path}is_demo": False})
