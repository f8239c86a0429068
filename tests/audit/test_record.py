"""Recording from the application's side, through Django, as the runtime role."""

from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import DatabaseError

from audit.actions.record import open_chain, record, record_denied
from audit.rules.canonical import NotCanonical, decode_event
from audit.rules.events import Actor, Obj
from audit.rules.hashes import commitment
from audit.rules.operations import UnknownOperation
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, rows

WHO = Actor("user", "usr_6", "ses_1")
WHAT = Obj("campaign", "cmp_3")


def events(log: Log) -> list[dict[str, Any]]:
    found = rows(log.connect("superuser"), "SELECT body FROM audit_event ORDER BY id")
    return [decode_event(body.encode()) for (body,) in found]


def approve(**changes: Any) -> Any:
    values: dict[str, Any] = {"workspace": MARKETING, "actor": WHO, "obj": WHAT, "now": NOW}
    return record("campaign.approve", **(values | changes))


def test_an_operation_is_recorded_with_all_that_was_said(log: Log) -> None:
    eid = approve(diff={"state": ("in_review", "approved")}, why="Fits.", request_id="req_1")
    assert events(log) == [
        {
            "act": {"id": "usr_6", "kind": "user", "sid": "ses_1"},
            "diff": {"state": ["in_review", "approved"]},
            "eid": str(eid),
            "obj": {"id": "cmp_3", "type": "campaign"},
            "op": "campaign.approve",
            "req": "req_1",
            "res": "ok",
            "t": "2026-03-01T09:00:00.000000Z",
            "v": 1,
            "why": "Fits.",
            "ws": str(MARKETING),
        }
    ]


def test_an_entry_shares_the_fate_of_its_transaction(log: Log) -> None:
    with transaction.atomic():
        approve()
        transaction.set_rollback(True)
    assert events(log) == []


def test_a_refused_attempt_outlives_the_rollback(log: Log) -> None:
    with transaction.atomic():
        record_denied(
            "campaign.approve", workspace=MARKETING, actor=WHO, obj=WHAT, now=NOW, why="Own."
        )
        transaction.set_rollback(True)
    assert [(event["res"], event["why"]) for event in events(log)] == [("denied", "Own.")]


def test_an_operation_that_is_not_published_is_refused(log: Log) -> None:
    with pytest.raises(UnknownOperation):
        record("campaign.explode", workspace=MARKETING, actor=WHO, obj=WHAT, now=NOW)


def test_a_field_that_cannot_be_a_key_is_refused(log: Log) -> None:
    with pytest.raises(NotCanonical):
        approve(diff={"Column A": (1, 2)})


def test_a_personal_value_enters_the_log_as_a_commitment_only(log: Log) -> None:
    approve(personal={"msisdn": "+447700900008"})
    superuser = log.connect("superuser")
    [(salt, value)] = rows(superuser, "SELECT salt, value FROM audit_private.audit_disclosure")
    assert value == "+447700900008"
    assert events(log)[0]["pd"] == {"msisdn": commitment(salt, "msisdn", value)}
    assert "+447700900008" not in str(events(log))


def test_equal_personal_values_have_different_commitments(log: Log) -> None:
    approve(personal={"msisdn": "+447700900008"})
    approve(personal={"msisdn": "+447700900008"})
    first, second = events(log)
    assert first["pd"] != second["pd"]


def test_a_text_full_of_traps_is_kept_to_the_letter(log: Log) -> None:
    why = '"quotes" \\ %s %(name)s \' ; -- \t\n{x} Ваnk № 🎈'
    approve(why=why)
    assert events(log)[0]["why"] == why


def test_what_cannot_be_recorded_cannot_be_done(log: Log) -> None:
    owner = log.connect("owner")
    owner.execute("REVOKE EXECUTE ON FUNCTION audit_append FROM mc_app")
    try:
        with pytest.raises(DatabaseError), transaction.atomic():
            approve()
    finally:
        owner.execute("GRANT EXECUTE ON FUNCTION audit_append TO mc_app")


def test_chains_get_dense_slots_in_order(log: Log) -> None:
    assert [open_chain(ws, now=NOW) for ws in (INSTALL, MARKETING)] == [0, 1]


def test_the_second_connection_is_another_one(log: Log) -> None:
    ids = set()
    for alias in ("default", "denied"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            ids.add(cursor.fetchone())
    assert len(ids) == 2
