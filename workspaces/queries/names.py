"""Names behind the opaque ids of the audit log, and ids behind names that people type.

Keys and invitations are found within the reader's scope only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db.models import Q

from audit.queries.names import register
from workspaces.models import ApiKey, Invitation, User, Workspace

MOST = 200


def register_names() -> None:
    """Lend our names to the audit log; called once, when the app is ready."""
    register("user", resolver("usr", _users), _find_users)
    register("api", resolver("key", _keys))
    register("key", resolver("key", _keys), _find_keys)
    register("workspace", resolver("wsp", _workspaces))
    # By its e-mail address, which the log discloses and erases as a value.
    register("invitation", resolver("inv", _invitations), stays_here=True)


def resolver(
    prefix: str, names: Callable[[list[int]], Iterable[tuple[int, str]]]
) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """Return a resolver of ids such as usr_6; ids of another form are not ours."""

    def resolve(ids: Sequence[str]) -> Mapping[str, str]:
        numbers = [text.removeprefix(f"{prefix}_") for text in ids if text.startswith(f"{prefix}_")]
        wanted = [int(number) for number in numbers if number.isdecimal()]
        return {f"{prefix}_{pk}": name for pk, name in names(wanted)}

    return resolve


def _users(ids: list[int]) -> Iterable[tuple[int, str]]:
    return User.objects.filter(pk__in=ids).values_list("pk", "person__name")


def _keys(ids: list[int]) -> Iterable[tuple[int, str]]:
    return ApiKey.objects.filter(pk__in=ids).values_list("pk", "name")


def _workspaces(ids: list[int]) -> Iterable[tuple[int, str]]:
    return Workspace.objects.filter(pk__in=ids).values_list("pk", "name")


def _invitations(ids: list[int]) -> Iterable[tuple[int, str]]:
    return Invitation.objects.filter(pk__in=ids).values_list("pk", "email")


def _find_users(text: str) -> Sequence[str]:
    rows = User.objects.filter(Q(person__name__icontains=text) | Q(email__iexact=text))
    return [f"usr_{pk}" for pk in rows.order_by("pk").values_list("pk", flat=True)[:MOST]]


def _find_keys(text: str) -> Sequence[str]:
    rows = ApiKey.objects.filter(Q(name__icontains=text) | Q(prefix=text.removeprefix("mc_")))
    return [f"key_{pk}" for pk in rows.order_by("pk").values_list("pk", flat=True)[:MOST]]
