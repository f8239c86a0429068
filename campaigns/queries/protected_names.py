"""Protected names of the installation: banks, authorities, brands."""

from campaigns.models import ProtectedName


def protected_names() -> list[ProtectedName]:
    """Return the installation's protected names, by name."""
    return list(ProtectedName.objects.select_related("created_by__person").order_by("value"))


def protected_pairs() -> list[tuple[str, str]]:
    """Return (name, skeleton) of every protected name, for rules.sender_names.resembled."""
    return list(ProtectedName.objects.order_by("value").values_list("value", "skeleton"))


def protected_name(name_id: int) -> ProtectedName | None:
    """Return a protected name, or None."""
    return ProtectedName.objects.filter(pk=name_id).first()
