"""What the faults left unknown, settled by the SMSC's own records at the end."""

import time
from datetime import UTC, datetime, timedelta

from django.test import override_settings

from campaigns.rules.call_records import Stated
from smpp_client.models import Connection
from tests.campaigns.sending.records import bring_ledger
from tests.chaos.invariants import Broken
from tests.chaos.stage import Stage, fresh_connections

# A record is of its attempt within so many seconds, and must be past by as many.
TOLERANCE = timedelta(seconds=2)


def settled_by_records(stage: Stage) -> str:
    """Import the simulator's ledger for each connection; raises Broken when anything is unknown
    afterwards or the counts do not follow.
    """
    fresh_connections()
    began, before = time.monotonic(), _unknown(stage)
    since = datetime.fromtimestamp(stage.ledger.at[0], UTC) - timedelta(minutes=1)
    until = _last_attempt(stage) + TOLERANCE
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    accepted = absent = 0
    with override_settings(UPLOAD_DIR=stage.folder / "uploads"):
        for connection in Connection.objects.filter(route_connections__route=stage.route):
            done = bring_ledger(
                stage.author, stage.simulator.ledger, connection, Stated(since, until)
            )
            accepted, absent = accepted + done.accepted_count, absent + done.absent_count
    if left := _unknown(stage):
        raise Broken(f"{left} of {before} unknown messages are unknown to the call records too")
    stage.checker.counted(stage.campaign_ids)
    stage.checker.nothing_lost()
    return (
        f"call records settled all {before} unknown messages in {time.monotonic() - began:.0f} s:"
        f" {accepted} segments were accepted, {absent} never there"
    )


def _unknown(stage: Stage) -> int:
    return int(stage.checker.rows("SELECT coalesce(sum(unknown), 0) FROM progress")[0][0])


def _last_attempt(stage: Stage) -> datetime:
    found: datetime = stage.checker.rows("SELECT max(happened_at) FROM submission")[0][0]
    return found.astimezone(UTC)
