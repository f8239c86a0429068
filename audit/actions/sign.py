"""Sign what was recomputed: the local witness, with its own key and its own memory.

The signer believes nothing that it has not hashed itself. Everything that it remembers lies in its
folder, outside the database: a history that is rewritten, forked or set back no longer fits, and it
refuses to sign, and to start again, until a person has looked.
"""

import fcntl
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import errors

from audit.queries import chains
from audit.queries.chains import Connection, StoredEpoch
from audit.queries.following import Fixed, Follower, read
from audit.rules.canonical import stamp
from audit.rules.chain import Broken
from audit.rules.epochs import Epoch
from audit.rules.keyring import KeySpan, follow_on, sign_together
from audit.rules.memory import BadMemory, Memory, read_memory
from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    public_key,
    read_key,
    read_signed_checkpoint,
)

MEMORY = "signer.json"
HELD = "held.note"
REFUSED = "refused.txt"
VERIFIER_KEY = "log.vkey"


class Refused(RuntimeError):
    """The signer does not sign; the sentence says what it found. A person must look."""


class Folder:
    """The signer's own folder. One signer at a time, or Refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (path / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another signer uses {path}.") from None

    def read(self, name: str) -> str | None:
        """Return a file's text, None when it is absent."""
        path = self.path / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def write(self, name: str, text: str) -> None:
        """Write a file so that after a power cut it is the old or the new one, never a part."""
        aside = self.path / f"{name}.new"
        with aside.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        aside.rename(self.path / name)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def memory(self) -> Memory | None:
        """Return what the signer remembers, None before its first start; raise Refused."""
        refused = self.read(REFUSED)
        if refused is not None:
            raise Refused(
                f"This signer refused before: {refused.strip()} Find the cause; then remove "
                f"{self.path / REFUSED}."
            )
        text = self.read(MEMORY)
        try:
            return read_memory(text) if text else None
        except BadMemory as damage:
            raise Refused(str(damage)) from damage


class Signer:
    """Follows one installation's log. `connection` is in autocommit, in the signer's role."""

    def __init__(
        self,
        connection: Connection,
        *,
        folder: Folder,
        privates: Mapping[str, Ed25519PrivateKey],
        origin: str,
        memory: Memory,
        secret: bytes,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._privates = privates
        self._origin = origin
        self._keys = memory.keys
        self._follower = Follower(memory, secret=secret)

    @property
    def present(self) -> Ed25519PrivateKey:
        """Return the key that signs every epoch from now on."""
        return self._privates[self._keys[-1].key]

    @property
    def verifier_keys(self) -> str:
        """Return the verifier keys, a line each, the present one first."""
        return "".join(f"{one.key}\n" for one in reversed(self._keys))

    @property
    def signs_alone(self) -> bool:
        """Say whether the keys before the present one have signed for the last time."""
        epoch = self._follower.memory.epoch
        return epoch is not None and not any(one.signs(epoch) for one in self._keys[:-1])

    def resume(self, *, now: datetime) -> None:
        """Compare the epoch log with the memory and publish what a crash left unpublished.

        Raises Refused when the log is not the one that was signed.
        """
        try:
            unsigned = self._follower.recall(self._connection)
        except Broken as broken:
            raise self._refuse(f"{broken.code}: {broken}", now) from broken
        memory = self._follower.memory
        self._publish_keys()
        if memory.epoch:
            self._folder.write(HELD, self._note(Fixed(memory.epoch, memory.root), now))
        self._publish(unsigned, now)

    def step(self, *, now: datetime) -> list[Fixed]:
        """Follow the log to its end and sign its new epochs; raise Refused."""
        before = self._follower.memory
        try:
            fixed = self._follower.catch_up(self._connection)
        except Broken as broken:
            raise self._refuse(f"{broken.code}: {broken}", now) from broken
        if self._follower.memory != before:
            self._folder.write(MEMORY, self._follower.memory.text())
        if fixed:
            self._folder.write(HELD, self._note(fixed[-1], now))
        self._publish(fixed, now)
        return fixed

    def _note(self, fixed: Fixed, now: datetime) -> str:
        """Return the checkpoint of an epoch: signed, or as keys that are gone have signed it."""
        signers = self._signers(fixed.epoch)
        if signers:
            return str(sign_together(self._checkpoint(fixed).body, self._origin, signers))
        note = _stored_note(self._connection, fixed.epoch.number)
        if not note:
            # No finding: the next start comes to the same epoch, and signs it once a key is back.
            raise Refused(f"The keys that sign epoch {fixed.epoch.number} are gone; restore them.")
        if not self._has_signed(note, fixed):
            raise self._refuse(
                f"The keys that sign epoch {fixed.epoch.number} are gone, and its checkpoint is not"
                " one that they signed.",
                now,
            )
        return note

    def _checkpoint(self, fixed: Fixed) -> Checkpoint:
        return Checkpoint(self._origin, fixed.epoch.number + 1, fixed.root)

    def _has_signed(self, note: str, fixed: Fixed) -> bool:
        """Say whether a note is this epoch's checkpoint and one of the epoch's keys signed it."""
        keys = [read_key(one.key) for one in self._keys if one.signs(fixed.epoch)]
        try:
            return read_signed_checkpoint(note, keys) == self._checkpoint(fixed)
        except (BadNote, BadSignature):
            return False

    def _signers(self, epoch: Epoch) -> list[Ed25519PrivateKey]:
        """Return the keys that sign an epoch; one that was taken away early signs no more."""
        wanted = [one.key for one in self._keys if one.signs(epoch)]
        return [self._privates[key] for key in wanted if key in self._privates]

    def _publish_keys(self) -> None:
        for one in self._keys:
            try:
                self._connection.execute(
                    "SELECT audit_publish_key(%s, %s, %s)", [one.key, one.first_epoch, one.note]
                )
            except errors.IntegrityError as taken:
                raise Refused(f"The database names other keys than {one.key}.") from taken

    def _publish(self, fixed: Sequence[Fixed], now: datetime) -> None:
        for one in fixed:
            number, note = one.epoch.number, self._note(one, now)
            try:
                self._connection.execute("SELECT audit_publish_note(%s, %s)", [number, note])
            except errors.CheckViolation as taken:
                # A signer that begins anew no longer has every key that signed with the present.
                if not self._has_signed(_stored_note(self._connection, number), one):
                    finding = f"Epoch {number} holds a note of somebody else."
                    raise self._refuse(finding, now) from taken

    def _refuse(self, finding: str, now: datetime) -> Refused:
        """Write down what was found, so that no restart goes on before a person has looked."""
        self._folder.write(REFUSED, f"{stamp(now)} {finding}\n")
        return Refused(finding)


def start(
    connection: Connection,
    *,
    folder: Folder,
    privates: Sequence[Ed25519PrivateKey],
    domain: str,
    secret: bytes,
    now: datetime,
    trusts_database: bool = False,
) -> Signer | None:
    """Return the signer of the installation in this database, None while there is none.

    `privates` are all keys that there are, the one that lies in the present one's place first; the
    memory says which of them sign. Without a memory it begins with the first entry ever and the
    keys that the database names. It refuses to when the database holds notes already (its memory
    was lost) unless `trusts_database`. Raises Refused.
    """
    chains.see_everything(connection)
    install = installation(connection)
    if install is None:
        return None
    origin = f"{domain}/{install}"
    known = {str(public_key(origin, private)): private for private in privates}
    memory = folder.memory()
    if memory is None:
        if not trusts_database and signed_count(connection):
            raise Refused(
                "The database holds signed checkpoints, but this signer remembers nothing. Restore "
                f"{folder.path}, or begin anew with --trust-database."
            )
        memory = Memory(install, _begin(connection, known, now))
    if memory.install != install:
        raise Refused(f"This is the database of {install}; the signer followed {memory.install}.")
    if memory.key.key not in known:
        raise Refused(
            "The signing key is not the one that this signer used before. Restore that one, or"
            " declare it lost with --key-lost."
        )
    signer = Signer(
        connection, folder=folder, privates=known, origin=origin, memory=memory, secret=secret
    )
    if folder.read(VERIFIER_KEY) != signer.verifier_keys:
        folder.write(VERIFIER_KEY, signer.verifier_keys)
    signer.resume(now=now)
    return signer


def installation(connection: Connection) -> UUID | None:
    """Return the UUID of the installation in this database, None while there is none."""
    found = connection.execute("SELECT ws FROM audit_head WHERE slot = 0").fetchone()
    return found[0] if found else None


def _begin(
    connection: Connection, known: Mapping[str, Ed25519PrivateKey], now: datetime
) -> tuple[KeySpan, ...]:
    """Return the keys to begin with: all published ones, and the first of `known` if it is none.

    Until when the earlier ones sign is forgotten; they are taken to end now. Raises Refused.
    """
    keys, first = published_keys(connection), next(iter(known))
    if not keys:
        return (KeySpan(first),)
    if first not in [one.key for one in keys]:
        # The backup is from before this key came.
        keys.append(follow_on(keys[-1].key, first, known, first_epoch=signed_count(connection)))
    last = last_signed(connection)
    return (*(one.ended(now, last=last) for one in keys[:-1]), keys[-1])


def published_keys(connection: Connection) -> list[KeySpan]:
    """Return the keys that the database names, in their order."""
    query = "SELECT key, first_epoch, note FROM audit_log_key ORDER BY first_epoch"
    return [KeySpan(*row) for row in connection.execute(query)]


def signed_count(connection: Connection) -> int:
    """Return the number of the first epoch after the last checkpoint."""
    query = "SELECT coalesce(max(epoch) + 1, 0) FROM audit_epoch WHERE note IS NOT NULL"
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def last_signed(connection: Connection) -> Epoch | None:
    """Return the last epoch that has a checkpoint, None while none has; raise Refused."""
    query = (
        "SELECT epoch, body, note FROM audit_epoch WHERE note IS NOT NULL"
        " ORDER BY epoch DESC LIMIT 1"
    )
    found = connection.execute(query).fetchone()
    try:
        return read(StoredEpoch(*found)) if found else None
    except Broken as broken:
        raise Refused(f"{broken.code}: {broken}") from broken


def _stored_note(connection: Connection, epoch: int) -> str:
    query = "SELECT note FROM audit_epoch WHERE epoch = %s"
    found = connection.execute(query, [epoch]).fetchone()
    return (found[0] or "") if found else ""
