"""What people change about their own account."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from workspaces.actions.noting import note_user
from workspaces.models import Person, Theme, User
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

LONGEST_NAME = 150


class AccountRefused(Refusal):
    """A value does not fit."""


def checked_name(name: str) -> str:
    """Return a person's name on one line; raises AccountRefused."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountRefused(_("Enter a name of 1 to 150 characters."), field="name")
    return name


def change_account(*, by: Me, name: str, theme: str, has_shortcuts: bool, now: datetime) -> None:
    """Change the caller's name and how pages look and listen to him. Raises AccountRefused."""
    name = checked_name(name)
    if theme not in Theme.values:
        raise AccountRefused(_("Choose one of the themes."), field="theme")
    with transaction.atomic(durable=True):
        User.objects.filter(pk=by.user.pk).update(theme=theme, has_shortcuts=has_shortcuts)
        renamed = Person.objects.filter(pk=by.person_id).exclude(name=name).update(name=name)
        if renamed:
            note_user(
                "user.rename",
                by.user,
                by.actor,
                now=now,
                personal={"old": by.user.name, "new": name},
                request_id=by.request_id,
            )
