"""`manage.py erase_number WORKSPACE --basis WORDS [--confirm CODE]`: erases a subscriber's number.

The number is read from the standard input, so that no list of commands or processes holds it.
Without --confirm it counts what would go and prints a code; the second run, with the code, does it.
"""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.rules.events import Actor
from campaigns.actions.erasing import clear_number, erase_number
from campaigns.queries.holding import Held, code_of, held
from workspaces.models import Workspace
from workspaces.queries.access import workspace_by_slug
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope


class Command(BaseCommand):
    """Looks first, and erases what was looked at."""

    help = "Erases one subscriber's number from a workspace, in two steps."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="its short name")
        parser.add_argument("--basis", required=True, help="the legal ground; stands in the log")
        parser.add_argument("--confirm", default="", metavar="CODE", help="what the look printed")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_by_slug(options["workspace"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        try:
            number = clear_number(input("Number, with + and country code: "))
            with scope(workspace):
                if options["confirm"]:
                    self._erase(workspace, number, options)
                else:
                    self._look(workspace, number)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _look(self, workspace: Workspace, number: str) -> None:
        found = held(workspace, number)
        self.stdout.write(f"{workspace.name} holds this number in {_words(found)}.")
        if found.total:
            code = code_of(workspace, number, found)
            self.stdout.write(f"Nothing was erased. To erase it for good: --confirm {code}")

    def _erase(self, workspace: Workspace, number: str, options: dict[str, Any]) -> None:
        done = erase_number(
            workspace=workspace,
            number=number,
            code=options["confirm"],
            actor=Actor("system", f"login:{getpass.getuser()}"),
            basis=options["basis"],
            now=timezone.now(),
        )
        self.stdout.write(f"Erased from {_words(done.held)}.")
        self.stdout.write(f"Salt of the commitment in the log, kept nowhere here: {done.salt}")
        left = held(workspace, number)
        if left.total:
            self.stdout.write(f"Still held in {_words(left)}: run it again in a minute.")


def _words(found: Held) -> str:
    return (
        f"{found.recipients:,} rows of audiences, {found.faulty_rows:,} faulty rows,"
        f" {found.opt_outs:,} opt-outs,"
        f" {found.replies:,} replies and {found.entries:,} values of the audit log"
    )
