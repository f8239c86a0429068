"""The desk of an installation whose database may be restored from a backup one day.

Before it claims on a connection of the database that it does not know yet, it compares the
database with the epoch file and with the last batch it knows of. While it claims, it advances the
epoch every second: the database first, then the file (workspaces/rules/epochs.py).
"""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog
from django.utils.translation import gettext as _

from campaigns.actions.sending.desk import CampaignDesk
from smpp_client.carrier import LeaseKey, Room, Work
from workspaces.actions.epoch_file import EpochFile
from workspaces.rules.epochs import BadEpoch, Doubt, Epoch, doubt_about

ADVANCE_SECONDS = 1.0
TELL_SECONDS = 5.0
NOTHING = Work((), "")
DOUBTFUL = _(
    "Nothing is sent: the database seems to be restored from a backup. Two people have to decide"
    " what becomes of what may have been sent since: manage.py confirm_restore."
)
NO_FILE = _("Nothing is sent: the epoch file cannot be written.")

STATE = "SELECT uuid, epoch, doubt FROM installation WHERE id = 1"
ADVANCE = (
    "UPDATE installation SET epoch = epoch + 1, epoch_at = clock_timestamp()"
    " WHERE id = 1 AND doubt = '' RETURNING uuid, epoch, epoch_at"
)
# Only of the epoch that was compared: one that has moved was advanced by another sender, before it
# wrote the file, or by two people who confirmed.
DOUBT = (
    "UPDATE installation SET doubt = %s, doubted_at = clock_timestamp()"
    " WHERE id = 1 AND doubt = '' AND epoch = %s RETURNING id"
)
TELL = (
    "UPDATE progress p SET reason = %s, reason_at = %s FROM campaign c"
    " WHERE c.id = p.campaign_id AND c.state = 'sending'"
)
BATCH = "SELECT 1 FROM batch WHERE id = %s"

log = structlog.get_logger(__name__)


class GuardedDesk(CampaignDesk):
    """A desk that claims nothing while the database is in doubt."""

    def __init__(self, file: EpochFile) -> None:
        super().__init__()
        self._file = file
        self._known: psycopg.Connection[Any] | None = None
        self._least = 0
        self._last_batch = 0
        self._advanced_at = float("-inf")
        self._told_at = float("-inf")

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Claim as the desk does, or nothing while there is a doubt. Raises Fenced."""
        with self._claim_lock:
            if not self._may_claim(now):
                return NOTHING
        work = super().claim(lease, room=room, now=now)
        if work.segments:
            with self._claim_lock:
                newest = max(segment.key.batch_id for segment in work.segments)
                self._last_batch = max(self._last_batch, newest)
                self._advance_in_time()
        return work

    def _may_claim(self, now: datetime) -> bool:
        try:
            return self._is_believed(now)
        except (OSError, BadEpoch) as error:
            log.error("epoch_file", error=str(error))
            self._tell(NO_FILE, now)
            return False

    def _is_believed(self, now: datetime) -> bool:
        """Look closely at a connection that is new: a restored database has only such."""
        link = self._claims.open
        if link is self._known:
            return True
        self._known = None
        installation, number, recorded = self._claims.rows(STATE)[0]
        if not recorded:
            doubt = self._doubt(installation, number)
            if doubt is None:
                self._known = link if self._advance() else None
                return self._known is not None
            if not self._claims.rows(DOUBT, [doubt.value, number]):
                return False  # looked at again with the next claim
            log.error("database_in_doubt", doubt=doubt.value)
        # The doubt is on record now and outlives this process; who confirms it settles these too.
        self._least = self._last_batch = 0
        self._tell(DOUBTFUL, now)
        return False

    def _doubt(self, installation: UUID, number: int) -> Doubt | None:
        try:
            kept = self._file.read()
        except BadEpoch:
            return Doubt.FILE_UNREADABLE
        found = doubt_about(installation, number, kept)
        if found is None and kept is None:
            # The file comes first this once: without it any later epoch is a doubt.
            self._file.raise_to(Epoch(installation, number, datetime.now(UTC)))
        return found or self._doubt_by_memory(number)

    def _doubt_by_memory(self, number: int) -> Doubt | None:
        """Compare with what this process itself has seen committed."""
        if number < self._least:
            return Doubt.BEHIND
        is_gone = self._last_batch and not self._claims.rows(BATCH, [self._last_batch])
        return Doubt.CLAIM_MISSING if is_gone else None

    def _advance(self) -> bool:
        """Raise the epoch in the database, then in the file; False when a doubt came up."""
        rows = self._claims.rows(ADVANCE)
        if not rows:
            return False
        epoch = Epoch(*rows[0])
        self._least = epoch.number
        self._file.raise_to(epoch)
        self._advanced_at = time.monotonic()
        return True

    def _advance_in_time(self) -> None:
        """Advance once a second, before the segments at hand are written.

        What cannot be done now is done before the next claim.
        """
        if time.monotonic() - self._advanced_at < ADVANCE_SECONDS:
            return
        is_advanced = False
        try:
            is_advanced = self._advance()
        except (psycopg.Error, OSError, BadEpoch) as error:
            log.warning("epoch_not_advanced", error=str(error))
        if not is_advanced:
            self._known = None

    def _tell(self, sentence: str, now: datetime) -> None:
        """Show the reason at every campaign that would send, every few seconds."""
        if time.monotonic() - self._told_at < TELL_SECONDS:
            return
        self._claims.run(TELL, [sentence[:300], now])
        self._told_at = time.monotonic()
