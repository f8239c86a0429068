"""manage.py carriers: which carriers are installed, and which connections use them."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from smpp_client.carrier.adapters import BUILT_IN, GROUP
from smpp_client.queries.carriers import Installed, installed_carriers
from smpp_client.queries.connections import Sight, sights


class Command(BaseCommand):
    """Lists carriers by entry point. Nothing of theirs is loaded for it."""

    help = "List the carriers that are installed, with their versions and connections."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write a line for each carrier, and one for each connection below it."""
        carriers, seen = installed_carriers(), sights(timezone.now())
        for one in carriers:
            self.stdout.write(_line(one))
            for sight in seen:
                if sight.connection.carrier == one.name:
                    self.stdout.write(_connection_line(sight))
        known = {one.name for one in carriers}
        for sight in seen:
            if sight.connection.carrier not in known:
                self.stdout.write(f"{sight.connection.carrier:<20} not installed")
                self.stdout.write(_connection_line(sight))
        if known == {BUILT_IN}:
            self.stdout.write(f"Others come as packages with the entry point group {GROUP}.")


def _line(one: Installed) -> str:
    origin = f"{one.package} {one.version}".strip()
    state = one.trouble or "installed"
    return f"{one.name:<20} {origin:<28} {state:<12} {one.target}"


def _connection_line(sight: Sight) -> str:
    words = sight.observed.value.replace("_", " ")
    return f"  {sight.connection.name:<18} {words:<12} {sight.sentence}".rstrip()
