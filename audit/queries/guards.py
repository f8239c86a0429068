"""Whether the database still guards the log as the migrations told it to.

A superuser can take every guard away. What he cannot do is to leave no trace for whoever looks
before he has put all of it back: this looks, each night.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager

from audit.queries.chains import Connection
from audit.rules.chain import Broken
from audit.rules.findings import Report
from audit.rules.grants import GRANTS
from audit.rules.guards import (
    ALWAYS,
    FUNCTIONS,
    GUARDS,
    SHAPES,
    TRIGGERS,
    shape_digest,
    source_digest,
)

_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal
  AND c.relnamespace IN ('public'::regnamespace, 'audit_private'::regnamespace)
"""
_FUNCTIONS = """
SELECT replace(replace(p.oid::regprocedure::text, '"', ''), 'public.', ''), p.prosrc, p.prosecdef,
    coalesce(p.proconfig::text[], '{}'), p.proowner = c.relowner
FROM pg_proc p JOIN pg_class c ON c.oid = 'public.audit_event'::regclass
WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'audit\\_%'
"""
# What the log's tables are: table, kind, and each definition as PostgreSQL would write it. Of other
# tables the triggers that watch them.
_SHAPES = """
WITH c AS (
    SELECT r.*, r.relname LIKE 'audit\\_%' AS is_ours FROM pg_class r
    WHERE r.relkind = 'r'
      AND r.relnamespace IN ('public'::regnamespace, 'audit_private'::regnamespace)
)
SELECT c.relname, 'triggers', pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND (c.is_ours OR t.tgname LIKE 'audit\\_%')
UNION ALL
SELECT c.relname, 'constraints', concat_ws(' ', k.conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN c ON c.oid = k.conrelid WHERE c.is_ours AND k.contype <> 'n'
UNION ALL
SELECT c.relname, 'policies', concat_ws(' ', p.polname, p.polcmd, p.polpermissive,
    (SELECT string_agg(coalesce(pg_get_userbyid(nullif(o, 0)), 'PUBLIC'), ',')
     FROM unnest(p.polroles) o),
    pg_get_expr(p.polqual, c.oid), '/', pg_get_expr(p.polwithcheck, c.oid))
FROM pg_policy p JOIN c ON c.oid = p.polrelid WHERE c.is_ours
UNION ALL
SELECT c.relname, 'policies', concat_ws(' ', c.relrowsecurity, c.relforcerowsecurity)
FROM c WHERE c.is_ours
UNION ALL
SELECT c.relname, 'rules', pg_get_ruledef(w.oid)
FROM pg_rewrite w JOIN c ON c.oid = w.ev_class WHERE c.is_ours
UNION ALL
SELECT c.relname, 'defaults', concat_ws(' ', a.attname, pg_get_expr(d.adbin, c.oid))
FROM pg_attrdef d JOIN c ON c.oid = d.adrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum WHERE c.is_ours
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
    SELECT 'FUNCTION ' || replace(replace(p.oid::regprocedure::text, '"', ''), 'public.', ''),
        NULL, p.proowner,
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
# Settings of a role, or of everybody, by which names would mean something else in its sessions, or
# guards would not fire.
_SETTINGS = """
SELECT coalesce(pg_get_userbyid(nullif(s.setrole, 0)), 'everybody'), said
FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) said
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND (s.setrole = 0 OR pg_get_userbyid(s.setrole) = ANY (%s))
  AND split_part(said, '=', 1) IN ('search_path', 'session_replication_role', 'row_security')
"""

_PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([^)]*)\))?")

Granted = Mapping[str, frozenset[str]]


def check_guards(connection: Connection, report: Report) -> None:
    """Compare triggers, functions, constraints, policies and grants with what the product knows.

    Any role may ask. What differs is broken, not a warning: nobody changes it by accident.
    """
    with _names_in_full(connection):
        off = _check_triggers(connection, report)
        _check_shapes(connection, off, report)
        _check_functions(connection, report)
        _check_grants(connection, report)


def _check_triggers(connection: Connection, report: Report) -> set[str]:
    """Return the tables whose guards are not all there and on."""
    found = {(table, name): state for table, name, state in connection.execute(_TRIGGERS)}
    off = set()
    for table, name in GUARDS:
        state = found.get((table, name), "")
        if state == ALWAYS:
            continue
        said = "off, or was switched off and on" if state else "gone"
        _broken(report, "G01", f"The guard {name} of {table} is {said}.")
        off.add(table)
    return off


def shape_digests(connection: Connection) -> dict[str, str]:
    """Return the digest of each `table kind` of the log, as it is now."""
    found: dict[str, list[str]] = defaultdict(list)
    with _names_in_full(connection):
        for table, kind, definition in connection.execute(_SHAPES).fetchall():
            found[f"{table} {kind}"].append(definition)
    return {name: shape_digest(said) for name, said in found.items()}


@contextmanager
def _names_in_full(connection: Connection) -> Iterator[None]:
    """Have PostgreSQL write the schema of every name that is not its own, whatever the role's path:
    a function of the same name elsewhere must not look like ours.
    """
    path = "SELECT set_config('search_path', %s, true)"
    with connection.transaction():
        before = connection.execute("SELECT current_setting('search_path')").fetchone()
        connection.execute(path, [""])
        yield
        connection.execute(path, list(before or [""]))


def _check_shapes(connection: Connection, off: Set[str], report: Report) -> None:
    found = shape_digests(connection)
    for name in sorted({*found, *SHAPES}):
        table, _, kind = name.partition(" ")
        if found.get(name) == SHAPES.get(name) or (kind == TRIGGERS and table in off):
            continue
        code = "G02" if kind == TRIGGERS else "G04"
        _broken(report, code, f"The {kind} of {table} are not the product's.")


def source_digests(connection: Connection) -> dict[str, str]:
    """Return the digest of every function of the log, as it is now."""
    with _names_in_full(connection):
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
    for name, setting in connection.execute(_SETTINGS, [sorted(held)]):
        _broken(report, "G05", f"Sessions of {name} begin with {setting}.")


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
