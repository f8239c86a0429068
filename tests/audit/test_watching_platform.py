"""Accounts, API keys and routes: what came around the verbs is recorded, what a verb did is not."""

from datetime import timedelta
from typing import Any

import psycopg
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone

from smpp_client.actions.noting import COMMAND_LINE
from smpp_client.actions.route_state import observe_routes
from smpp_client.actions.routes import (
    add_range,
    create_route,
    grant_route,
    remove_range,
    revoke_route,
    set_weights,
)
from smpp_client.actions.shifts import make_shifts, plan_shift, stop_shift, undo_shift
from tests import make as nouns
from tests.audit.make import rows
from tests.conftest import Database
from tests.workspaces import make
from workspaces.actions.account import change_account
from workspaces.actions.invitations import accept_as_new, invite, token_hash
from workspaces.actions.keys import revoke_key, touch
from workspaces.actions.members import remove_member
from workspaces.actions.passwords import change_password, reset_password, take_link_turn
from workspaces.actions.people import remember_workspace
from workspaces.actions.sign_in import recognise
from workspaces.actions.users import change_super_admin, disable_user, enable_user
from workspaces.models import ApiKey, User, Workspace
from workspaces.queries.me import Me
from workspaces.queries.members import invitation_by_hash
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

NOW = timezone.now
HERE = "192.0.2.7"
NEW = "another long sentence nobody guesses"
SECOND = timedelta(seconds=1)

OUTSIDE = (
    "SELECT op, ws, obj_id, body::json -> 'diff' FROM audit_event"
    " WHERE op LIKE '%%.changed\\_outside' ORDER BY id"
)


def outside(database: Database) -> list[tuple[Any, ...]]:
    """Return what came around the verbs: op, chain, object and diff."""
    with psycopg.connect(database.url("superuser"), autocommit=True) as superuser:
        return rows(superuser, OUTSIDE)


def run(database: Database, *statements: str, **values: Any) -> None:
    """Run statements as a person with psql would, each in a transaction of its own."""
    with psycopg.connect(database.url("superuser"), autocommit=True) as superuser:
        for statement in statements:
            superuser.execute(statement, values)


def test_no_verb_raises_a_false_alarm(database: Database) -> None:
    """Each verb commits for itself: what one recorded cannot account for the next."""
    root = make.me(make.user("Root", is_super_admin=True))
    care = make.workspace("care")
    _people(root, care)
    _keys(root, care)
    _routes(database, care)
    assert [one for one in outside(database) if one[0] != "connection.changed_outside"] == []


def _people(root: Me, care: Workspace) -> None:
    admin = make.me_in(care)
    with scope(care):
        asked = invite(email="ann@example.com", role="author", by=admin, now=NOW())
    with scope_everywhere("the gate looks up a link"):
        invitation = invitation_by_hash(token_hash(asked.token))
    assert invitation is not None
    ann = accept_as_new(invitation=invitation, name="Ann", password=make.PASSWORD, now=NOW())
    signed = recognise(email=ann.email, password=make.PASSWORD, address=HERE, now=NOW())
    client = make.signed_in(signed)
    assert client.get("/w/care/").status_code in {200, 302}
    me = make.me(signed, care, Role.AUTHOR)
    remember_workspace(signed, care)
    change_account(by=me, name="Ann Lee", theme="dark", has_shortcuts=False, now=NOW())
    changed = change_password(by=me, old=make.PASSWORD, new=NEW, address=HERE, now=NOW())
    assert take_link_turn(changed.pk, NOW())
    reset_password(user=changed, new=make.PASSWORD, now=NOW())
    change_super_admin(user_id=ann.pk, is_super_admin=True, why="On call", by=root, now=NOW())
    disable_user(user_id=ann.pk, why="Left", by=root, now=NOW())
    enable_user(user_id=ann.pk, by=root, now=NOW())


def _keys(root: Me, care: Workspace) -> None:
    makers = [make.me_in(care) for _ in range(3)]
    keys = [make.key(care, maker).key for maker in makers]
    with scope(care):
        touch(keys[0], NOW())
        revoke_key(key_id=keys[0].pk, by=makers[0], now=NOW())
        remove_member(user_id=makers[1].user.pk, by=makers[0], now=NOW())
    disable_user(user_id=makers[2].user.pk, why="Left", by=root, now=NOW())
    with scope(care):
        assert not ApiKey.objects.filter(revoked_at=None).exists()


def _routes(database: Database, care: Workspace) -> None:
    by = COMMAND_LINE
    for name in ("smsc-a", "smsc-b"):
        nouns.connection(name)
    create_route(name="main", weights={"smsc-a": 1}, by=by, now=NOW())
    set_weights(name="main", weights={"smsc-a": 2, "smsc-b": 1}, by=by, now=NOW())
    add_range(name="main", prefix="44770", connection="smsc-b", by=by, now=NOW())
    remove_range(name="main", prefix="44770", by=by, now=NOW())
    grant_route(name="main", workspace=care, by=by, now=NOW())
    assert observe_routes(NOW()) == 1
    for _ in range(2):
        plan_shift(
            name="main",
            to={"smsc-a": 1, "smsc-b": 3},
            percents=[50, 100],
            step=SECOND,
            by=by,
            now=NOW(),
        )
        assert make_shifts(NOW()) == 1
        stop_shift(name="main", by=by, now=NOW())
        undo_shift(name="main", by=by, now=NOW())
    revoke_route(name="main", workspace=care, by=by, now=NOW())


def test_a_password_is_hashed_by_todays_method_at_sign_in_and_that_is_recorded(
    database: Database,
) -> None:
    ann = make.user("Ann", password=make.PASSWORD)
    old = PBKDF2PasswordHasher().encode(make.PASSWORD, "s" * 22)
    run(database, "UPDATE account SET password = %(old)s WHERE id = %(ann)s", old=old, ann=ann.pk)
    before = len(outside(database))
    for _ in range(2):
        recognise(email=ann.email, password=make.PASSWORD, address=HERE, now=NOW())
    assert User.objects.get(pk=ann.pk).password.startswith("argon2$")
    assert len(outside(database)) == before
    query = "SELECT count(*) FROM audit_event WHERE op = 'user.password_rehash'"
    with psycopg.connect(database.url("superuser")) as superuser:
        assert rows(superuser, query) == [(1,)]


def test_what_is_changed_by_hand_is_recorded_in_the_chain_that_it_concerns(
    database: Database,
) -> None:
    care = make.workspace("care")
    author = make.me_in(care)
    key = make.key(care, author).key
    nouns.connection("smsc-a")
    route = create_route(name="main", weights={"smsc-a": 1}, by=COMMAND_LINE, now=NOW())
    before = len(outside(database))
    who, team = author.user.pk, care.pk
    run(
        database,
        "UPDATE account SET is_super_admin = true WHERE id = %(who)s",
        "UPDATE account SET password = 'x', email = 'evil@example.com' WHERE id = %(who)s",
        "UPDATE account SET theme = 'dark', last_login = now(), last_workspace_id = NULL",
        "UPDATE api_key SET scopes = '{message.send}', expires_at = now()",
        "UPDATE api_key SET last_used_at = now()",
        "INSERT INTO route_grant (route_id, workspace_id, created_at)"
        " VALUES (%(route)s, %(team)s, now())",
        "UPDATE route_connection SET weight = 0",
        "UPDATE route SET down_since_at = now(), ranges_changed_at = now()",
        "DELETE FROM route_connection",
        who=who,
        route=route.pk,
        team=team,
    )
    found = outside(database)[before:]
    [(install,)] = _system(database)
    assert [one[:3] for one in found] == [
        ("user.changed_outside", install, f"usr_{who}"),
        ("user.changed_outside", install, f"usr_{who}"),
        ("key.changed_outside", care.uuid, f"key_{key.pk}"),
        ("route.changed_outside", install, f"rte_{route.pk}"),
        ("route.changed_outside", install, f"rte_{route.pk}"),
        ("route.changed_outside", install, f"rte_{route.pk}"),
    ]
    diffs = [one[3] for one in found]
    assert diffs[0] == {"is_super_admin": [False, True]}
    assert diffs[1] == {"email": ["left out"] * 2, "password": ["left out"] * 2}
    assert set(diffs[2]) == {"expires_at"}
    assert diffs[3]["workspace_id"] == [None, team]
    assert diffs[4] == {"weight": [1, 0]}
    assert diffs[5]["weight"] == [0, None]


def _system(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url("superuser")) as superuser:
        return rows(superuser, "SELECT ws FROM audit_head WHERE slot = 0")
