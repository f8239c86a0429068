"""`manage.py audit_anchors [--now]`: lists the anchors and what each has given."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from audit.actions.anchors.installed import installed
from audit.actions.anchors.sending import due, send_newest
from audit.queries.anchors import AnchorState, anchor_states


class Command(BaseCommand):
    """Exit 0 when every anchor has given its receipt in time, 2 when a person must look."""

    help = "Lists where checkpoints go outside of this machine, and how long ago the last went."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--now", action="store_true", help="hand the newest checkpoint to those that wait"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, anchors = timezone.now(), installed()
        if options["now"]:
            waiting = due(anchors, now=now)
            for one in anchors:
                if one.expected.name in waiting:
                    send_newest(one, now=now)
        states = anchor_states([one.expected for one in anchors], now=now)
        for state in states:
            self.stdout.write(_line(state))
        if not states:
            self.stdout.write("No checkpoint leaves this machine: no anchor is set up.")
        if not states or any(state.is_alarming for state in states):
            raise SystemExit(2)


def _line(state: AnchorState) -> str:
    if state.last_at is None:
        said = "no receipt yet"
    else:
        said = f"epoch {state.epoch:,}, {state.last_at:%Y-%m-%d %H:%M:%S} UTC"
    if state.failure:
        said += f"; {state.failure}"
    word = "REFUSED" if state.is_refused else "LATE" if state.is_late else "ok"
    return f"{state.name} ({state.kind}): {word}, {said}"
