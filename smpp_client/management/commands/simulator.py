"""An SMSC for the demo and the tests: needs certificates (or --plain), no database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smpp_client.simulator.command import add_arguments, config_from, run


class Command(BaseCommand):
    """Run the simulator in the foreground until SIGTERM or SIGINT."""

    help = "Run an SMSC simulator; it prints 'ready PORT' when it listens."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *_words: str, **options: Any) -> None:
        try:
            run(config_from(options))
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
