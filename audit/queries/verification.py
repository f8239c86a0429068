"""Verify the log in the database from the first entry on, and against what lies outside of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from audit.queries import chains
from audit.queries.chain_pass import ChainPass
from audit.queries.chains import Connection, StoredHead
from audit.queries.epoch_pass import EpochPass
from audit.rules.chain import Broken, Link
from audit.rules.findings import Outside, Report
from audit.rules.guards import ALWAYS, GUARDS

# The sequencer needs milliseconds; an event that waits so long waits for nobody.
PATIENCE = timedelta(minutes=2)


def verify(
    connection: Connection, *, workspace: UUID | None, outside: Outside, now: datetime
) -> Report:
    """Verify one workspace's chain, or all of them, as they are at one moment.

    The connection must see every workspace. The epochs are always verified, all of them.
    """
    report = Report()
    _name_what_is_missing(outside, report)
    with chains.snapshot(connection):
        _check_guards(connection, report)
        heads = chains.heads(connection)
        _check_slots(heads, outside, report)
        # Read first, for the times of entries; told last, since a chain says more of what happened.
        of_epochs = Report()
        epochs = EpochPass(heads, outside=outside, report=of_epochs, now=now)
        epochs.run(connection)
        wanted = [head for head in heads if workspace in {None, head.ws}]
        if workspace and not wanted:
            report.broken(Broken("E06", f"There is no chain of {workspace}."))
        for head in wanted:
            ChainPass(
                connection,
                head,
                install=heads[0].ws,
                epochs=epochs.epochs,
                seen=_seen(outside, head),
                report=report,
            ).run()
        report.findings += of_epochs.findings
        report.epoch_count = of_epochs.epoch_count
        _count_waiting(connection, workspace, report, now)
    return report


def _name_what_is_missing(outside: Outside, report: Report) -> None:
    if outside.held is None and outside.memory is None:
        report.warn(
            "H00",
            "There was nothing outside the database to compare with: it is consistent in itself, "
            "and whoever owns it could have rewritten all of it.",
        )
    if outside.secret is None:
        report.warn(
            "A00", "The heads of epochs were not recomputed: the site's secret is not here."
        )
    if not outside.keys:
        report.warn("K00", "No signature was checked: the log's verifier key is not here.")


def _check_guards(connection: Connection, report: Report) -> None:
    query = (
        "SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
    )
    states = {(table, name): state for table, name, state in connection.execute(query)}
    for table, name in GUARDS:
        if states.get((table, name)) != ALWAYS:
            report.warn("G01", f"The guard {name} of {table} is off, or was switched off and on.")


def _check_slots(heads: Sequence[StoredHead], outside: Outside, report: Report) -> None:
    if [head.slot for head in heads] != list(range(len(heads))):
        report.broken(Broken("E06", "A chain has disappeared: the slots are not dense."))
    known = {(head.slot, head.ws) for head in heads}
    for link in outside.memory.links if outside.memory else ():
        if (link.slot, link.ws) not in known:
            report.broken(Broken("E06", f"Chain {link.slot} of {link.ws} has disappeared."))


def _seen(outside: Outside, head: StoredHead) -> Link | None:
    for link in outside.memory.links if outside.memory else ():
        if (link.slot, link.ws) == (head.slot, head.ws):
            return link
    return None


def _count_waiting(
    connection: Connection, workspace: UUID | None, report: Report, now: datetime
) -> None:
    query = (
        "SELECT count(*), min(v.created) FROM audit_event v WHERE (%(ws)s::uuid IS NULL OR v.ws ="
        " %(ws)s) AND NOT EXISTS (SELECT FROM audit_entry e WHERE e.event_id = v.id)"
    )
    found = connection.execute(query, {"ws": workspace}).fetchone()
    report.waiting_count, oldest = found or (0, None)
    if oldest and now - oldest > PATIENCE:
        report.warn(
            "N01",
            f"{report.waiting_count} events have no number since {oldest:%Y-%m-%d %H:%M:%S}: the "
            "sequencer does not run, or entries were taken out.",
        )
