"""Secrets that an installation makes for itself on its first start, one file each, mode 0600."""

import base64
import os
import secrets
from pathlib import Path


class SecretFiles:
    """A folder of secrets; each is made once and then stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    def word(self, name: str) -> str:
        """Return a password that is safe inside a URL (43 characters)."""
        return self.file(name, secrets.token_urlsafe(32)).read_text().strip()

    def short_word(self, name: str) -> str:
        """Return a password of 8 characters, the most that SMPP 3.4 carries."""
        return self.file(name, secrets.token_urlsafe(6)).read_text().strip()

    def key_file(self, name: str) -> Path:
        """Return the path of a file that holds 32 random bytes as base64."""
        return self.file(name, base64.b64encode(secrets.token_bytes(32)).decode())

    def file(self, name: str, content: str) -> Path:
        """Return the path of a secret, written with this content when it is not there yet.

        Written aside and renamed: a start that was killed half-way leaves no empty secret.
        """
        path = self.folder / name
        if not path.exists():
            aside = path.with_name(f"{name}.new")
            with open(aside, "w", opener=_private, encoding="utf-8") as handle:
                handle.write(content + "\n")
                handle.flush()
                os.fsync(handle.fileno())
            aside.rename(path)
        return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
