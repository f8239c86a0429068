"""Everything on one machine with sample data: PostgreSQL, Valkey, an SMSC simulator and the
product.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from message_center.stack.demo import DemoRefused, run_demo, wish_from


class Command(BaseCommand):
    """`manage.py demo`, which is what `make demo` runs."""

    help = "Starts the whole product with sample data and stays until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the pages")
        parser.add_argument("--data", default=".data", help="folder for everything that is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run_demo(wish_from(options["data"], options["port"]), self._say)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
