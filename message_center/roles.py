"""Which database role a command runs as, and what each role may do.

One PostgreSQL role per duty: `owner` migrates, `app` runs, `sequencer` and `signer` each have their
own. Role names carry the database's name, because roles belong to the whole cluster.

What a role may do is a table: DEFAULT here, and for each app the exceptions in its
`rules/grants.py`. `manage.py setup_database` applies it.
"""

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# Object -> role -> privileges. An object is a table or view by its name, or "FUNCTION name(types)"
# or "SEQUENCE name". A role that is not named keeps the default; an empty text takes everything
# from it.
Grants = Mapping[str, Mapping[str, str]]

URL_OF_ROLE: Mapping[str, str] = {
    "owner": "OWNER_DATABASE_URL",
    "app": "DATABASE_URL",
    "sequencer": "SEQUENCER_DATABASE_URL",
    "signer": "SIGNER_DATABASE_URL",
    "exporter": "EXPORTER_DATABASE_URL",
}

ROLE_OF_COMMAND: Mapping[str, str] = {
    "setup_database": "owner",
    "migrate": "owner",
    "makemigrations": "owner",
    "audit_sequencer": "sequencer",
    "audit_signer": "signer",
    "audit_prune": "owner",
}


def role_of_command(argv: Sequence[str]) -> str:
    """Return the role for `manage.py <command>`; everything unnamed runs as `app`."""
    return ROLE_OF_COMMAND.get(argv[1] if len(argv) > 1 else "", "app")


def database_url(role: str) -> str:
    """Return the connection URL of a role, from its variable or from the file that NAME_FILE names.

    Raises KeyError with the variable's name when neither is set.
    """
    name = URL_OF_ROLE[role]
    file = os.environ.get(f"{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return os.environ[name]


APPS = ("workspaces", "smpp_client", "campaigns", "audit")
RUNTIME_ROLES = ("app", "sequencer", "signer", "exporter")

DEFAULT: Mapping[str, str] = {
    "table": "SELECT, INSERT, UPDATE, DELETE",
    "view": "SELECT",
    "sequence": "USAGE",
    "function": "EXECUTE",
}

# Django's own tables that only a migration writes.
DJANGO: Grants = {
    "django_migrations": {"app": "SELECT"},
    "django_content_type": {"app": "SELECT"},
    "auth_permission": {"app": "SELECT"},
}


def exceptions() -> dict[str, Mapping[str, str]]:
    """Return the exceptions of all apps as one table."""
    found = dict(DJANGO)
    for app in APPS:
        name = f"{app}.rules.grants"
        if find_spec(name):
            found.update(import_module(name).GRANTS)
    return found


def default_privileges(kind: str, name: str, role: str) -> str:
    """Return what a role may do with an object that no exception names.

    `kind` is a key of DEFAULT. The runtime role works with everything but the audit log; the others
    get only what an exception gives them.
    """
    if role != "app" or name.startswith("audit_"):
        return ""
    return DEFAULT[kind]


def role_name(role: str, database: str) -> str:
    """Return the name of a role whose URL nobody has set."""
    return f"{database}_{role}"
