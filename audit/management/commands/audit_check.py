"""`manage.py audit_check`: what runs every night, now.

Triggers, functions, grants and constraints of the log; every entry hashed again; the chains
against where they stood at the last check; the epochs against the signed checkpoints. Exit 0 all
is well, 1 broken, 2 a person must judge a warning.
"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.actions.checking import check_log
from audit.queries.outside import BadHeld


class Command(BaseCommand):
    """Prints what was found and records it in the system chain."""

    help = "Checks the audit log's guards and chains, as every night. Runs as the runtime role."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = check_log(now=timezone.now())
        except BadHeld as refusal:
            raise CommandError(str(refusal)) from refusal
        for finding in report.findings:
            word = "Warning" if finding.is_warning else "BROKEN"
            self.stdout.write(f"{word} {finding.code}: {finding.sentence}")
        self.stdout.write(
            f"{len(report.chains):,} chains, {report.entry_count:,} entries, "
            f"{report.epoch_count:,} epochs: {_VERDICT[report.exit_code]}"
        )
        sys.exit(report.exit_code)


_VERDICT = {
    0: "the audit log and its guards are as they were.",
    1: "the audit log is BROKEN.",
    2: "whole; see the warnings.",
}
