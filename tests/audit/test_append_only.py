"""What PostgreSQL itself promises: the only ways in, and no way back."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from psycopg import errors

from audit.rules import hashes
from audit.rules.events import Result, event_bytes
from tests.audit import vectors
from tests.audit.conftest import Log
from tests.audit.make import (
    INSTALL,
    MARKETING,
    NOW,
    ROAMING,
    Connection,
    append,
    happening,
    open_chains,
    rows,
    see,
)

NUMBERED = "INSERT INTO audit_entry SELECT ws, 1, now(), leaf, leaf, id FROM audit_event"


def test_the_runtime_role_appends_an_event_and_its_place_in_the_queue(
    runtime: Connection, superuser: Connection
) -> None:
    event = append(runtime)
    found = rows(
        superuser, "SELECT e.eid, e.op FROM audit_event e JOIN audit_pending p ON id = event_id"
    )
    assert found == [(event.eid, "campaign.approve")]


def test_the_event_is_kept_to_the_byte(runtime: Connection, superuser: Connection) -> None:
    runtime.execute(
        "SELECT audit_append(%s, %s, %s, %s)",
        [
            vectors.WORKSPACE,
            "a648a7dd-0683-4eb9-85b6-e6e307d4bedc",
            bytes.fromhex(vectors.LEAF),
            vectors.EVENT.decode(),
        ],
    )
    assert rows(superuser, "SELECT body FROM audit_event") == [(vectors.EVENT.decode(),)]


def test_what_one_searches_by_is_generated_from_the_event(
    runtime: Connection, superuser: Connection
) -> None:
    append(runtime, result="denied")
    found = rows(superuser, "SELECT op, result, actor_id, obj_type, obj_id FROM audit_event")
    assert found == [("campaign.approve", "denied", "usr_6", "campaign", "cmp_3")]


def test_a_rolled_back_transaction_leaves_no_event(
    runtime: Connection, superuser: Connection
) -> None:
    with runtime.transaction(force_rollback=True):
        append(runtime)
    assert rows(superuser, "SELECT count(*) FROM audit_event") == [(0,)]


def test_the_same_event_again_changes_nothing(runtime: Connection, superuser: Connection) -> None:
    event = append(runtime)
    append(runtime, event)
    found = rows(
        superuser, "SELECT (SELECT count(*) FROM audit_event), count(*) FROM audit_pending"
    )
    assert found == [(1, 1)]


def test_another_event_of_the_same_id_is_refused(runtime: Connection) -> None:
    event = append(runtime)
    with pytest.raises(errors.UniqueViolation):
        append(runtime, happening(eid=event.eid, why="another"))


def test_a_leaf_that_is_not_the_events_is_refused(runtime: Connection) -> None:
    event = happening()
    with pytest.raises(errors.CheckViolation, match="leaf"):
        runtime.execute(
            "SELECT audit_append(%s, %s, %s, %s)",
            [event.workspace, event.eid, bytes(32), event_bytes(event).decode()],
        )


@pytest.mark.parametrize("place", ["workspace", "eid"])
def test_an_event_that_names_another_workspace_or_id_is_refused(
    runtime: Connection, place: str
) -> None:
    event = happening()
    body = event_bytes(event)
    ids = {"workspace": event.workspace, "eid": event.eid} | {place: uuid4()}
    with pytest.raises(errors.CheckViolation, match="another workspace or id"):
        runtime.execute(
            "SELECT audit_append(%s, %s, %s, %s)",
            [ids["workspace"], ids["eid"], hashes.leaf_hash(body), body.decode()],
        )


TABLES = (
    "audit_event",
    "audit_pending",
    "audit_entry",
    "audit_head",
    "audit_epoch",
    "audit_epoch_change",
)


@pytest.mark.parametrize("role", ["app", "signer", "exporter"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}",
                  "ALTER TABLE {} DISABLE TRIGGER ALL"]
)  # fmt: skip
def test_no_reading_role_may_write(untouched: Log, role: str, table: str, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        untouched.connect(role).execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET body = ''",
        "DELETE FROM audit_event",
        "UPDATE audit_entry SET seq = 1",
        "DELETE FROM audit_entry",
        "UPDATE audit_head SET slot = 9",
        "DELETE FROM audit_head",
        "UPDATE audit_epoch SET note = ''",
        "INSERT INTO audit_epoch (epoch, body, note) VALUES (0, '', '')",
        "TRUNCATE audit_pending",
        "SET session_replication_role = replica",
        "SELECT audit_publish_note(0, '')",
        "SELECT audit_open_chain('00000000-0000-0000-0000-000000000000', now())",
        "SELECT * FROM audit_private.audit_disclosure",
    ],
)
def test_the_sequencer_may_only_number_and_link(untouched: Log, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        untouched.connect("sequencer").execute(statement)


@pytest.fixture
def filled(log: Log) -> Log:
    """The log with one row in each table that only grows."""
    superuser = log.connect("superuser")
    open_chains(superuser)
    append(superuser)
    superuser.execute(NUMBERED)
    superuser.execute("INSERT INTO audit_epoch VALUES (0, '{}')")
    superuser.execute("INSERT INTO audit_epoch_change VALUES (0, 0, 0)")
    return log


@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET created = now()",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_entry SET at = now()",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_head SET seq = 0",
        "DELETE FROM audit_head",
        "UPDATE audit_epoch SET body = 'other'",
        "DELETE FROM audit_epoch",
        "TRUNCATE audit_epoch",
        "DELETE FROM audit_epoch_change",
    ],
)
def test_the_guards_stop_even_the_owner_and_a_superuser(
    filled: Log, role: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        filled.connect(role).execute(statement)


def test_the_guards_hold_when_normal_triggers_are_skipped(superuser: Connection) -> None:
    append(superuser)
    superuser.execute("SET session_replication_role = replica")
    with pytest.raises(errors.InsufficientPrivilege):
        superuser.execute("DELETE FROM audit_event")


def test_a_personal_value_is_never_changed_and_goes_with_an_entry(superuser: Connection) -> None:
    event = append(superuser, personal={"msisdn": "ab" * 32})
    disclose = "SELECT audit_disclose(%s, %s, 'msisdn', %s, '+447700900008')"
    superuser.execute(disclose, [event.workspace, event.eid, bytes(32)])
    with pytest.raises(errors.InsufficientPrivilege):
        superuser.execute("UPDATE audit_private.audit_disclosure SET value = ''")
    with pytest.raises(errors.InsufficientPrivilege, match="with an entry"):
        superuser.execute("DELETE FROM audit_private.audit_disclosure")
    # An entry that says that nothing was erased lets nothing go.
    with pytest.raises(errors.InsufficientPrivilege, match="with an entry"):
        _erase_beside(superuser, "denied")
    _erase_beside(superuser, "ok")


def _erase_beside(superuser: Connection, result: Result) -> None:
    with superuser.transaction():
        append(superuser, op="pd.erase", result=result)
        superuser.execute("DELETE FROM audit_private.audit_disclosure")


def test_a_personal_value_that_no_event_commits_to_is_refused(runtime: Connection) -> None:
    event = append(runtime)
    with pytest.raises(errors.CheckViolation, match="No event commits"):
        runtime.execute(
            "SELECT audit_disclose(%s, %s, 'msisdn', %s, '+447700900008')",
            [event.workspace, event.eid, bytes(32)],
        )


def test_two_entries_cannot_follow_the_same_one(superuser: Connection) -> None:
    append(superuser)
    append(superuser)
    numbered = "INSERT INTO audit_entry SELECT ws, id, now(), %s, leaf, id FROM audit_event"
    with pytest.raises(errors.UniqueViolation, match="audit_entry_no_fork"):
        superuser.execute(numbered, [bytes(32)])


def test_a_chain_begins_with_the_published_genesis(superuser: Connection) -> None:
    for number, ws in enumerate((vectors.INSTALL, ROAMING, vectors.WORKSPACE)):
        created = datetime(2026, 3, 1, tzinfo=UTC)
        found = rows(superuser, "SELECT audit_open_chain(%s, %s)", ws, created)
        assert found == [(number,)]
    found = rows(superuser, "SELECT seq, encode(hash, 'hex') FROM audit_head WHERE slot = 2")
    assert found == [(0, vectors.GENESIS)]


def test_opening_a_chain_again_keeps_its_slot(runtime: Connection) -> None:
    open_chains(runtime)
    assert rows(runtime, "SELECT audit_open_chain(%s, %s)", MARKETING, NOW) == [(1,)]


def test_a_rolled_back_workspace_leaves_no_gap_in_the_slots(
    runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    with runtime.transaction(force_rollback=True):
        runtime.execute("SELECT audit_open_chain(%s, %s)", [uuid4(), NOW])
    assert rows(runtime, "SELECT audit_open_chain(%s, %s)", uuid4(), NOW) == [(3,)]


def test_a_note_is_published_once(log: Log, superuser: Connection) -> None:
    superuser.execute("INSERT INTO audit_epoch VALUES (0, '{}')")
    signer = log.connect("signer")
    signer.execute("SELECT audit_publish_note(0, 'note')")
    signer.execute("SELECT audit_publish_note(0, 'note')")
    with pytest.raises(errors.CheckViolation):
        signer.execute("SELECT audit_publish_note(0, 'other note')")


def test_nobody_may_execute_a_function_by_default(superuser: Connection) -> None:
    found = rows(
        superuser,
        "SELECT proname FROM pg_proc WHERE proname LIKE 'audit%%' AND prosecdef"
        " AND has_function_privilege('public', oid, 'EXECUTE')",
    )
    assert found == []


@pytest.mark.parametrize(
    ("scope", "seen"),
    [("", []), (str(MARKETING), [MARKETING]), ("*", [MARKETING, ROAMING, INSTALL])],
)
def test_the_runtime_role_sees_the_entries_of_its_scope(
    runtime: Connection, superuser: Connection, scope: str, seen: list[UUID]
) -> None:
    open_chains(superuser)
    for ws in (MARKETING, ROAMING, INSTALL):
        append(superuser, ws=ws)
    superuser.execute(NUMBERED)
    superuser.execute("INSERT INTO audit_epoch_change SELECT 0, slot, 1 FROM audit_head")
    see(runtime, scope)
    for query in (
        "SELECT ws FROM audit_event",
        "SELECT ws FROM audit_entry",
        "SELECT ws FROM audit_head",
        "SELECT h.ws FROM audit_epoch_change c JOIN audit_head h USING (slot)",
    ):
        assert sorted(rows(runtime, query)) == sorted((ws,) for ws in seen)


def test_a_connection_that_was_never_set_sees_nothing(runtime: Connection) -> None:
    append(runtime)
    assert rows(runtime, "SELECT * FROM audit_event") == []


@pytest.mark.parametrize("role", ["app", "signer", "sequencer"])
def test_personal_values_are_handed_to_the_exporter_only(
    log: Log, runtime: Connection, role: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        log.connect(role).execute("SELECT * FROM audit_disclosures(%s)", [MARKETING])
    exporter: Callable[..., object] = log.connect("exporter").execute
    exporter("SELECT * FROM audit_disclosures(%s)", [MARKETING])
