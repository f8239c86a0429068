"""Go on with a new signing key although the one before is gone: nobody can sign for it any more."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions.sign import (
    MEMORY,
    Folder,
    Refused,
    installation,
    last_signed,
    published_keys,
    signed_count,
)
from audit.actions.signing_key import KeyFiles
from audit.queries import chains
from audit.queries.chains import Connection
from audit.rules.events import personal_text
from audit.rules.keyring import KeySpan, declare_lost
from audit.rules.memory import Memory
from audit.rules.notes import VerifierKey, public_key, read_key


def replace_lost(
    connection: Connection,
    folder: Folder,
    files: KeyFiles,
    *,
    why: str,
    now: datetime,
    trusts_database: bool = False,
) -> KeySpan:
    """Declare the signing key lost and make a new one. Returns the new.

    The new key signs from the first epoch on that has no checkpoint; what the lost one signed
    stays, and the signer goes on to compare everything with it. Without the signer's memory it is
    what the database says, if one `trusts_database`. Run again after a crash, it goes on with the
    key that it had made. Raises Refused, or BadKey.
    """
    chains.see_everything(connection)
    memory = folder.memory() or _from_database(connection, now, trusts=trusts_database)
    lost = read_key(memory.key.key)
    _check_gone(lost, files.present())
    first, before = _place(connection, memory, lost.name, files, now)
    new = files.make_next()
    reason = personal_text(why).strip()
    note = str(declare_lost(lost, new, first_epoch=first, why=reason))
    added = KeySpan(str(public_key(lost.name, new)), first, note)
    folder.write(f"lost-{first}.note", note)
    folder.write(MEMORY, replace(memory, keys=(*before, added)).text())
    files.arrange(new)
    return added


def _place(
    connection: Connection, memory: Memory, name: str, files: KeyFiles, now: datetime
) -> tuple[int, tuple[KeySpan, ...]]:
    """Return from which epoch on the new key signs, and the keys before it. Raises Refused.

    A key that was lost before it signed anything is left out as if it had never been; once it is
    published it stays named, and the one before it has to sign the epoch that it was to begin with.
    """
    first, present = signed_count(connection), memory.key
    ended = present.ended(now, last=memory.epoch or last_signed(connection))
    before = (*memory.keys[:-1], ended)
    if first > present.first_epoch:
        return first, before
    if len(memory.keys) > 1 and present.key not in _names(published_keys(connection)):
        return present.first_epoch, memory.keys[:-1]
    there = {str(public_key(name, private)) for private in files.present()}
    if any(one.key in there and one.until and one.until > now for one in memory.keys[:-1]):
        return present.first_epoch + 1, before
    raise Refused("The present key has signed nothing yet; there is nothing to go on from.")


def _names(keys: Iterable[KeySpan]) -> set[str]:
    return {one.key for one in keys}


def _check_gone(lost: VerifierKey, there: list[Ed25519PrivateKey]) -> None:
    if lost in [public_key(lost.name, private) for private in there]:
        raise Refused("The signing key is there; replace it with --rotate, so that it signs too.")


def _from_database(connection: Connection, now: datetime, *, trusts: bool) -> Memory:
    """Return a memory of nothing but the keys; the signer will recompute everything."""
    install, keys = installation(connection), published_keys(connection)
    if install is None or not keys:
        raise Refused("No key of the log was ever published here; start the signer instead.")
    if not trusts:
        raise Refused(
            "This signer remembers nothing. Restore its folder, or take the database's word for"
            " what was signed with --trust-database."
        )
    last = last_signed(connection)
    return Memory(install, tuple(one.ended(now, last=last) for one in keys))
