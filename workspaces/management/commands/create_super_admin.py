"""The first super admin of an installation, and the way back in when nobody else can help."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.rules.events import Actor
from workspaces.actions.mail import password_link
from workspaces.actions.users import create_user
from workspaces.rules.refusal import Refusal


class Command(BaseCommand):
    """`manage.py create_super_admin --email --name`. Nobody but the owner sets the password."""

    help = "Creates a super admin and prints a link, good for an hour, to set the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = create_user(
                email=options["email"],
                name=options["name"],
                by_actor=Actor(kind="system", id="create_super_admin"),
                now=timezone.now(),
                is_super_admin=True,
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(password_link(user))
