"""What the database refuses of itself, to the product's own role and with plain SQL."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.campaigns import names
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

DECIDE = (
    "INSERT INTO sender_decision (workspace_id, revision_id, is_approval, note, decided_by_id,"
    " decided_person_id, proposed_person_id, decided_at)"
    " VALUES (%(place)s, %(revision)s, true, '', %(user)s, %(said)s, %(other)s, now())"
)
REVISE = (
    "INSERT INTO sender_revision (workspace_id, sender_id, number, value, ton, npi, category,"
    " legal_entity, purpose, sample_text, resembles, needed_approvals, state, proposed_by_id,"
    " proposed_person_id, proposed_at)"
    " VALUES (%(place)s, %(sender)s, 9, 'Amber', 5, 0, 'service', 'x', 'x', 'x', '',"
    " %(needed)s, %(state)s, %(user)s, %(said)s, now())"
)


@pytest.fixture
def admin() -> Me:
    """The proposer."""
    return make.me_in(make.workspace("care"), Role.ADMIN)


@pytest.fixture
def values(admin: Me) -> Iterator[dict[str, Any]]:
    """The parts of a decision on the admin's revision by a moderator, inside the workspace."""
    sender = names.proposed(admin)
    moderator = make.me_in(admin.here, Role.MODERATOR)
    with scope(admin.here):
        revision = sender.revisions.get()
        yield {
            "place": admin.here.pk,
            "sender": sender.pk,
            "revision": revision.pk,
            "user": moderator.user.pk,
            "said": moderator.person_id,
            "other": admin.person_id,
        }


def run(statement: str, values: dict[str, Any]) -> None:
    """Run one statement as the product's role."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_tests_run_as_the_products_role(values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = user")
        assert cursor.fetchone() == (False,)


def test_another_person_may_decide(values: dict[str, Any]) -> None:
    run(DECIDE, values)


def test_the_proposer_may_not(values: dict[str, Any], admin: Me) -> None:
    with pytest.raises(DatabaseError, match="sender_decision_four_eyes"):
        run(DECIDE, values | {"user": admin.user.pk, "said": admin.person_id})


def test_the_proposer_may_not_by_naming_others_as_the_persons(
    values: dict[str, Any], admin: Me
) -> None:
    with pytest.raises(DatabaseError, match="sender_decision_four_eyes"):
        run(DECIDE, values | {"user": admin.user.pk, "other": values["said"]})


def test_the_proposer_may_not_with_a_second_account(values: dict[str, Any], admin: Me) -> None:
    twin = make.user(email="second@example.com", person=admin.user.person)
    with pytest.raises(DatabaseError, match="sender_decision_four_eyes"):
        run(DECIDE, values | {"user": twin.pk})


def test_one_person_decides_once(values: dict[str, Any]) -> None:
    run(DECIDE, values)
    with pytest.raises(DatabaseError, match="sender_decision_once_a_person"):
        run(DECIDE, values)


def test_a_revision_is_not_approved_without_a_decision(values: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="has not got its approvals"):
        run("UPDATE sender_revision SET state = 'approved' WHERE id = %(revision)s", values)


@pytest.mark.parametrize(
    "change",
    [
        "value = 'AMBER'",
        "ton = 1",
        "npi = 1",
        "category = 'government'",
        "legal_entity = 'Other Ltd'",
        "purpose = 'other'",
        "sample_text = 'other'",
        "resembles = 'x'",
        "needed_approvals = 2",
        "number = 7",
        "proposed_by_id = %(user)s",
        "proposed_person_id = %(said)s",
        "proposed_at = now()",
    ],
)
def test_a_revision_is_written_once(values: dict[str, Any], change: str) -> None:
    with pytest.raises(DatabaseError, match="sender_revision is written once"):
        run(f"UPDATE sender_revision SET {change} WHERE id = %(revision)s", values)  # noqa: S608


def test_a_revision_is_not_deleted(values: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="sender_revision is written once"):
        run("DELETE FROM sender_revision WHERE id = %(revision)s", values)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE sender_decision SET is_approval = false", "DELETE FROM sender_decision"],
)
def test_a_decision_is_written_once(values: dict[str, Any], statement: str) -> None:
    run(DECIDE, values)
    with pytest.raises(DatabaseError, match=r"written once|permission denied"):
        run(statement, values)


@pytest.mark.parametrize("state", ["approved", "replaced", "rejected", "withdrawn"])
def test_a_revision_begins_in_review(values: dict[str, Any], state: str) -> None:
    with pytest.raises(DatabaseError, match="begins in review"):
        run(REVISE, values | {"state": state, "needed": 1})


def test_a_revision_cannot_ask_for_no_approval(values: dict[str, Any]) -> None:
    run("UPDATE sender_revision SET state = 'withdrawn' WHERE id = %(revision)s", values)
    with pytest.raises(DatabaseError, match="sender_revision_needs_an_approval"):
        run(REVISE, values | {"state": "in_review", "needed": 0})


def test_a_rejected_revision_stays_rejected(values: dict[str, Any]) -> None:
    run(DECIDE, values)
    run("UPDATE sender_revision SET state = 'rejected' WHERE id = %(revision)s", values)
    with pytest.raises(DatabaseError, match="cannot move from rejected to approved"):
        run("UPDATE sender_revision SET state = 'approved' WHERE id = %(revision)s", values)


def test_what_is_decided_takes_no_more_decisions(values: dict[str, Any]) -> None:
    run("UPDATE sender_revision SET state = 'withdrawn' WHERE id = %(revision)s", values)
    with pytest.raises(DatabaseError, match="is not in review"):
        run(DECIDE, values)


def test_the_person_of_a_proposal_is_the_accounts(values: dict[str, Any]) -> None:
    run("UPDATE sender_revision SET state = 'withdrawn' WHERE id = %(revision)s", values)
    run(REVISE, values | {"state": "in_review", "needed": 1, "said": values["other"]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT proposed_person_id FROM sender_revision WHERE number = 9")
        assert cursor.fetchone() == (values["said"],)


def test_another_workspaces_revision_cannot_be_decided(values: dict[str, Any]) -> None:
    elsewhere = make.workspace()
    with pytest.raises(DatabaseError):
        run(DECIDE, values | {"place": elsewhere.pk})
