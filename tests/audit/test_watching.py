"""Changes that come around the verbs: the critical tables record them themselves, once."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from audit.actions.record import record
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Obj
from audit.rules.watched import WATCHED, watchers
from campaigns.actions.opt_outs import add_opt_out, import_opt_outs, lift_opt_out
from campaigns.actions.review import approve, digest_of
from campaigns.actions.sender_review import approve_revision, reject_revision
from campaigns.actions.senders import archive_sender, create_sender, propose_revision
from campaigns.models import Sender, SenderRevision
from smpp_client.actions.connections import disable_connection, enable_connection
from smpp_client.actions.noting import COMMAND_LINE
from tests import make
from tests.audit.conftest import Log
from tests.audit.make import rows
from tests.audit.site import Site
from tests.campaigns.names import proposal
from tests.conftest import Database
from workspaces.actions.members import change_role, remove_member
from workspaces.actions.workspaces import create_workspace
from workspaces.models import Membership, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

NOW = timezone.now
SETUP = Actor("system", "setup")


def run(statement: str, *values: Any) -> None:
    """Run a statement as a person with psql would, as the runtime role."""
    with scope_everywhere("a test stands beside the product"), connection.cursor() as cursor:
        cursor.execute(statement, values)


def commit() -> None:
    """Do what the end of the transaction does; here everything is one that is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def outside(since: int = 0) -> list[dict[str, Any]]:
    """Return what came around the verbs, in canonical bytes, oldest first, after event `since`."""
    commit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace_uuid', '*', false)")
        cursor.execute(
            "SELECT body FROM audit_event WHERE op LIKE '%%.changed\\_outside' AND id > %s"
            " ORDER BY id",
            [since],
        )
        found = [decode_event(body.encode()) for (body,) in cursor.fetchall()]
        cursor.execute("SELECT set_config('app.workspace_uuid', '', false)")
    return found


def newest() -> int:
    """Return the last event there is, after all that is under way is settled."""
    commit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace_uuid', '*', false)")
        cursor.execute("SELECT coalesce(max(id), 0) FROM audit_event")
        (last,) = cursor.fetchone()
        cursor.execute("SELECT set_config('app.workspace_uuid', '', false)")
    return int(last)


@pytest.fixture
def place(db: None) -> Iterator[Workspace]:
    """A workspace that was made by no verb, so that nothing of it is recorded."""
    with scope_everywhere("what the tests stand on"):
        yield make.workspace()


def opt_outs(place: Workspace, count: int) -> None:
    run(
        "INSERT INTO opt_out (workspace_id, fingerprint, number_sealed, source, note, added_at)"
        " SELECT %s, sha256(n::text::bytea), 'sealed', 'by_hand', 'x', now()"
        " FROM generate_series(1, %s) n",
        place.pk,
        count,
    )


def test_a_change_by_hand_names_the_row_the_columns_and_the_login(place: Workspace) -> None:
    sender = make.sender(place)
    before = newest()
    run("UPDATE sender SET is_archived = true WHERE id = %s", sender.pk)
    [entry] = outside(before)
    assert (entry["op"], entry["obj"]) == (
        "sender.changed_outside",
        {"type": "sender", "id": f"snd_{sender.pk}"},
    )
    assert (entry["ws"], entry["diff"]) == (str(place.uuid), {"is_archived": [False, True]})
    assert entry["act"] == {"kind": "system", "id": "database:mc_app"}
    assert entry["why"].startswith("UPDATE of sender around the product, by the database user mc_")


def test_a_row_that_comes_or_goes_by_hand_is_recorded_whole(place: Workspace) -> None:
    person = make.user()
    before = newest()
    run(
        "INSERT INTO membership (workspace_id, user_id, role, created_at)"
        " VALUES (%s, %s, %s, now())",
        place.pk,
        person.pk,
        "admin",
    )
    run("DELETE FROM membership WHERE user_id = %s", person.pk)
    added, gone = outside(before)
    assert (added["obj"]["id"], added["diff"]["role"]) == (f"usr_{person.pk}", [None, "admin"])
    assert gone["diff"]["role"] == ["admin", None]


def test_personal_values_are_left_out(place: Workspace) -> None:
    opt_outs(place, 1)
    [entry] = outside()
    assert entry["diff"]["number_sealed"] == [None, "left out"]
    assert entry["diff"]["fingerprint"] == [None, "left out"]
    assert "sealed\\" not in json.dumps(entry)


def test_a_password_by_hand_is_seen_and_not_said(db: None) -> None:
    one = make.connection()
    before = newest()
    run("UPDATE connection SET password_sealed = 'abc', host = 'evil.example'")
    [entry] = [one_ for one_ in outside(before) if one_["obj"]["id"] == f"con_{one.pk}"]
    assert entry["diff"] == {
        "host": ["127.0.0.1", "evil.example"],
        "password_sealed": ["left out", "left out"],
    }


def test_many_rows_are_one_entry_with_their_ids(place: Workspace) -> None:
    opt_outs(place, 500)
    run("UPDATE opt_out SET lifted_at = now(), note = 'y' WHERE workspace_id = %s", place.pk)
    added, lifted = outside()
    assert (added["diff"]["rows"], len(added["diff"]["ids"][1])) == ([None, 500], 100)
    assert lifted["diff"]["columns"] == [None, ["lifted_at", "note"]]
    assert lifted["obj"] == {"type": "opt_out", "id": "opt_many"}


def test_rows_of_two_workspaces_are_recorded_in_both(place: Workspace) -> None:
    other = make.workspace()
    opt_outs(place, 30)
    opt_outs(other, 1)
    before = newest()
    run("UPDATE opt_out SET source = 'sms'")
    found = {entry["ws"]: entry["diff"]["rows"] for entry in outside(before)}
    assert found == {str(place.uuid): [None, 30], str(other.uuid): [None, 1]}


def test_a_row_that_changes_hands_is_recorded_on_both_sides(place: Workspace) -> None:
    other = make.workspace()
    opt_outs(place, 1)
    before = newest()
    run("UPDATE opt_out SET workspace_id = %s", other.pk)
    assert {entry["ws"] for entry in outside(before)} == {str(place.uuid), str(other.uuid)}


def test_a_statement_that_changes_nothing_is_not_recorded(place: Workspace) -> None:
    opt_outs(place, 30)
    before = newest()
    run("UPDATE opt_out SET source = source WHERE workspace_id = %s", place.pk)
    run("UPDATE opt_out SET source = 'sms' WHERE false")
    assert outside(before) == []


def test_texts_of_every_kind_stay_canonical(place: Workspace) -> None:
    words = 'q" \\ \n\t\x01 caf\u0065\u0301 №3 \u202e ' + "long " * 10
    sender = make.sender(place)
    before = newest()
    run("UPDATE sender SET value = %s WHERE id = %s", 'é"\\\n\x01', sender.pk)
    run(
        "INSERT INTO opt_out (workspace_id, fingerprint, number_sealed, source, note, added_at)"
        " VALUES (%s, '1', '2', 'x', %s, now())",
        place.pk,
        words,
    )
    changed, _added = outside(before)
    assert changed["diff"]["value"] == [sender.value, 'é"\\\n\x01']


def test_an_act_that_was_recorded_is_not_recorded_again(place: Workspace) -> None:
    sender = make.sender(place)
    before = newest()
    record(
        "sender.archive", workspace=place.uuid, actor=SETUP, obj=Obj("sender", "snd_1"), now=NOW()
    )
    run("UPDATE sender SET is_archived = true WHERE id = %s", sender.pk)
    assert outside(before) == []


@pytest.mark.parametrize(
    ("op", "is_here"),
    [("campaign.pause", True), ("member.add", True), ("sender.archive", False)],
)
def test_another_act_does_not_account_for_it(place: Workspace, op: str, is_here: bool) -> None:
    sender = make.sender(place)
    before = newest()
    chain = place.uuid if is_here else make.workspace().uuid
    record(op, workspace=chain, actor=SETUP, obj=Obj("sender", "snd_1"), now=NOW())
    run("UPDATE sender SET is_archived = true WHERE id = %s", sender.pk)
    assert len(outside(before)) == 1


Verb = Callable[[Workspace], Callable[[], Any]]


def person(place: Workspace, role: Role = Role.ADMIN) -> Me:
    return make.person_in(place, role)


def creating_a_sender(place: Workspace) -> Callable[[], Any]:
    by = person(place)
    return lambda: create_sender(by=by, proposal=proposal("Amber"), now=NOW())


def proposing_a_revision(place: Workspace) -> Callable[[], Any]:
    by, sender = person(place), make.sender(place, "Amber")
    return lambda: propose_revision(
        sender_id=sender.pk, by=by, proposal=proposal("AMBER"), now=NOW()
    )


def in_review(place: Workspace) -> Sender:
    """A sender with its second revision in review; no verb made it."""
    sender = make.sender(place, "Amber")
    last = SenderRevision.objects.get(sender=sender)
    last.pk, last.number, last.state, last.decided_at = None, 2, "in_review", None
    last.save(force_insert=True)
    return sender


def approving_a_revision(place: Workspace) -> Callable[[], Any]:
    by, sender = person(place), in_review(place)
    return lambda: approve_revision(sender_id=sender.pk, seen=2, by=by, now=NOW())


def rejecting_a_revision(place: Workspace) -> Callable[[], Any]:
    by, sender = person(place), in_review(place)
    return lambda: reject_revision(sender_id=sender.pk, seen=2, by=by, words="No.", now=NOW())


def archiving_a_sender(place: Workspace) -> Callable[[], Any]:
    by, sender = person(place), make.sender(place)
    return lambda: archive_sender(sender_id=sender.pk, by=by, now=NOW())


def approving_a_campaign(place: Workspace) -> Callable[[], Any]:
    author, by = person(place, Role.AUTHOR), person(place)
    campaign = make.in_review(author, make.route(place, make.connection()))
    seen = digest_of(campaign.pk).hex()
    return lambda: approve(number=campaign.number, by=by, seen=seen, now=NOW())


def opting_out(place: Workspace) -> Callable[[], Any]:
    by = person(place)
    return lambda: add_opt_out(by=by, text="+447700900001", country="GB", words="asked", now=NOW())


def importing_opt_outs(place: Workspace) -> Callable[[], Any]:
    by = person(place)
    data = "\n".join(["number", *(f"+4477009{n:05}" for n in range(60))]).encode()
    return lambda: import_opt_outs(by=by, data=data, country="GB", words="moved", now=NOW())


def lifting_an_opt_out(place: Workspace) -> Callable[[], Any]:
    by = person(place)
    one = add_opt_out(by=by, text="+447700900001", country="GB", words="asked", now=NOW())
    return lambda: lift_opt_out(by=by, opt_out_id=one.pk, reason="asked again", now=NOW())


def changing_a_role(place: Workspace) -> Callable[[], Any]:
    by, who = person(place), make.member(place, Role.AUTHOR)
    return lambda: change_role(user_id=who.pk, role="moderator", seen="author", by=by, now=NOW())


def removing_a_member(place: Workspace) -> Callable[[], Any]:
    by, who = person(place), make.member(place, Role.AUTHOR)
    return lambda: remove_member(user_id=who.pk, by=by, now=NOW())


def disabling_a_connection(place: Workspace) -> Callable[[], Any]:
    one = make.connection()
    return lambda: disable_connection(name=one.name, by=COMMAND_LINE, now=NOW())


def enabling_a_connection(place: Workspace) -> Callable[[], Any]:
    one = make.connection(is_enabled=False)
    return lambda: enable_connection(name=one.name, by=COMMAND_LINE, now=NOW())


@pytest.mark.parametrize(
    "verb",
    [
        creating_a_sender,
        proposing_a_revision,
        approving_a_revision,
        rejecting_a_revision,
        archiving_a_sender,
        approving_a_campaign,
        opting_out,
        importing_opt_outs,
        lifting_an_opt_out,
        changing_a_role,
        removing_a_member,
        disabling_a_connection,
        enabling_a_connection,
    ],
)
def test_a_verb_is_recorded_once(db: None, verb: Verb) -> None:
    with scope_everywhere("what the test stands on"):
        place = make.workspace()
        act = verb(place)
    before = newest()
    with scope(place):
        act()
    assert outside(before) == []
    assert newest() > before


def test_every_watched_table_has_all_of_its_triggers(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname LIKE 'audit\\_watch%' AND t.tgenabled = 'A'"
        )
        found = set(cursor.fetchall())
    assert found == {(table, name) for table in WATCHED for name in watchers()}


def test_no_table_of_messages_is_watched() -> None:
    assert not {"message", "submission", "receipt", "batch", "progress"} & set(WATCHED)


class TestASuperuserOnTheRealDatabase:
    """One database, everything committed: what he changes is in the chain, whatever he says."""

    def test_he_is_named_by_what_he_signed_in_as(self, database: Database) -> None:
        place = create_workspace(slug="one", name="One", zone="UTC", by_actor=SETUP, now=NOW())
        with scope(place):
            make.member(place, Role.AUTHOR)
            make.sender(place, "Amber")
        superuser = psycopg.connect(database.url("superuser"), autocommit=True)
        for statement in (
            "SET session_replication_role = replica",
            "SET SESSION AUTHORIZATION mc_app",
            "SET app.workspace = '*'",
        ):
            superuser.execute(statement)
        superuser.execute("UPDATE membership SET role = 'admin' WHERE role = 'author'")
        superuser.execute("RESET SESSION AUTHORIZATION")
        superuser.execute("TRUNCATE sender CASCADE")
        found = rows(
            superuser,
            "SELECT op, actor_id, body::json ->> 'why' FROM audit_event"
            " WHERE op LIKE '%%.changed\\_outside' AND actor_id <> 'database:mc_app' ORDER BY id",
        )
        login = superuser.info.user
        superuser.close()
        assert {(op, who) for op, who, _why in found} >= {
            ("member.changed_outside", f"database:{login}"),
            ("sender.changed_outside", f"database:{login}"),
        }
        assert any(why.startswith("TRUNCATE of sender ") for _op, _who, why in found)


def test_it_is_pinned_by_an_epoch_at_once(log: Log, tmp_path: Any) -> None:
    site = Site(log, tmp_path / "audit")
    site.hours(1)
    person = make.user(email=f"{timezone.now().timestamp()}@example.com")
    with scope_everywhere("the test's own rows"):
        place = make.workspace(f"w{person.pk}")
        site.runtime.execute("SELECT audit_open_chain(%s, %s)", [place.uuid, NOW()])
        Membership.objects.create(workspace=place, user=person, role="admin", created_at=NOW())
    assert site.sequence(60).epoch is not None
