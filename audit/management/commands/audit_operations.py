"""`manage.py audit_operations`: writes docs/OPERATIONS.md anew; `--json` prints schema/ops.json."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from audit.rules.canonical import encode
from audit.rules.dictionary import dictionary, page


class Command(BaseCommand):
    """Publishes the dictionary of operations."""

    help = "Writes the published dictionary of operations and fields."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print it in canonical JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(encode(dictionary()).decode())
            return
        target = Path(settings.BASE_DIR) / "docs" / "OPERATIONS.md"
        target.write_text(page(), encoding="utf-8")
        self.stdout.write(f"Wrote {target}.")
