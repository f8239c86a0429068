"""The tables whose every change must have an entry, and what to record of one that came around.

Each app's migration puts the triggers on its own tables with `watching`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Watched(NamedTuple):
    """How a table's rows are named in the log, and which operations account for its changes.

    An object is `obj_type` with the id `<prefix>_<value of key>`; `op` records what came around.
    `accounts` are beginnings of operations (`sender.`). The chain is that of the row's workspace
    unless `is_system`. Of `hidden` columns the log says that they changed, never a value. Updates
    of `idle` columns are nobody's decision and are not looked at.
    """

    obj_type: str
    prefix: str
    key: str
    op: str
    accounts: tuple[str, ...]
    is_system: bool = False
    hidden: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


def _of_route(key: str, *idle: str) -> Watched:
    """A route and what belongs to it are one object."""
    op, accounts = "route.changed_outside", ("route.",)
    return Watched("route", "rte", key, op, accounts, is_system=True, idle=idle)


WATCHED: Mapping[str, Watched] = {
    "sender": Watched("sender", "snd", "id", "sender.changed_outside", ("sender.",)),
    "sender_revision": Watched(
        "sender_revision", "rev", "id", "sender.changed_outside", ("sender.",)
    ),
    "sender_decision": Watched(
        "sender_revision", "rev", "revision_id", "sender.changed_outside", ("sender.",)
    ),
    "approval": Watched(
        "campaign",
        "cmp",
        "campaign_id",
        "approval.changed_outside",
        ("campaign.approve", "campaign.return", "campaign.reject"),
        hidden=("signature",),
    ),
    "membership": Watched(
        "user", "usr", "user_id", "member.changed_outside", ("member.", "role.grant")
    ),
    "opt_out": Watched(
        "opt_out",
        "opt",
        "id",
        "optout.changed_outside",
        ("optout.", "number.erase"),
        hidden=("fingerprint", "number_sealed", "note"),
    ),
    "connection": Watched(
        "connection",
        "con",
        "id",
        "connection.changed_outside",
        ("connection.",),
        is_system=True,
        hidden=("password_sealed", "carrier_settings"),
    ),
    "route": _of_route("id", "down_since_at", "ranges_changed_at"),
    "route_connection": _of_route("route_id"),
    "route_range": _of_route("route_id"),
    "route_grant": _of_route("route_id"),
    "account": Watched(
        "user",
        "usr",
        "id",
        "user.changed_outside",
        ("user.create", "user.disable", "user.enable", "user.password_", "role.grant"),
        is_system=True,
        hidden=("email", "password"),
        idle=(
            *("last_login", "last_workspace_id", "password_link_sent_at"),
            *("theme", "has_shortcuts"),
        ),
    ),
    "api_key": Watched(
        "key",
        "key",
        "id",
        "key.changed_outside",
        ("key.",),
        hidden=("secret_hash",),
        idle=("last_used_at",),
    ),
}

# Deed -> the rows that its trigger sees. Each needs a trigger of its own.
_DEEDS: Mapping[str, str] = {
    "INSERT": "REFERENCING NEW TABLE AS new_rows",
    "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "REFERENCING OLD TABLE AS old_rows",
    "TRUNCATE": "",
}


def watchers() -> list[str]:
    """Return the names of the triggers that each of these tables has."""
    return [_name(deed) for deed in _DEEDS]


def watching(table: str) -> str:
    """Return the SQL that puts the triggers on a table."""
    one = WATCHED[table]
    words = [
        one.obj_type,
        one.prefix,
        one.key,
        one.op,
        ",".join(f"{beginning}%" for beginning in one.accounts),
        "system" if one.is_system else "workspace",
        ",".join(one.hidden),
        ",".join(one.idle),
    ]
    arguments = ", ".join(f"'{word}'" for word in words)
    return "\n".join(
        f"CREATE TRIGGER {_name(deed)} AFTER {deed} ON {table} {rows}\n"
        f"    FOR EACH STATEMENT EXECUTE FUNCTION audit_watch({arguments});\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {_name(deed)};"
        for deed, rows in _DEEDS.items()
    )


def not_watching(table: str) -> str:
    """Return the SQL that takes the triggers away."""
    return "\n".join(f"DROP TRIGGER {_name(deed)} ON {table};" for deed in _DEEDS)


def _name(deed: str) -> str:
    return f"audit_watch_{deed.lower()}"
