"""Receipts, made durable before they are answered, and applied at once or a little later."""

import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from django.conf import settings

from campaigns.actions.sending.literals import numbers, octets, times, truths, words
from smpp_client.carrier import Receipt
from smpp_client.engine.link import Link
from workspaces.queries.keys import keys

TAKE_RECEIPTS = (
    "SELECT take_receipts(%s, %s::text[], %s::text[], %s::text[], %s::integer[], %s::bytea[],"
    " %s::timestamptz[], %s::bytea[], %s::text[], %s::boolean[], %s)"
)
# Errors of a statement that could still do its first half: no lock in time, a deadlock, too slow,
# counters that do not fit.
NOT_APPLIED = ("23", "40", "55", "57014")
RECEIPTS_A_TIME, FEWEST_RECEIPTS = 2_000, 30
SENDER_LENGTH = 21

log = structlog.get_logger(__name__)


class Receipts:
    """Stores over one connection and applies over another, so that neither waits for the other."""

    def __init__(self) -> None:
        self._link = Link()
        self._applying = Link()
        self._lock = threading.Lock()
        self._apply_lock = threading.Lock()
        self._receipts_a_time = RECEIPTS_A_TIME

    def receive(self, connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Make receipts durable and apply what is plain about them, in one transaction; return how
        many wait for `tidy`.

        What keeps them from being applied does not keep them from being stored. The subscriber is
        kept as a fingerprint.
        """
        values = _receipt_values(connection_id, receipts)
        with self._lock:
            try:
                rows = self._link.rows(TAKE_RECEIPTS, [*values, True])
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith(NOT_APPLIED):
                    raise
                log.warning("receipts_only_stored", error=str(error))
                rows = self._link.rows(TAKE_RECEIPTS, [*values, False])
        return int(rows[0][0])

    def tidy(self) -> int:
        """Apply receipts that could not be applied as they came; return how many were looked at.

        Where they take longer than a statement may, fewer are taken: else the same ones would be
        begun again and again.
        """
        with self._apply_lock:
            values = [self._receipts_a_time, int(settings.RECEIPT_WAIT_HOURS)]
            try:
                rows = self._applying.rows("SELECT apply_receipts(%s, %s)", values)
            except psycopg.errors.QueryCanceled:
                self._receipts_a_time = max(FEWEST_RECEIPTS, self._receipts_a_time // 4)
                raise
            self._receipts_a_time = min(RECEIPTS_A_TIME, 2 * self._receipts_a_time)
        return int(rows[0][0])

    def close(self) -> None:
        """Close the connections."""
        self._link.close()
        self._applying.close()


def _receipt_values(connection_id: int, receipts: Sequence[Receipt]) -> list[Any]:
    fingerprint = keys().fingerprinter().fingerprint
    return [
        connection_id,
        words([receipt.smsc_id for receipt in receipts]),
        words([receipt.state for receipt in receipts]),
        words([receipt.error for receipt in receipts]),
        numbers([receipt.reference for receipt in receipts]),
        octets([receipt.raw for receipt in receipts]),
        times([receipt.received_at for receipt in receipts]),
        octets(
            [
                fingerprint(receipt.subscriber.lstrip("+")) if receipt.subscriber else None
                for receipt in receipts
            ]
        ),
        words([receipt.sender[:SENDER_LENGTH] for receipt in receipts]),
        truths([receipt.is_unmarked for receipt in receipts]),
    ]
