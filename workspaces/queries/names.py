"""Names behind the opaque ids of the audit log. Each takes primary keys and returns what it finds;
they need the reader's scope, or scope_everywhere.
"""

from collections.abc import Iterable, Mapping

from workspaces.models import ApiKey, Invitation, User, Workspace


def user_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Return the people's names."""
    rows = User.objects.filter(pk__in=list(ids)).select_related("person")
    return {user.pk: user.name for user in rows}


def key_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Return the keys' names."""
    return dict(ApiKey.objects.filter(pk__in=list(ids)).values_list("pk", "name"))


def workspace_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Return the workspaces' names."""
    return dict(Workspace.objects.filter(pk__in=list(ids)).values_list("pk", "name"))


def invitation_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Return the invited addresses."""
    return dict(Invitation.objects.filter(pk__in=list(ids)).values_list("pk", "email"))
