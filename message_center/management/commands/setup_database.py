"""Make the roles, the database, the tables and the grants.

Safe to run again at every deployment.
"""

from typing import Any

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from audit.actions.sequence import number_first
from message_center.apps import MAIL
from message_center.roles import RUNTIME_ROLES, database_url, exceptions
from message_center.stack.database import (
    Login,
    SetupRefused,
    apply_grants,
    check_logins,
    close_to_public,
    database_name,
    ensure_database,
    ensure_roles,
    login,
    only_one_setup,
)
from workspaces.actions.installation import install


class Command(BaseCommand):
    """`manage.py setup_database`, run as the owner (OWNER_DATABASE_URL)."""

    help = "Makes the database's roles, the database, its tables and its grants; safe to run twice."
    # Every deployment begins here, so what must not go live is refused here. The other checks ask
    # nothing that matters before there are tables, and cost a second.
    requires_system_checks = (MAIL,)

    def handle(self, *args: Any, **options: Any) -> None:
        url = database_url("owner")
        try:
            self._set_up(url, self._logins(url))
        except SetupRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _set_up(self, url: str, logins: list[Login]) -> None:
        check_logins(url, logins)
        was_made = ensure_database(url)
        self._say(
            f"Database {database_name(url)} {'was made' if was_made else 'is there already'}."
        )
        with only_one_setup(url):
            ensure_roles(url, logins, self._say)
            close_to_public(url)
            self._migrate()
            granted = apply_grants(url, logins, exceptions())
            if install(timezone.now()):
                _number_first(url)
                self._say("This database is a new installation: identity, keys and system chain.")
        self._say(
            f"Granted the rights on {granted.tables} tables and views, {granted.sequences} "
            f"sequences and {granted.functions} functions."
        )

    def _migrate(self) -> None:
        """Migrate without the time limits of the runtime: an index may take its hours."""
        owner = connections["default"]
        owner.close()
        owner.settings_dict["OPTIONS"]["options"] = "-c lock_timeout=60000"
        call_command("migrate", interactive=False, verbosity=0)
        self._say("Migrated to the newest tables.")

    def _logins(self, url: str) -> list[Login]:
        return [login(role, _url_or_none(role), database_name(url)) for role in RUNTIME_ROLES]

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)


def _number_first(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        number_first(connection, timezone.now())


def _url_or_none(role: str) -> str | None:
    try:
        return database_url(role)
    except KeyError:
        return None
