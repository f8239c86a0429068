"""Accounts by what a person types."""

from workspaces.models import User


def account_id(email: str) -> int:
    """Return the id of the account with this address, or 0."""
    return User.objects.filter(email__iexact=email).values_list("pk", flat=True).first() or 0


def has_account(email: str) -> bool:
    """Whether somebody signs in with this address."""
    return account_id(email) != 0
