"""What the faults left unknown, settled by the SMSC's own records at the end."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import override_settings

from campaigns.rules.call_records import Reason, Stated
from smpp_client.models import Connection
from tests.campaigns.sending.records import bring_ledger
from tests.chaos.invariants import Broken, Checker
from tests.chaos.stage import Stage, fresh_connections

# A record is of its attempt within so many seconds. What a broken link held back arrived later, so
# whoever has records looks strictly first, and wider for what is left.
TOLERANCES = (2, 15)
REASONS = "SELECT reason, count(*) FROM call_record GROUP BY reason ORDER BY reason"
# The SMSC wrote one ledger for all connections. The records of one are its own, and those that are
# not known to be of another one.
OTHERS = "SELECT smsc_id FROM submission WHERE connection_id <> %s AND smsc_id <> ''"
LAST = """
SELECT greatest((SELECT max(happened_at) FROM submission), (SELECT max(opened_at) FROM batch))
"""
# What is unknown after the last import for its connection, and why: the reasons of the records of
# that person near it which are not surely another attempt's. Where there is none of these, records
# that are complete tell it: it was accepted, or never there.
LEFT = """
SELECT s.campaign_id, s.position, s.part, s.connection_id, s.cause, array(
    SELECT DISTINCT r.reason::text
    FROM call_record_import i JOIN call_record r ON r.records_id = i.id
    WHERE i.id = (SELECT max(id) FROM call_record_import WHERE connection_id = s.connection_id)
      AND r.fingerprint = m.fingerprint AND r.reason = ANY (%s)
      AND r.at BETWEEN b.opened_at - i.tolerance_seconds * interval '1 second'
          AND greatest(s.happened_at, b.opened_at) + i.tolerance_seconds * interval '1 second'
    ORDER BY 1)
FROM submission s
JOIN batch b ON b.opened_on = s.batch_on AND b.id = s.batch_id
JOIN message m ON m.campaign_id = s.campaign_id AND m.position = s.position
WHERE s.kind = 'unknown'
ORDER BY s.campaign_id, s.position, s.part
"""
AMBIGUOUS = [Reason.NO_MATCH, Reason.FEWER, Reason.MORE, Reason.OPEN]


def settled_by_records(stage: Stage) -> str:
    """Import the simulator's ledger for each connection and say what it settled, and what is left
    because the records do not tell it apart; raises Broken when something else is left, or the
    counts do not follow.
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
    left = what_is_left(stage.checker)
    return (
        f"call records settled {before - _unknown(stage)} of {before} unknown messages in"
        f" {time.monotonic() - began:.0f} s: {accepted} segments were accepted, {absent} never"
        f" there; of the records {stage.checker.rows(REASONS)}; left {left}"
    )


def what_is_left(checker: Checker) -> list[Any]:
    """Return the attempts that are unknown still, each with the reasons of the records near it;
    raises Broken when one has none.
    """
    left = checker.rows(LEFT, [AMBIGUOUS])
    untold = [row for row in left if not row[-1]]
    if untold:
        raise Broken(f"complete call records left unknown without a reason: {untold[:5]}")
    return left


def _import(stage: Stage, tolerance: int) -> tuple[int, int]:
    since = datetime.fromtimestamp(stage.ledger.at[0], UTC) - timedelta(minutes=1)
    until = _last_attempt(stage) + timedelta(seconds=tolerance)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    accepted = absent = 0
    with override_settings(UPLOAD_DIR=stage.folder / "uploads"):
        for connection in Connection.objects.filter(route_connections__route=stage.route):
            done = bring_ledger(
                stage.author,
                _records_of(stage, connection),
                connection,
                Stated(since, until),
                tolerance_seconds=tolerance,
            )
            accepted, absent = accepted + done.accepted_count, absent + done.absent_count
    return accepted, absent


def _records_of(stage: Stage, connection: Connection) -> Path:
    """Write the records of a connection into a file."""
    others = {smsc_id for (smsc_id,) in stage.checker.rows(OTHERS, [connection.pk])}
    path = stage.folder / f"records-{connection.pk}.tsv"
    with stage.simulator.ledger.open() as ledger, path.open("w") as file:
        file.writelines(line for line in ledger if line.split("\t", 2)[1] not in others)
    return path


def _unknown(stage: Stage) -> int:
    return int(stage.checker.rows("SELECT coalesce(sum(unknown), 0) FROM progress")[0][0])


def _last_attempt(stage: Stage) -> datetime:
    found: datetime = stage.checker.rows(LAST)[0][0]
    return found.astimezone(UTC)
