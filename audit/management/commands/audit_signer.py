"""`manage.py audit_signer`: recomputes the log as it grows and signs its checkpoints."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions.secret_file import BadSecret, site_secret
from audit.actions.sign import Folder, Refused, start
from audit.actions.signing_key import BadKey, is_readable_by_others, show_verifier_key, signing_key
from audit.management.stopping import Stop, keep_working

log = logging.getLogger("audit.signer")

PAUSE_SECONDS = 1.0
REFUSED = 3


class Command(BaseCommand):
    """Runs until SIGTERM; leaves with 3 when the log is not the one that it signed."""

    help = "Recomputes the audit log as it grows and signs checkpoints. Runs as the role `signer`."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--trust-database",
            action="store_true",
            help="begin anew although the database holds signed checkpoints already",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Stop()
        try:
            folder = Folder(Path(settings.AUDIT_STATE_DIR))
            private = _key(Path(settings.AUDIT_KEY_FILE), may_create=folder.memory() is None)
            secret = site_secret(Path(settings.AUDIT_NONCE_FILE))
            work = _Work(folder, private, secret, stop, trusts=options["trust_database"])
            keep_working(work, stop, log)
        except (BadKey, BadSecret) as refusal:
            raise CommandError(str(refusal)) from refusal
        except Refused as refusal:
            log.critical("The signer refuses: %s", refusal)
            raise CommandError(f"The signer refuses: {refusal}", returncode=REFUSED) from refusal


class _Work:
    """What the signer does on one connection."""

    def __init__(
        self, folder: Folder, private: Ed25519PrivateKey, secret: bytes, stop: Stop, *, trusts: bool
    ) -> None:
        self._folder = folder
        self._private = private
        self._secret = secret
        self._stop = stop
        self._trusts = trusts

    def __call__(self, connection: "psycopg.Connection[Any]") -> None:
        signer = None
        while not self._stop.is_asked:
            now = datetime.now(UTC)
            if signer is None:
                signer = start(
                    connection,
                    folder=self._folder,
                    private=self._private,
                    domain=settings.AUDIT_ORIGIN_DOMAIN,
                    secret=self._secret,
                    now=now,
                    trusts_database=self._trusts,
                )
                if signer is not None:
                    show_verifier_key(Path(settings.AUDIT_KEY_FILE), signer.key)
                    log.info("The signer is running as %s.", signer.key)
            if signer is not None:
                for fixed in signer.step(now=now):
                    log.info("Signed the checkpoint of epoch %d.", fixed.epoch.number)
            self._stop.wait(PAUSE_SECONDS)


def _key(path: Path, *, may_create: bool) -> Ed25519PrivateKey:
    private = signing_key(path, may_create=may_create)
    if is_readable_by_others(path):
        log.warning("Others than its owner may read the signing key %s.", path)
    return private
