"""The signing key: an Ed25519 key in a PEM file that only the signer may read.

While it is being replaced there are two: the coming one waits at NAME.next.pem, and the one before
stays at NAME.old.pem for as long as both sign. Which is which the signer's memory says, not a name.
"""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions.durable_files import sync_folder
from audit.actions.secret_file import write_new


class BadKey(RuntimeError):
    """The key's file cannot be used; the sentence says why."""


def signing_key(path: Path, *, may_create: bool) -> Ed25519PrivateKey:
    """Return the key, made (mode 0400) when absent and allowed; raise BadKey."""
    try:
        if not path.exists():
            _make(path, may_create=may_create)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as failure:
        raise BadKey(f"The signing key {path} cannot be read: {failure.strerror}.") from failure
    except (ValueError, TypeError, UnsupportedAlgorithm) as broken:
        raise BadKey(f"{path} holds no private key: {broken}") from broken
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path} holds a key that is not Ed25519.")
    return key


class KeyFiles:
    """The files of the log's key: `path` holds the present one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.old = path.with_suffix(f".old{path.suffix}")
        self.next = path.with_suffix(f".next{path.suffix}")

    def load(self, *, may_create: bool) -> list[Ed25519PrivateKey]:
        """Return all keys that are there; raise BadKey for none, or one that cannot be used."""
        return self.present() or [signing_key(self.path, may_create=may_create)]

    def present(self) -> list[Ed25519PrivateKey]:
        """Return the keys that are there, maybe none; raise BadKey for a damaged one."""
        files = [file for file in (self.path, self.old, self.next) if file.exists()]
        return [signing_key(file, may_create=False) for file in files]

    def make_next(self) -> Ed25519PrivateKey:
        """Return the coming key: a new one, or that of a rotation that was broken off."""
        return signing_key(self.next, may_create=True)

    def arrange(self, present: Ed25519PrivateKey) -> None:
        """Put the present key in its place, when it is still the coming one."""
        if _holds(self.next, present):
            if self.path.exists():
                self.path.rename(self.old)
            self.next.rename(self.path)
            sync_folder(self.path.parent)

    def drop_old(self) -> bool:
        """Destroy the key that signs no more; say whether there was one."""
        with suppress(FileNotFoundError):
            self.old.unlink()
            sync_folder(self.path.parent)
            return True
        return False

    def are_readable_by_others(self) -> bool:
        """Say whether anybody but their owner may read or write one of the files."""
        files = [file for file in (self.path, self.old, self.next) if file.exists()]
        return any(is_readable_by_others(file) for file in files)


def show_verifier_keys(path: Path, text: str) -> None:
    """Write the verifier keys beside the signing key, for those who check, if one may."""
    beside = path.with_suffix(".vkey")
    with suppress(OSError):
        if not beside.exists() or beside.read_text(encoding="utf-8") != text:
            aside = beside.with_suffix(f".vkey.{os.getpid()}")
            write_new(aside, text.encode(), mode=0o444)
            aside.rename(beside)


def is_readable_by_others(path: Path) -> bool:
    """Say whether anybody but the file's owner may read or write the key."""
    return bool(path.stat().st_mode & 0o077)


def _holds(path: Path, key: Ed25519PrivateKey) -> bool:
    if not path.exists():
        return False
    found = signing_key(path, may_create=False)
    return found.private_bytes_raw() == key.private_bytes_raw()


def _make(path: Path, *, may_create: bool) -> None:
    if not may_create:
        raise BadKey(
            f"The signing key {path} is gone. A new one would break the line of checkpoints: "
            "restore it from where it is kept, or declare it lost with --key-lost."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_new(path, pem)
