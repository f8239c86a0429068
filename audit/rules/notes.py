"""Signed notes, checkpoints and verifier keys (C2SP: signed-note, tlog-checkpoint, cosignature).

A note is a body that ends with a line feed, an empty line, and signature lines
`— name base64(key id || signature)`. A checkpoint's body is exactly three lines: the log's
name, the number of epochs, the root in base64.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 1
COSIGNATURE = 4
_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(r"— (\S+) (\S+)\n")
_CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n")


class BadNote(ValueError):
    """A note, checkpoint or key that is not of its form."""


class BadSignature(ValueError):
    """A known key's line does not verify: the note was changed, or somebody else signed it."""


def _key_id(name: str, material: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + material).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name; `algorithm` is 1 for a log or an exporter, 4 for a witness."""

    name: str
    public: bytes
    algorithm: int = ED25519

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that mark this key's lines."""
        return _key_id(self.name, bytes([self.algorithm]) + self.public)

    def __str__(self) -> str:
        """Write the key as `name+id+base64`."""
        material = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


@dataclass(frozen=True)
class SignatureLine:
    """One line of a note; `signature` is what follows the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """Write the line with its line feed."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A body (ends with a line feed) and who signed it."""

    body: str
    lines: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        """Write the note as it is stored and hashed."""
        return f"{self.body}\n{''.join(map(str, self.lines))}"


@dataclass(frozen=True)
class Checkpoint:
    """The epoch log `origin` had `size` epochs with this tree root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class Verified:
    """A known key that signed a note; a witness also says when, in seconds since 1970."""

    key: VerifierKey
    at: int | None = None


def read_key(text: str) -> VerifierKey:
    """Read `name+id+base64`; raise BadNote when it is damaged or of an unknown kind."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise BadNote("A verifier key is name+id+base64.")
    material = _base64(parts[2])
    if len(material) != 33 or material[0] not in {ED25519, COSIGNATURE}:
        raise BadNote("The verifier key is of a kind that this version does not know.")
    key = VerifierKey(parts[0], material[1:], material[0])
    if str(key) != text.strip():
        raise BadNote("The verifier key does not match its id.")
    return key


def public_key(name: str, private: Ed25519PrivateKey) -> VerifierKey:
    """Return the verifier key of a log's or an exporter's signing key."""
    if not _NAME.fullmatch(name):
        raise BadNote(f"{name!r} cannot name a key: no spaces and no plus.")
    return VerifierKey(name, private.public_key().public_bytes_raw())


def sign(body: str, name: str, private: Ed25519PrivateKey) -> Note:
    """Sign a body; Ed25519 is deterministic, so signing again gives the same note."""
    if not body.endswith("\n"):
        raise BadNote("A note's body ends with a line feed.")
    key_id = public_key(name, private).key_id
    return Note(body, (SignatureLine(name, key_id, private.sign(body.encode())),))


def read_note(text: str) -> Note:
    """Take a note apart; raise BadNote unless writing it again gives the same text."""
    body, gap, tail = text.rpartition("\n\n")
    lines = tuple(
        SignatureLine(name, material[:4], material[4:])
        for name, material in ((match[1], _base64(match[2])) for match in _LINE.finditer(tail))
    )
    note = Note(f"{body}\n", lines)
    if not gap or not lines or str(note) != text:
        raise BadNote("A note is a body, an empty line and signature lines.")
    return note


def verify(note: Note, keys: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """Return which of `keys` signed the note; lines of other keys are ignored.

    Raises BadSignature when a line of a known key does not verify.
    """
    known = {(key.name, key.key_id): key for key in keys}
    return tuple(
        _verify_line(note.body, line, known[line.name, line.key_id])
        for line in note.lines
        if (line.name, line.key_id) in known
    )


def read_checkpoint(body: str) -> Checkpoint:
    """Read a checkpoint's body; raise BadNote for anything but its three lines."""
    match = _CHECKPOINT.fullmatch(body)
    if not match:
        raise BadNote("A checkpoint has exactly three lines: name, size, root.")
    checkpoint = Checkpoint(match[1], int(match[2]), _base64(match[3]))
    if len(checkpoint.root) != 32 or checkpoint.body != body:
        raise BadNote("A checkpoint's root is 32 bytes in base64.")
    return checkpoint


def read_signed_checkpoint(text: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that one of `keys` signed under the log's own name.

    Raises BadNote when nobody known signed it or the name is another log's, BadSignature when it
    was changed.
    """
    note = read_note(text)
    checkpoint = read_checkpoint(note.body)
    if checkpoint.origin not in {verified.key.name for verified in verify(note, keys)}:
        raise BadNote(f"No trusted key of {checkpoint.origin} signed this checkpoint.")
    return checkpoint


def _verify_line(body: str, line: SignatureLine, key: VerifierKey) -> Verified:
    signature, message, at = line.signature, body.encode(), None
    if key.algorithm == COSIGNATURE:
        at = int.from_bytes(signature[:8], "big")
        signature = signature[8:]
        message = f"cosignature/v1\ntime {at}\n".encode() + message
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise BadSignature(f"The signature of {key.name} does not fit this text.") from None
    return Verified(key, at)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as broken:
        raise BadNote(f"{text!r} is not base64.") from broken
