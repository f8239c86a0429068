"""Makes the roles, the database and the grants, connected as the owner.

Migrating is somebody else's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from message_center.roles import Grants, default_privileges, role_name

SETUP_LOCK = 7_340_001  # any number that nothing else uses for an advisory lock


class SetupRefused(RuntimeError):
    """The database cannot be set up like this; the sentence says what to change."""


@dataclass(frozen=True)
class Login:
    """A role of the database. Without a password it is made, but nobody can sign in as it."""

    role: str
    name: str
    password: str | None


@dataclass(frozen=True)
class Granted:
    """How many objects of each kind got their privileges."""

    tables: int
    sequences: int
    functions: int


def database_name(url: str) -> str:
    """Return the database that a URL names."""
    return unquote(urlsplit(url).path.lstrip("/"))


def with_database(url: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def login(role: str, url: str | None, database: str) -> Login:
    """Return the login that a URL names, or the one we make ourselves when there is no URL."""
    if not url:
        return Login(role, role_name(role, database), None)
    parts = urlsplit(url)
    return Login(role, unquote(parts.username or ""), unquote(parts.password or ""))


def check_logins(owner_url: str, logins: list[Login]) -> None:
    """Raise SetupRefused when two roles share a name: then one could do what only the other may."""
    names = [unquote(urlsplit(owner_url).username or ""), *(one.name for one in logins)]
    for name in names:
        if names.count(name) > 1:
            raise SetupRefused(
                f"The user {name} is named by two database URLs; the owner, the runtime role, the "
                "sequencer and the signer must be different users."
            )


def ensure_database(url: str) -> bool:
    """Make the database that the URL names. Return whether it was made now."""
    database = database_name(url)
    try:
        with psycopg.connect(url, connect_timeout=10):
            return False
    except psycopg.OperationalError as failure:
        if "does not exist" not in str(failure):
            raise SetupRefused(f"The owner cannot connect: {_first_line(failure)}") from failure
    with _connected(with_database(url, "postgres")) as connection:
        statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
        connection.execute(statement.format(sql.Identifier(database)))
    return True


@contextmanager
def only_one_setup(url: str) -> Iterator[None]:
    """Hold the set-up's lock, so that two containers that start together take turns."""
    with _connected(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [SETUP_LOCK])
        yield


def ensure_roles(url: str, logins: list[Login], say: Callable[[str], None]) -> None:
    """Make the roles, or give them the passwords of their URLs.

    Raises SetupRefused when the owner may not, or when a role could walk around row-level security.
    """
    with _connected(url) as connection:
        if connection.execute("SELECT usesuper FROM pg_user WHERE usename = user").fetchone() == (
            True,
        ):
            say("Warning: the owner is a superuser; row-level security does not bind a superuser.")
        for one in logins:
            _ensure_role(connection, one, say)


def _ensure_role(
    connection: "psycopg.Connection[Any]", one: Login, say: Callable[[str], None]
) -> None:
    question = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
    found = connection.execute(question, [one.name]).fetchone()
    if found and found[0]:
        raise SetupRefused(
            f"The {one.role} role {one.name} is a superuser or bypasses row-level security; name "
            "another user in its database URL."
        )
    try:
        connection.execute(_role_statement(connection, one, is_there=found is not None))
    except errors.InsufficientPrivilege as failure:
        if not found:
            raise SetupRefused(
                f"The owner may not make the role {one.name}: {_first_line(failure)}. Give it "
                "CREATEROLE, or make the roles yourself."
            ) from failure
        say(f"Role {one.name} belongs to somebody else; its password stays as it is.")
        return
    say(f"Role {one.name} ({one.role}) {'is up to date' if found else 'was made'}.")


def _role_statement(
    connection: "psycopg.Connection[Any]", one: Login, *, is_there: bool
) -> sql.Composed:
    """Return CREATE or ALTER ROLE.

    The password travels as a SCRAM verifier: statements get logged.
    """
    verb = sql.SQL("ALTER ROLE {}" if is_there else "CREATE ROLE {}").format(
        sql.Identifier(one.name)
    )
    if one.password is None:
        return verb + sql.SQL(" NOLOGIN")
    verifier = connection.pgconn.encrypt_password(
        one.password.encode(), one.name.encode(), b"scram-sha-256"
    ).decode()
    return verb + sql.SQL(" LOGIN PASSWORD {}").format(sql.Literal(verifier))


def close_to_public(url: str) -> None:
    """Take from PUBLIC what PostgreSQL gives to everybody, also for functions that come later."""
    database = sql.Identifier(database_name(url))
    with _connected(url) as connection, connection.transaction():
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")


def apply_grants(url: str, logins: list[Login], exceptions: Grants) -> Granted:
    """Give every role exactly what the table says, in one transaction: nobody sees a half-way
    state.

    Raises SetupRefused when the table names an object that does not exist.
    """
    names = {one.role: sql.Identifier(one.name) for one in logins}
    with _connected(url) as connection, connection.transaction():
        objects = _objects(connection)
        _refuse_unknown(connection, objects, exceptions)
        database = sql.Identifier(database_name(url))
        everybody = sql.SQL(", ").join(names.values())
        connection.execute(
            sql.SQL(
                "GRANT CONNECT ON DATABASE {0} TO {1}; GRANT USAGE ON SCHEMA public TO {1};"
                "GRANT TEMPORARY ON DATABASE {0} TO {2}"
            ).format(database, everybody, names["app"])
        )
        for one in objects:
            connection.execute(_grant(one, names, exceptions))
        _check_owner_apart(connection, logins)
    kinds = [one.kind for one in objects]
    return Granted(
        tables=kinds.count("table") + kinds.count("view"),
        sequences=kinds.count("sequence"),
        functions=kinds.count("function"),
    )


@dataclass(frozen=True)
class _Object:
    """A table, view, sequence or function of ours."""

    oid: int
    kind: str
    name: str
    quoted: str

    @property
    def word(self) -> str:
        return {"sequence": "SEQUENCE", "function": "ROUTINE"}.get(self.kind, "TABLE")


# Partitions are left out: everybody goes through the table they belong to.
_OBJECTS = """
SELECT oid::bigint, CASE WHEN relkind = 'S' THEN 'sequence' WHEN relkind IN ('v', 'm') THEN 'view'
       ELSE 'table' END, relname, oid::regclass::text
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT relispartition AND pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT oid::bigint, 'function', proname, oid::regprocedure::text
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND pg_has_role(proowner, 'USAGE')
ORDER BY 2, 4
"""


def _objects(connection: "psycopg.Connection[Any]") -> list[_Object]:
    return [_Object(*row) for row in connection.execute(_OBJECTS)]


def _refuse_unknown(
    connection: "psycopg.Connection[Any]", objects: list[_Object], exceptions: Grants
) -> None:
    """Turn the table's names into objects; a name that means nothing is a mistake in the table."""
    known = {_key(one) for one in objects}
    for name in exceptions:
        if _resolved(connection, name) not in known:
            raise SetupRefused(f"The table of grants names {name}, which does not exist.")


def _key(one: _Object) -> tuple[str, int]:
    return ("function" if one.kind == "function" else "relation", one.oid)


def _resolved(connection: "psycopg.Connection[Any]", name: str) -> tuple[str, int] | None:
    """Return the key of what an exception names, or None."""
    word, _, rest = name.partition(" ")
    is_function = word == "FUNCTION"
    question = "to_regprocedure(%s)" if is_function else "to_regclass(%s)"
    found = connection.execute(
        f"SELECT {question}::oid::bigint",
        [rest if word in {"FUNCTION", "SEQUENCE"} else name],
    ).fetchone()
    if found is None or found[0] is None:
        return None
    return ("function" if is_function else "relation", found[0])


def _grant(
    one: _Object, names: Mapping[str, sql.Identifier], exceptions: Mapping[str, Mapping[str, str]]
) -> sql.Composed:
    """Return the statements that leave every role with exactly its privileges on one object."""
    target = sql.SQL(f"{one.word} {one.quoted}")
    everybody = sql.SQL(", ").join(names.values())
    statements = [sql.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(target, everybody)]
    said = exceptions.get(_name_in_table(one), {})
    for role, name in names.items():
        privileges = said.get(role, default_privileges(one.kind, one.name, role))
        if privileges:
            statements.append(
                sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(privileges), target, name)
            )
    return sql.SQL("; ").join(statements)


def _name_in_table(one: _Object) -> str:
    return {"sequence": f"SEQUENCE {one.name}", "function": f"FUNCTION {one.quoted}"}.get(
        one.kind, one.name
    )


def _check_owner_apart(connection: "psycopg.Connection[Any]", logins: list[Login]) -> None:
    question = "SELECT pg_has_role(%s, user, 'MEMBER')"
    for one in logins:
        if connection.execute(question, [one.name]).fetchone() == (True,):
            raise SetupRefused(f"The role {one.name} is a member of the owner; take that away.")


@contextmanager
def _connected(url: str) -> "Iterator[psycopg.Connection[Any]]":
    try:
        with psycopg.connect(
            url, autocommit=True, connect_timeout=10, application_name="message-center-setup"
        ) as connection:
            yield connection
    except psycopg.OperationalError as failure:
        raise SetupRefused(f"PostgreSQL does not answer: {_first_line(failure)}") from failure


def _first_line(failure: Exception) -> str:
    return str(failure).strip().splitlines()[0]
