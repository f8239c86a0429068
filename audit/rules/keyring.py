"""The keys of the log, one after the other, and the note by which one hands over to the next.

For a time both sign, so that a reader who knows only one of them is never without a checkpoint.
Which keys sign an epoch follows from the epoch's own number and time: signing again gives the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.rules.canonical import read_stamp
from audit.rules.epochs import Epoch
from audit.rules.notes import (
    BadNote,
    Note,
    VerifierKey,
    public_key,
    read_key,
    read_note,
    sign,
    verify,
)

_HEADING = "smsc-audit-key-rotation/v1"
# Ours, not of the published format: a reader believes a key because he was given it.
_LOST = "smsc-audit-key-lost/v1"
_BEGUN_ANEW = "The signer began anew with a database that did not name this key."


@dataclass(frozen=True)
class KeySpan:
    """A verifier key of the log and the epochs that it signs.

    It signs from number `first_epoch` on, once it is replaced only what is earlier than `until`.
    `note` is the rotation note that brought it, or the declaration that the key before it is lost;
    empty for the first key.
    """

    key: str
    first_epoch: int = 0
    note: str = ""
    until: datetime | None = None

    def signs(self, epoch: Epoch) -> bool:
        """Say whether this key signs the checkpoint of an epoch."""
        is_ended = self.until is not None and read_stamp(epoch.at) >= self.until
        return epoch.number >= self.first_epoch and not is_ended

    def ended(self, at: datetime, *, last: Epoch | None) -> "KeySpan":
        """Return this key as it signs until `at`, `last` (the last signed epoch) included.

        The clock that fixes epochs may be ahead of the one that says `at`: what the key has signed
        stays its own.
        """
        signed = read_stamp(last.at) + timedelta(microseconds=1) if last else at
        return replace(self, until=max(at, signed))


@dataclass(frozen=True)
class Rotation:
    """What a rotation note says: `new` signs from `first_epoch` on."""

    old: VerifierKey
    new: VerifierKey
    first_epoch: int

    @property
    def body(self) -> str:
        """Return the four lines that both keys sign."""
        return f"{_HEADING}\n{self.old}\n{self.new}\n{self.first_epoch}\n"


@dataclass(frozen=True)
class Loss:
    """What a declaration says: `lost` signs no more, and `new` signs from `first_epoch` on."""

    lost: VerifierKey
    new: VerifierKey
    first_epoch: int
    why: str

    @property
    def body(self) -> str:
        """Return the five lines that the new key alone signs."""
        return f"{_LOST}\n{self.lost}\n{self.new}\n{self.first_epoch}\n{self.why}\n"


def sign_together(body: str, name: str, privates: Sequence[Ed25519PrivateKey]) -> Note:
    """Sign a body with several keys of one name, a line each in their order."""
    notes = [sign(body, name, private) for private in privates]
    return Note(body, tuple(line for note in notes for line in note.lines))


def hand_over(
    name: str, old: Ed25519PrivateKey, new: Ed25519PrivateKey, *, first_epoch: int
) -> Note:
    """Return the rotation note of a log's name, signed by both keys."""
    rotation = Rotation(public_key(name, old), public_key(name, new), first_epoch)
    return sign_together(rotation.body, name, [old, new])


def read_rotation(text: str) -> Rotation:
    """Read a rotation note that both of its keys signed; raise BadNote or BadSignature."""
    note = read_note(text)
    heading, *lines = note.body.splitlines()
    if heading != _HEADING or len(lines) != 3 or not lines[2].isdecimal():
        raise BadNote("A rotation note has four lines: its name, two keys, an epoch.")
    rotation = Rotation(read_key(lines[0]), read_key(lines[1]), int(lines[2]))
    signers = {verified.key for verified in verify(note, [rotation.old, rotation.new])}
    if rotation.body != note.body or signers != {rotation.old, rotation.new}:
        raise BadNote("A rotation note is signed by both of its keys.")
    return rotation


def declare_lost(lost: VerifierKey, new: Ed25519PrivateKey, *, first_epoch: int, why: str) -> Note:
    """Return the declaration that a key is gone; the key that goes on signs it. `why` is a line."""
    loss = Loss(lost, public_key(lost.name, new), first_epoch, why)
    return sign(loss.body, lost.name, new)


def is_loss(text: str) -> bool:
    """Say whether the note that brought a key declares the one before it lost."""
    return text.startswith(f"{_LOST}\n")


def read_loss(text: str) -> Loss:
    """Read a declaration that its new key signed; raise BadNote or BadSignature."""
    note = read_note(text)
    heading, *lines = note.body.splitlines()
    if heading != _LOST or len(lines) != 4 or not lines[2].isdecimal():
        raise BadNote("A declaration has five lines: its name, two keys, an epoch, a reason.")
    loss = Loss(read_key(lines[0]), read_key(lines[1]), int(lines[2]), lines[3])
    if loss.body != note.body or not verify(note, [loss.new]):
        raise BadNote("A declaration is signed by the key that goes on.")
    return loss


def follow_on(
    before: str, key: str, known: Mapping[str, Ed25519PrivateKey], *, first_epoch: int
) -> KeySpan:
    """Return `key` as it follows the key `before` in a log that does not name it.

    `known` are the private keys that are there, by their verifier keys; `key` is one of them. The
    key before signs for it when it is there too, else it is declared lost.
    """
    old, new = read_key(before), known[key]
    if before in known:
        note = hand_over(old.name, known[before], new, first_epoch=first_epoch)
    else:
        note = declare_lost(old, new, first_epoch=first_epoch, why=_BEGUN_ANEW)
    return KeySpan(key, first_epoch, str(note))
