"""Which database role a command runs as, and what each role may do.

One PostgreSQL role per duty: `owner` migrates, `app` runs, `sequencer` and `signer` each have their
own.
Role names carry the database's name, because roles belong to the whole cluster.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

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
