"""`manage.py declare_gap --held FILE --why WORDS`: says in every chain that a part of it is lost.

After a backup or a replica was restored: FILE is the newest checkpoint that anybody has, usually
the signer's `held.note`. docs/attacks.md says what to do before and after.
"""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions.gaps import GapRefused, declare_gap
from audit.rules.events import Actor
from audit.rules.notes import BadNote, read_key


class Command(BaseCommand):
    """Says what was declared. Refuses when nothing is missing."""

    help = "Records in every chain that newer entries are lost. Runs as the runtime role."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--held", type=Path, required=True, help="a signed checkpoint newer than this database"
        )
        parser.add_argument("--why", required=True, help="what happened; stands in every chain")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a verifier key of the log that the restored database does not name yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            gap = declare_gap(
                note=options["held"].read_text(encoding="utf-8"),
                keys=[read_key(text) for text in options["key"]],
                actor=Actor("system", f"login:{getpass.getuser()}"),
                why=options["why"],
                now=datetime.now(UTC),
            )
        except (GapRefused, BadNote, OSError, UnicodeDecodeError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Declared in {gap.chain_count:,} chains: {gap.signed:,} epochs were signed,"
            f" {gap.present:,} are here, the last that can be common to both of"
            f" {gap.since or 'never'}."
        )
