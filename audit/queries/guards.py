"""Whether the database still guards the log as the migrations told it to.

A superuser can take every guard away. What he cannot do is to leave no trace for whoever looks
before he has put all of it back: this looks, each night.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from audit.queries.chains import Connection
from audit.rules.chain import Broken
from audit.rules.findings import Report
from audit.rules.grants import GRANTS
from audit.rules.guards import ALWAYS, CONSTRAINTS, FUNCTIONS, GUARDS, POLICIES, source_digest

_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text, p.proname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal
"""
_FUNCTIONS = """
SELECT replace(p.oid::regprocedure::text, '"', ''), p.prosrc, p.prosecdef,
    coalesce(p.proconfig::text[], '{}'), p.proowner = c.relowner
FROM pg_proc p JOIN pg_class c ON c.oid = 'public.audit_event'::regclass
WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'audit\\_%'
"""
_CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
_POLICIES = """
SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relrowsecurity AND p.polname = 'workspace_only' AND c.relname LIKE 'audit\\_%'
"""
# Whoever may do something with the log, its owner and superusers apart: what, and on what.
_GRANTED = """
SELECT o.name, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), 'PUBLIC'),
    a.privilege_type || coalesce(' (' || o.part || ')', '')
FROM (
    SELECT c.relname AS name, NULL AS part, c.relowner AS owner, c.relacl AS acl FROM pg_class c
    WHERE c.relnamespace IN ('public'::regnamespace, 'audit_private'::regnamespace)
      AND c.relkind = 'r' AND c.relname LIKE 'audit\\_%'
    UNION ALL
    SELECT c.relname, t.attname, c.relowner, t.attacl
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
    WHERE c.relnamespace IN ('public'::regnamespace, 'audit_private'::regnamespace)
      AND c.relkind = 'r' AND c.relname LIKE 'audit\\_%' AND t.attacl IS NOT NULL
    UNION ALL
    SELECT 'FUNCTION ' || replace(p.oid::regprocedure::text, '"', ''), NULL, p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'audit\\_%'
    UNION ALL
    SELECT 'SCHEMA ' || n.nspname, NULL, n.nspowner, n.nspacl FROM pg_namespace n
    WHERE n.nspname = 'audit_private'
) o CROSS JOIN LATERAL aclexplode(o.acl) a
WHERE a.grantee <> o.owner
"""
# Those of the log's readers and writers who could do whatever its owner can.
_ABOVE = """
SELECT r.rolname FROM pg_roles r
WHERE r.rolname = ANY (%s) AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR pg_has_role(
    r.oid, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.audit_event'::regclass),
    'MEMBER'))
"""

_PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([^)]*)\))?")

Granted = Mapping[str, frozenset[str]]


def check_guards(connection: Connection, report: Report) -> None:
    """Compare triggers, functions, constraints, policies and grants with what the product knows.

    Any role may ask. What differs is broken, not a warning: nobody changes it by accident.
    """
    _check_triggers(connection, report)
    _check_functions(connection, report)
    _check_rest(connection, report)
    _check_grants(connection, report)


def _check_triggers(connection: Connection, report: Report) -> None:
    found = {(table, name): (state, calls) for table, name, state, calls in _all(connection)}
    for (table, name), calls in GUARDS.items():
        state, called = found.get((table, name), ("", ""))
        if not state:
            _broken(report, "G01", f"The guard {name} of {table} is gone.")
        elif state != ALWAYS:
            _broken(
                report, "G01", f"The guard {name} of {table} is off, or was switched off and on."
            )
        elif called != calls:
            _broken(report, "G02", f"The guard {name} of {table} calls {called}.")


def _all(connection: Connection) -> list[tuple[str, str, str, str]]:
    return connection.execute(_TRIGGERS).fetchall()


def source_digests(connection: Connection) -> dict[str, str]:
    """Return the digest of every function of the log, as it is now."""
    return {
        name: source_digest(source, is_definer=is_definer, config=config)
        for name, source, is_definer, config, _is_the_owners in connection.execute(_FUNCTIONS)
    }


def _check_functions(connection: Connection, report: Report) -> None:
    found = source_digests(connection)
    for name, _source, _is_definer, _config, is_the_owners in connection.execute(_FUNCTIONS):
        if not is_the_owners:
            _broken(report, "G03", f"The function {name} belongs to somebody else than the log.")
    for name, digest in FUNCTIONS.items():
        if name not in found:
            _broken(report, "G03", f"The function {name} is gone.")
        elif found[name] != digest:
            _broken(report, "G03", f"The function {name} is not the product's.")
    for name in sorted(set(found) - set(FUNCTIONS)):
        _broken(report, "G03", f"The function {name} is not one of the product's.")


def _check_rest(connection: Connection, report: Report) -> None:
    constraints = {name for (name,) in connection.execute(_CONSTRAINTS)}
    for name in CONSTRAINTS:
        if name not in constraints:
            _broken(report, "G04", f"The constraint {name} is gone.")
    policies = {name for (name,) in connection.execute(_POLICIES)}
    for name in POLICIES:
        if name not in policies:
            _broken(report, "G04", f"The policy of {name} is off: tenants could read each other.")


def _check_grants(connection: Connection, report: Report) -> None:
    """Every grantee's rights are those of one role of the table, or an excess that is named."""
    held: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, grantee, privilege in connection.execute(_GRANTED):
        held[grantee][name].add(privilege)
    roles = [_expected(role) for role in sorted({role for one in GRANTS.values() for role in one})]
    for grantee, rights in sorted(held.items()):
        excess = _least_excess(rights, roles)
        if excess:
            _broken(report, "G05", f"{grantee} may do what nobody of the product may: {excess}.")
    above = connection.execute(_ABOVE, [sorted(held)]).fetchall()
    for (name,) in above:
        _broken(report, "G05", f"{name} may do whatever the log's owner may.")


def _expected(role: str) -> Granted:
    return {
        name: frozenset(_privileges(said[role])) for name, said in GRANTS.items() if role in said
    }


def _privileges(text: str) -> Iterator[str]:
    """Yield `UPDATE (seq, hash)` as one privilege a column, as the catalogue has them."""
    for verb, columns in _PRIVILEGE.findall(text):
        if columns:
            yield from (f"{verb} ({column})" for column in columns.split(", "))
        else:
            yield verb


def _least_excess(rights: Mapping[str, set[str]], roles: list[Granted]) -> str:
    """Return what a grantee may do beyond the role that he is most like; "" when nothing."""
    excesses = [
        sorted(
            f"{privilege} on {name}"
            for name, held in rights.items()
            for privilege in held - role.get(name, frozenset())
        )
        for role in roles
    ]
    least: list[str] = min(excesses, key=len)
    return ", ".join(least)


def _broken(report: Report, code: str, sentence: str) -> None:
    report.broken(Broken(code, sentence))
