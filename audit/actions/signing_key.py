"""The signing key: an Ed25519 key in a PEM file that only the signer may read."""

from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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


def show_verifier_key(path: Path, key: str) -> None:
    """Write the verifier key beside the signing key, for those who check, if one may."""
    beside = path.with_suffix(".vkey")
    with suppress(OSError):
        if not beside.exists():
            write_new(beside, f"{key}\n".encode(), mode=0o444)


def is_readable_by_others(path: Path) -> bool:
    """Say whether anybody but the file's owner may read or write the key."""
    return bool(path.stat().st_mode & 0o077)


def _make(path: Path, *, may_create: bool) -> None:
    if not may_create:
        raise BadKey(
            f"The signing key {path} is gone. A new one would break the line of checkpoints: "
            "restore it from where it is kept."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_new(path, pem)
