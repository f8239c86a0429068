"""What the faults left unknown, settled by the SMSC's own records at the end."""

import time
from datetime import UTC, datetime, timedelta

from django.test import override_settings

from campaigns.rules.call_records import Stated
from smpp_client.models import Connection
from tests.campaigns.sending.records import bring_ledger
from tests.chaos.stage import Stage, fresh_connections

# A record is of its attempt within so many seconds. What a broken link held back arrived later, so
# whoever has records looks strictly first, and wider for what is left.
TOLERANCES = (2, 15)
# With every attempt of the same message: why one is left shows in what became of the others.
LEFT = """
SELECT campaign_id, position, part, connection_id, kind, smsc_id, cause, happened_at
FROM submission
WHERE (campaign_id, position) IN
    (SELECT campaign_id, position FROM submission WHERE kind = 'unknown')
ORDER BY campaign_id, position, happened_at
"""
REASONS = "SELECT reason, count(*) FROM call_record GROUP BY reason ORDER BY reason"


def settled_by_records(stage: Stage) -> str:
    """Import the simulator's ledger for each connection and say what it settled, and what is left
    because the records do not tell it apart; raises Broken when the counts do not follow.
    """
    fresh_connections()
    began, before = time.monotonic(), _unknown(stage)
    accepted = absent = 0
    for tolerance in TOLERANCES:
        if _unknown(stage):
            found = _import(stage, tolerance)
            accepted, absent = accepted + found[0], absent + found[1]
    stage.checker.counted(stage.campaign_ids)
    stage.checker.nothing_lost()
    return (
        f"call records settled {before - _unknown(stage)} of {before} unknown messages in"
        f" {time.monotonic() - began:.0f} s: {accepted} segments were accepted, {absent} never"
        f" there; of the records {stage.checker.rows(REASONS)}; left {stage.checker.rows(LEFT)}"
    )


def _import(stage: Stage, tolerance: int) -> tuple[int, int]:
    since = datetime.fromtimestamp(stage.ledger.at[0], UTC) - timedelta(minutes=1)
    until = _last_attempt(stage) + timedelta(seconds=tolerance)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    accepted = absent = 0
    with override_settings(UPLOAD_DIR=stage.folder / "uploads"):
        for connection in Connection.objects.filter(route_connections__route=stage.route):
            done = bring_ledger(
                stage.author,
                stage.simulator.ledger,
                connection,
                Stated(since, until),
                tolerance_seconds=tolerance,
            )
            accepted, absent = accepted + done.accepted_count, absent + done.absent_count
    return accepted, absent


def _unknown(stage: Stage) -> int:
    return int(stage.checker.rows("SELECT coalesce(sum(unknown), 0) FROM progress")[0][0])


def _last_attempt(stage: Stage) -> datetime:
    found: datetime = stage.checker.rows("SELECT max(happened_at) FROM submission")[0][0]
    return found.astimezone(UTC)
