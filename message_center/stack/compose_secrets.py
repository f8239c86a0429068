"""Makes the secrets that docker-compose.yml names: `make secrets`. What is there already stays."""

import sys
from pathlib import Path

from message_center.roles import RUNTIME_ROLES
from message_center.stack.installation import derived_urls
from message_center.stack.secret_files import SecretFiles

OWNER = "message_center_owner"
DATABASE = "message_center"


def make(folder: Path) -> list[str]:
    """Write the secrets into a folder that only its owner may enter; return their names.

    Inside, the files are readable for all: a container sees the single file as another user.
    """
    secrets = SecretFiles(folder)
    names = ["postgres_password", "owner_password", "valkey_password", "secret_key", "audit_nonce"]
    for name in names:
        secrets.word(name)
    secrets.key_file("installation_key")
    passwords = SecretFiles(folder / "passwords")
    owner = f"postgresql://{OWNER}:{secrets.word('owner_password')}@postgres:5432/{DATABASE}"
    urls = derived_urls(owner, passwords)
    secrets.file("owner_database_url", urls["owner"])
    for role in RUNTIME_ROLES:
        secrets.file(f"{role}_database_url", urls[role])
    secrets.file("redis_url", f"redis://:{secrets.word('valkey_password')}@valkey:6379/0")
    made = sorted(path for path in folder.iterdir() if path.is_file())
    for path in made:
        path.chmod(0o444)
    return [path.name for path in made]


if __name__ == "__main__":
    for name in make(Path(sys.argv[1])):
        sys.stdout.write(f"{sys.argv[1]}/{name}\n")
