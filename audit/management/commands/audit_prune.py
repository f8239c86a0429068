"""`manage.py audit_prune WORKSPACE --before DAY --why WORDS`: removes what old entries said.

Runs as the owner: no role of the running product may. The chain still verifies, and an entry says
up to which number entries were removed, by whom and why.
"""

import getpass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions.prune import PruneRefused, prune
from audit.rules.events import Actor


class Command(BaseCommand):
    """Says how many entries were removed."""

    help = "Removes entries of a chain whose term is over. Runs as the owner."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID, help="UUID of the chain's workspace")
        parser.add_argument("--before", type=datetime.fromisoformat, required=True, help="a day")
        parser.add_argument("--why", required=True, help="which term is over; stays in the log")

    def handle(self, *args: Any, **options: Any) -> None:
        before: datetime = options["before"]
        try:
            count = prune(
                workspace=options["workspace"],
                before=before if before.tzinfo else before.replace(tzinfo=UTC),
                actor=Actor("system", f"login:{getpass.getuser()}"),
                why=options["why"],
                now=datetime.now(UTC),
            )
        except PruneRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{count:,} entries were removed; the chain still verifies.")
