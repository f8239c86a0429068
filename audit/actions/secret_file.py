"""The site's secret that keys the nonces of heads: a file that the sequencer makes."""

import os
import secrets
from pathlib import Path

from audit.actions.durable_files import sync_folder

_SHORTEST = 32


class BadSecret(RuntimeError):
    """The secret's file cannot be used; the sentence says why."""


def site_secret(path: Path, *, may_create: bool = False) -> bytes:
    """Return the secret (the file's text without white space around it), made when absent and
    allowed.

    The sequencer and the signer need the same one. Raises BadSecret when it is unreadable or short.
    """
    try:
        if may_create and not path.exists():
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as failure:
        raise BadSecret(f"The secret {path} cannot be read: {failure.strerror}.") from failure
    if len(secret) < _SHORTEST:
        raise BadSecret(f"The secret {path} is shorter than {_SHORTEST} characters.")
    return secret


def _make(path: Path) -> None:
    """Write it aside and link it into place: of two that start together, one wins whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, f"{secrets.token_hex(32)}\n".encode())


def write_new(path: Path, data: bytes, mode: int = 0o400) -> bool:
    """Write a file that must not exist yet, durably; return False when somebody else was first."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(handle, data)
        os.fsync(handle)
        os.link(aside, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        os.close(handle)
        aside.unlink()
    return True
