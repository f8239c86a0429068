"""The simulator's ledger as the call records of its SMSC: tab-separated, without a header."""

from pathlib import Path

from django.utils import timezone

from campaigns.actions.records import Mapped, start_import, take_records
from campaigns.actions.settling import step
from campaigns.models import CallRecordImport
from campaigns.rules.call_records import Stated
from campaigns.rules.layouts import Wish
from smpp_client.models import Connection
from workspaces.queries.me import Me

# Columns of the simulator's ledger (smpp_client/simulator/ledger.py).
COLUMNS = {"at": 0, "smsc_id": 1, "sender": 2, "number": 3, "reference": 11}


def bring_ledger(
    by: Me,
    ledger: Path,
    connection: Connection,
    stated: Stated | None = None,
    *,
    tolerance_seconds: int = 2,
) -> CallRecordImport:
    """Import the ledger as the call records of a connection, up to its end."""
    now = timezone.now()
    with ledger.open("rb") as file:
        taken = take_records(
            by=by, file=file, file_name="ledger.tsv", size_bytes=ledger.stat().st_size, now=now
        )
    mapped = Mapped(
        connection_id=connection.pk,
        columns=COLUMNS,
        country="",
        time_form="unix",
        zone="UTC",
        tolerance_seconds=tolerance_seconds,
        stated=stated,
        wish=Wish("\t", has_header=False),
    )
    start_import(by=by, records_id=taken.pk, mapped=mapped, now=now)
    while not step(taken.pk, timezone.now()).is_done:
        pass
    taken.refresh_from_db()
    return taken
