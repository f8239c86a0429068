"""`manage.py confirm_restore`: lets the senders go on with a database restored from a backup."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.actions.restoring import ask_restore, confirm_restore
from campaigns.queries.doubtful import doubtful, gap, undecided
from workspaces.actions.epoch_file import EpochFile
from workspaces.actions.sign_in import recognise
from workspaces.models import Installation, User
from workspaces.rules.epochs import BadEpoch, Choice, Epoch
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope_everywhere

NOWHERE = "127.0.0.1"


class Command(BaseCommand):
    """Run by two super admins one after the other: the first asks, the second confirms.

    Without --choice it shows what may have been sent and what was asked for.
    """

    help = "Decides, by two super admins, how to go on after a restore from a backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--choice",
            choices=[choice.value for choice in Choice],
            help="ask: unknown marks what can have been sent since the backup, all-unknown"
            " everything that waits, go-on sends it",
        )
        parser.add_argument("--why", default="", help="the reason, for the audit log")
        parser.add_argument("--confirm", action="store_true", help="confirm what was asked for")
        parser.add_argument("--email", default="", help="your account; asked for when missing")

    def handle(self, *args: Any, **options: Any) -> None:
        file = EpochFile(settings.EPOCH_FILE)
        with scope_everywhere("a restore concerns all workspaces"):
            try:
                self._show(file)
                if options["choice"]:
                    choice = Choice(options["choice"])
                    by = self._person(options["email"])
                    ask_restore(by=by, choice=choice, why=options["why"], now=timezone.now())
                    self.stdout.write("Asked. Another super admin confirms it with --confirm.")
                elif options["confirm"]:
                    by = self._person(options["email"])
                    done = confirm_restore(by=by, file=file, now=timezone.now())
                    self.stdout.write(
                        f"Confirmed ({done.choice}): {done.unknown_count:,} messages are unknown."
                        " The senders go on."
                    )
            except (Refusal, OSError) as refusal:
                raise CommandError(str(refusal)) from refusal

    def _person(self, email: str) -> User:
        email = email or input("E-mail: ")
        password = getpass("Password: ")
        return recognise(email=email, password=password, address=NOWHERE, now=timezone.now())

    def _show(self, file: EpochFile) -> None:
        """Say what is in doubt, campaign by campaign."""
        installation = Installation.objects.select_related("restore_asked_by").get(id=1)
        if not installation.doubt:
            self.stdout.write("There is no doubt about this database.")
            return
        kept = self._kept(file)
        beside = f"the file says {kept.number}" if kept else "there is no file to compare with"
        self.stdout.write(
            f"In doubt since {installation.doubted_at:%Y-%m-%d %H:%M:%S} UTC"
            f" ({installation.doubt}): the database is in epoch {installation.epoch}, {beside}."
        )
        lasted = gap(installation, kept, timezone.now())
        if lasted is not None:
            self.stdout.write(f"It can have been sending for {lasted.total_seconds():,.0f} s more.")
        for row in doubtful(installation, kept, timezone.now()):
            self.stdout.write(
                f"  {row.workspace}, campaign {row.number} ({row.name}): of {row.waiting:,}"
                f" messages at most {row.most:,} can have been sent, {row.queued:,} are queued."
            )
        for one in undecided():
            self.stdout.write(
                f"  {one.workspace}, campaign {one.number} ({one.name}) waited for its approval at"
                " the backup. Whether it has been approved and sent since, only people and the"
                " SMSC's records know: ask before anybody approves it again."
            )
        if installation.restore_asked_by:
            self.stdout.write(
                f"{installation.restore_asked_by.email} asked for {installation.restore_choice}:"
                f" {installation.restore_why}"
            )

    def _kept(self, file: EpochFile) -> Epoch | None:
        try:
            return file.read()
        except BadEpoch:
            return None
