"""Row-level security as the runtime role meets it: without a scope there is nothing."""

from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from tests.conftest import Database
from tests.workspaces import make
from workspaces.models import ApiKey, Invitation, JoinRequest, Membership, Visit, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import ScopeRefused, scope, scope_everywhere


@pytest.fixture
def two(database: Database) -> tuple[Workspace, Workspace]:
    """Two workspaces with an admin and a key each."""
    pair = make.workspace("care"), make.workspace("roaming")
    for place in pair:
        make.key(place, make.me_in(place, Role.ADMIN))
    return pair


@pytest.fixture
def owner(database: Database) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """The role that migrates."""
    with psycopg.connect(database.url("owner"), autocommit=True) as opened:
        yield opened


# Which workspace may use which route is the platform team's, and read by the sender for all.
OF_THE_PLATFORM = {"route_grant"}
TENANT = (Membership, Invitation, JoinRequest, Visit, ApiKey)


def test_without_a_scope_there_are_no_rows(two: tuple[Workspace, Workspace]) -> None:
    assert [model.objects.count() for model in TENANT] == [0] * len(TENANT)


def test_inside_a_scope_there_are_only_its_rows(two: tuple[Workspace, Workspace]) -> None:
    care, roaming = two
    with scope(care):
        assert {row.workspace_id for row in Membership.objects.all()} == {care.pk}
        assert not ApiKey.objects.filter(workspace=roaming).exists()


def test_raw_sql_is_held_by_it_as_well(two: tuple[Workspace, Workspace]) -> None:
    care, roaming = two
    with scope(care), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM api_key WHERE workspace_id = %s", [roaming.pk])
        assert cursor.fetchone() == (0,)


def test_a_row_of_another_workspace_cannot_be_inserted(two: tuple[Workspace, Workspace]) -> None:
    care, roaming = two
    who = make.user()
    with scope(care), pytest.raises(ProgrammingError, match="row-level security"):
        Membership.objects.create(workspace=roaming, user=who, role=Role.ADMIN, created_at=make.NOW)


def test_a_row_cannot_be_moved_into_another_workspace(two: tuple[Workspace, Workspace]) -> None:
    care, roaming = two
    with scope(care), pytest.raises(ProgrammingError, match="row-level security"):
        ApiKey.objects.update(workspace=roaming)


def test_rows_of_another_workspace_are_neither_changed_nor_deleted(
    two: tuple[Workspace, Workspace],
) -> None:
    care, roaming = two
    with scope(care):
        assert ApiKey.objects.filter(workspace=roaming).update(name="mine") == 0
        assert Membership.objects.filter(workspace=roaming).delete()[0] == 0
    with scope(roaming):
        assert ApiKey.objects.get().name == "Care"


def test_everywhere_means_everywhere_and_says_why(two: tuple[Workspace, Workspace]) -> None:
    with scope_everywhere("a test of it"):
        assert ApiKey.objects.count() == 2
    with pytest.raises(ScopeRefused, match="Say why"), scope_everywhere(""):
        pass


def test_the_scope_ends_with_its_block_also_after_an_error(
    two: tuple[Workspace, Workspace],
) -> None:
    care, _roaming = two
    with pytest.raises(RuntimeError), scope(care):
        raise RuntimeError
    assert Membership.objects.count() == 0


def test_the_scope_ends_when_the_database_refused_something_in_it(
    two: tuple[Workspace, Workspace],
) -> None:
    care, _roaming = two
    with pytest.raises(ProgrammingError), scope(care), transaction.atomic():
        connection.cursor().execute("SELECT nothing_of_that_name()")
    assert Membership.objects.count() == 0


def test_a_connection_that_was_lost_comes_back_in_the_scope(
    two: tuple[Workspace, Workspace],
) -> None:
    care, _roaming = two
    with scope(care):
        connection.close()
        assert Membership.objects.count() == 1
    assert Membership.objects.count() == 0


def test_a_new_connection_begins_without_a_scope(
    two: tuple[Workspace, Workspace], database: Database
) -> None:
    care, _roaming = two
    with scope(care), psycopg.connect(database.url("app")) as other:
        assert other.execute("SELECT count(*) FROM membership").fetchone() == (0,)


def test_the_owner_is_bound_too(
    two: tuple[Workspace, Workspace], owner: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    assert owner.execute("SELECT count(*) FROM membership").fetchone() == (0,)


def test_the_runtime_role_cannot_switch_it_off(database: Database) -> None:
    with psycopg.connect(database.url("app"), autocommit=True) as app:
        for statement in (
            "ALTER TABLE membership DISABLE ROW LEVEL SECURITY",
            "DROP POLICY workspace_only ON membership",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)
        row = app.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert row.fetchone() == (False, False)


def test_every_table_with_a_workspace_has_forced_row_level_security(
    owner: "psycopg.Connection[tuple[object, ...]]",
) -> None:
    ours = {
        model._meta.db_table
        for app in ("workspaces", "smpp_client", "campaigns")
        for model in apps.get_app_config(app).get_models()
        if any(field.name == "workspace" for field in model._meta.fields)
    }
    found = owner.execute(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    ).fetchall()
    assert ours - {name for (name,) in found} == OF_THE_PLATFORM
