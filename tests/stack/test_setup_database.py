"""`manage.py setup_database`: roles, grants, and what the runtime role may not do."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from message_center.roles import RUNTIME_ROLES, exceptions, role_name
from message_center.stack.database import SetupRefused, apply_grants, login
from message_center.stack.product import ROOT
from tests.conftest import Database
from tests.ground import OWNER, TEMPLATE, Ground


def set_up(environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "setup_database"],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


def privileges(database: Database) -> list[tuple[str, str]]:
    """Return every object with its access list, as PostgreSQL writes it."""
    question = (
        "SELECT oid::regclass::text, relacl::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')"
        " UNION ALL SELECT oid::regprocedure::text, proacl::text FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    )
    with psycopg.connect(database.url("superuser")) as connection:
        return [(str(name), str(rights)) for name, rights in connection.execute(question)]


def test_a_second_run_changes_no_privilege(database: Database) -> None:
    before = privileges(database)
    done = set_up(database.ground.environment(database.name))
    assert done.returncode == 0, done.stderr
    assert privileges(database) == before


def test_it_says_what_it_did(database: Database) -> None:
    done = set_up(database.ground.environment(database.name))
    assert f"Database {database.name} is there already." in done.stdout
    assert f"Role {TEMPLATE}_app (app) is up to date." in done.stdout
    assert "Migrated to the newest tables." in done.stdout


def test_the_first_entry_of_all_is_numbered_when_it_is_written(database: Database) -> None:
    question = (
        "SELECT v.op, e.at - v.created < interval '1 minute' FROM audit_entry e"
        " JOIN audit_event v ON v.id = e.event_id"
    )
    with psycopg.connect(database.url("superuser")) as connection:
        assert connection.execute(question).fetchall() == [("install.create", True)]
        # Nobody but the sequencer fixes epochs.
        assert connection.execute("SELECT count(*) FROM audit_epoch").fetchone() == (0,)


def test_grants_that_a_person_added_are_taken_back(database: Database) -> None:
    before = privileges(database)
    with psycopg.connect(database.url("owner"), autocommit=True) as owner:
        owner.execute("GRANT SELECT ON workspace TO PUBLIC")
        app = sql.Identifier(role_name("app", TEMPLATE))
        owner.execute(sql.SQL("GRANT TRUNCATE ON workspace TO {}").format(app))
    set_up(database.ground.environment(database.name))
    assert privileges(database) == before


@pytest.fixture
def app(database: Database) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(database.url("app"), autocommit=True) as connection:
        yield connection


Connection = psycopg.Connection[tuple[object, ...]]


def test_the_runtime_role_cannot_make_tables(app: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("CREATE TABLE mine (id int)")


def test_the_runtime_role_cannot_make_roles(app: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("CREATE ROLE accomplice")


def test_the_runtime_role_cannot_become_the_owner(app: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))


def test_the_runtime_role_cannot_switch_row_level_security_off(app: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("ALTER TABLE membership DISABLE ROW LEVEL SECURITY")


def test_the_runtime_role_cannot_rewrite_the_list_of_migrations(app: Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("DELETE FROM django_migrations")


def test_no_role_bypasses_row_level_security(servers: Ground) -> None:
    question = "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolname ~ %s"
    with psycopg.connect(servers.url("superuser", "postgres")) as connection:
        assert connection.execute(question, [f"^{TEMPLATE}_"]).fetchall() == []


# Which workspace may use which route is the platform's own list; it holds no row of a workspace.
OF_THE_PLATFORM = {"route_grant"}
TENANT_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attname = 'workspace_id' AND NOT a.attisdropped
"""


def test_every_table_with_a_workspace_forces_row_level_security(app: Connection) -> None:
    bare = app.execute(
        f"{TENANT_TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    ).fetchall()
    assert {row[0] for row in bare} <= OF_THE_PLATFORM


def test_without_a_scope_the_runtime_role_sees_no_row_of_a_workspace(app: Connection) -> None:
    app.execute("SELECT set_config('app.workspace', '', false)")
    for (table,) in app.execute(TENANT_TABLES).fetchall():
        may_read = app.execute("SELECT has_table_privilege(%s, 'SELECT')", [table]).fetchone()
        if may_read == (True,):
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(table)))
            assert app.execute(count).fetchone() == (0,), table


def test_the_public_may_execute_nothing_of_ours(app: Connection) -> None:
    question = (
        "SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(coalesce(p.proacl,"
        " acldefault('f', p.proowner))) AS a"
        " WHERE p.pronamespace = 'public'::regnamespace AND a.grantee = 0"
    )
    assert app.execute(question).fetchall() == []


def test_the_runtime_role_reads_every_table_but_the_audit_logs(app: Connection) -> None:
    closed = app.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'audit%'"
        " AND NOT has_table_privilege(oid, 'SELECT')"
    ).fetchall()
    named = {name for name, rights in exceptions().items() if rights.get("app") == ""}
    assert {row[0] for row in closed} <= named


def test_a_table_of_grants_with_a_wrong_name_is_refused(database: Database) -> None:
    logins = [login(role, database.url(role), TEMPLATE) for role in RUNTIME_ROLES]
    with pytest.raises(SetupRefused, match="names no_such_table"):
        apply_grants(database.url("owner"), logins, {"no_such_table": {"app": "SELECT"}})


def test_two_roles_with_one_user_are_refused(database: Database) -> None:
    environment = database.ground.environment(database.name)
    environment["DATABASE_URL"] = environment["OWNER_DATABASE_URL"]
    done = set_up(environment)
    assert done.returncode == 1
    assert f"The user {OWNER} is named by two database URLs" in done.stderr


def test_a_superuser_as_the_runtime_role_is_refused(database: Database) -> None:
    environment = database.ground.environment(database.name)
    environment["DATABASE_URL"] = database.url("superuser")
    done = set_up(environment)
    assert done.returncode == 1
    assert "is a superuser or bypasses row-level security" in done.stderr


def test_roles_without_a_url_are_made_without_a_login(servers: Ground) -> None:
    environment = servers.environment("apart")
    for name in ("DATABASE_URL", "SEQUENCER_DATABASE_URL", "SIGNER_DATABASE_URL"):
        del environment[name]
    del environment["EXPORTER_DATABASE_URL"]
    done = set_up(environment)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(servers.url("superuser", "postgres"), autocommit=True) as connection:
        row = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'apart_app'")
        assert row.fetchone() == (False,)
        connection.execute("DROP DATABASE apart")
        for role in RUNTIME_ROLES:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"apart_{role}")))


def test_a_server_that_does_not_answer_is_told_in_a_sentence(servers: Ground) -> None:
    environment = servers.environment()
    parts = urlsplit(environment["OWNER_DATABASE_URL"])
    environment["OWNER_DATABASE_URL"] = parts._replace(netloc="owner:x@127.0.0.1:1").geturl()
    done = set_up(environment)
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The owner cannot connect:")
    assert "Traceback" not in done.stderr


def test_the_password_is_never_in_a_statement(tmp_path: Path, servers: Ground) -> None:
    secret = servers.secrets.word("app")
    assert secret not in servers.postgres.log.read_text(errors="replace")
