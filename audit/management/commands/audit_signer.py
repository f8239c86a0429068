"""`manage.py audit_signer`: recomputes the log as it grows and signs its checkpoints.

With `--rotate` it replaces the signing key instead and ends, with `--key-lost` also when the key is
gone; the signer must be stopped for that.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions.lost_key import replace_lost
from audit.actions.rotate_key import rotate
from audit.actions.secret_file import BadSecret, site_secret
from audit.actions.sign import Folder, Refused, Signer, start
from audit.actions.signing_key import BadKey, KeyFiles, show_verifier_keys
from audit.management.stopping import Stop, connect, keep_working
from audit.rules.reasons import SHORTEST_REASON

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
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="replace the signing key and end; stop the signer first",
        )
        parser.add_argument(
            "--overlap-days",
            type=int,
            default=30,
            help="how long the key before signs too (30; 0 when it was stolen)",
        )

        parser.add_argument(
            "--key-lost",
            metavar="WHY",
            help="go on with a new key although the present one is gone, and end; WHY is published",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            folder = Folder(Path(settings.AUDIT_STATE_DIR))
            files = KeyFiles(Path(settings.AUDIT_KEY_FILE))
            if options["rotate"]:
                self._rotate(folder, files, timedelta(days=options["overlap_days"]))
            elif options["key_lost"] is not None:
                self._go_on(folder, files, options["key_lost"], trusts=options["trust_database"])
            else:
                _follow(folder, files, trusts=options["trust_database"])
        except (BadKey, BadSecret) as refusal:
            raise CommandError(str(refusal)) from refusal
        except Refused as refusal:
            log.critical("The signer refuses: %s", refusal)
            raise CommandError(f"The signer refuses: {refusal}", returncode=REFUSED) from refusal

    def _rotate(self, folder: Folder, files: KeyFiles, overlap: timedelta) -> None:
        added = rotate(folder, files, overlap=overlap, now=datetime.now(UTC))
        self.stdout.write(
            f"The key from epoch {added.first_epoch} on, to publish where readers find the present "
            f"one:\n{added.key}\nBoth keys have signed {folder.path}/rotation-{added.first_epoch}"
            ".note. Start the signer again, and keep a copy of the new key's file apart."
        )

    def _go_on(self, folder: Folder, files: KeyFiles, why: str, *, trusts: bool) -> None:
        if len(why.strip()) < SHORTEST_REASON:
            raise CommandError("Say in a sentence why the key is gone: readers will see it.")
        connection, now = connect(), datetime.now(UTC)
        added = replace_lost(connection, folder, files, why=why, now=now, trusts_database=trusts)
        self.stdout.write(
            f"The key from epoch {added.first_epoch} on, to publish where readers find the lost "
            f"one:\n{added.key}\nIt alone has signed {folder.path}/lost-{added.first_epoch}.note, "
            "so tell them by another way too. Start the signer again, and keep a copy of the new "
            "key's file apart."
        )


def _follow(folder: Folder, files: KeyFiles, *, trusts: bool) -> None:
    stop = Stop()
    # Where something was signed already, a new key would end the line of checkpoints unsaid.
    privates = files.load(may_create=folder.memory() is None and not trusts)
    if files.are_readable_by_others():
        log.warning("Others than its owner may read the signing key %s.", files.path)
    secret = _secret(Path(settings.AUDIT_NONCE_FILE), stop)
    if secret is None:
        return
    keep_working(_Work(folder, files, privates, secret, stop, trusts=trusts), stop, log)


def _secret(path: Path, stop: Stop) -> bytes | None:
    """Return the site's secret as soon as it is here, None when asked to stop before.

    The signer makes none: one of its own would only contradict what the sequencer fixes.
    """
    if not path.exists():
        log.warning("The secret %s is not here yet; the sequencer makes it.", path)
    while not path.exists():
        if stop.is_asked:
            return None
        stop.wait(PAUSE_SECONDS)
    return site_secret(path)


class _Work:
    """What the signer does on one connection."""

    def __init__(
        self,
        folder: Folder,
        files: KeyFiles,
        privates: Sequence[Ed25519PrivateKey],
        secret: bytes,
        stop: Stop,
        *,
        trusts: bool,
    ) -> None:
        self._folder = folder
        self._files = files
        self._privates = privates
        self._secret = secret
        self._stop = stop
        self._trusts = trusts

    def __call__(self, connection: "psycopg.Connection[Any]") -> None:
        signer = None
        while not self._stop.is_asked:
            now = datetime.now(UTC)
            signer = signer or self._start(connection, now)
            if signer is not None:
                self._step(signer, now)
            self._stop.wait(PAUSE_SECONDS)

    def _start(self, connection: "psycopg.Connection[Any]", now: datetime) -> Signer | None:
        signer = start(
            connection,
            folder=self._folder,
            privates=self._privates,
            domain=settings.AUDIT_ORIGIN_DOMAIN,
            secret=self._secret,
            now=now,
            trusts_database=self._trusts,
        )
        if signer is not None:
            self._files.arrange(signer.present)
            show_verifier_keys(self._files.path, signer.verifier_keys)
            log.info("The signer is running as %s.", signer.verifier_keys.splitlines()[0])
        return signer

    def _step(self, signer: Signer, now: datetime) -> None:
        fixed = signer.step(now=now)
        for one in fixed:
            log.info("Signed the checkpoint of epoch %d.", one.epoch.number)
        if fixed and signer.signs_alone and self._files.drop_old():
            log.info("The key before the present one has signed for the last time; it is gone.")
