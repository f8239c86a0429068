"""`manage.py audit_fallback status|ingest`: the files that are written while the database is away.

`status` needs no database. Exit 0 when nothing waits, 2 when something does, 1 for an alarm: a
record that could be written nowhere, a cap that is reached, a file that was refused or that nobody
takes, a folder that cannot be written.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit.actions.fallback import fallback
from audit.actions.fallback_sweep import catch_up
from audit.queries.fallback import State, look
from audit.queries.fallback_findings import Tone, document, problems, tone_of

EXIT = {Tone.OK: 0, Tone.WARN: 2, Tone.BAD: 1}


class Command(BaseCommand):
    """Prints the state of this machine's fallback files, or takes them into the log."""

    help = "Shows the fallback files of this machine, or takes them into the audit log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["status", "ingest"])
        parser.add_argument("--json", action="store_true", help="print it for a program")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "ingest":
            self._ingest()
        state = look(Path(settings.AUDIT_FALLBACK_DIR), settings.AUDIT_FALLBACK_MAX_BYTES)
        if options["json"]:
            self.stdout.write(json.dumps(document(state), indent=2))
        else:
            self._say(state)
        sys.exit(EXIT[tone_of(state)])

    def _ingest(self) -> None:
        try:
            done = catch_up(fallback(), datetime.now(UTC))
        except (DatabaseError, OSError) as failure:
            raise CommandError(f"Nothing was taken: {str(failure).strip()}") from failure
        for one in done:
            said = f"refused: {one.refused}" if one.refused else f"{one.line_count} entries taken"
            self.stdout.write(f"{one.name}: {said}")

    def _say(self, state: State) -> None:
        write = self.stdout.write
        for file in state.files:
            lines = "damaged" if file.line_count is None else f"{file.line_count} lines"
            write(f"{file.room}: {file.name}, {file.size:,} bytes, {lines}, head {file.head}")
        write(
            f"{state.path}: {state.used_bytes:,} of {state.most_bytes:,} bytes wait, "
            f"{state.kept_count} files are kept."
        )
        for problem in problems(state):
            write(problem)
