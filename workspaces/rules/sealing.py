"""How secrets and numbers are sealed: AES-256-GCM, and a keyed fingerprint for equality.

A sealed value is one version byte (1), a 12-byte nonce, and ciphertext with its 16-byte tag. The
context says
where the value belongs (table, column and owner) and is authenticated: a value copied to another
row does not open.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
BODY = len(VERSION) + NONCE_BYTES
FINGERPRINT_BYTES = 16


class SealBroken(ValueError):
    """A sealed value does not open: another key, another place, or changed bytes."""


class Sealer:
    """Seals many values for one context, with what does not change from value to value prepared."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._cipher = AESGCM(key)
        self._context = context

    def seal(self, value: str) -> bytes:
        """Return what Keys.seal returns for this context."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, value.encode(), self._context)


class Opener:
    """Opens many values of one context, with what does not change from value to value prepared."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._decrypt = AESGCM(key).decrypt
        self._context = context

    def open(self, sealed: bytes) -> bytes:
        """Return the value; raises SealBroken."""
        if sealed[:1] != VERSION:
            raise SealBroken("This sealed value has an unknown version.")
        try:
            return self._decrypt(sealed[1:BODY], sealed[BODY:], self._context)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("This sealed value does not open with our key.") from error


class Fingerprinter:
    """Keys.fingerprint for many numbers: HMAC (RFC 2104) with its two key blocks hashed once."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def fingerprint(self, digits: str) -> bytes:
        """Return the 16-byte fingerprint of E.164 digits, without a plus."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(digits.encode())
        outer.update(inner.digest())
        return outer.digest()[:FINGERPRINT_BYTES]


@dataclass(frozen=True)
class Keys:
    """The installation's keys in the clear, in memory only. Each is 32 bytes."""

    data_key: bytes = field(repr=False)
    fingerprint_key: bytes = field(repr=False)

    def seal(self, value: str, context: str) -> bytes:
        """Return the sealed UTF-8 text, bound to its context."""
        return seal(self.data_key, value.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Return the text; raises SealBroken."""
        return unseal(self.data_key, sealed, context.encode()).decode()

    def fingerprint(self, number: str) -> bytes:
        """Return the 16-byte fingerprint of an E.164 number, with or without its plus."""
        digest = hmac.digest(self.fingerprint_key, number.lstrip("+").encode(), "sha256")
        return digest[:FINGERPRINT_BYTES]

    def seal_number(self, number: str, workspace_id: int) -> bytes:
        """Return a number sealed for a workspace's tables."""
        return seal(self.data_key, number.encode(), number_context(workspace_id))

    def open_number(self, sealed: bytes, workspace_id: int) -> str:
        """Return the number that seal_number sealed; raises SealBroken."""
        return unseal(self.data_key, sealed, number_context(workspace_id)).decode()

    def sealer(self, context: str) -> Sealer:
        """Return `seal` for many values of one context."""
        return Sealer(self.data_key, context.encode())

    def number_sealer(self, workspace_id: int) -> Sealer:
        """Return `seal_number` for many numbers of one workspace."""
        return Sealer(self.data_key, number_context(workspace_id))

    def number_opener(self, workspace_id: int) -> Opener:
        """Return `open_number`, in bytes, for many numbers of one workspace."""
        return Opener(self.data_key, number_context(workspace_id))

    def fingerprinter(self) -> Fingerprinter:
        """Return `fingerprint` for many numbers."""
        return Fingerprinter(self.fingerprint_key)

    def sign(self, message: bytes, purpose: str) -> bytes:
        """Return a 32-byte HMAC with a key derived for this purpose."""
        derived = hmac.digest(self.data_key, b"sign:" + purpose.encode(), hashlib.sha256)
        return hmac.digest(derived, message, hashlib.sha256)


def number_context(workspace_id: int) -> bytes:
    """Return what a number is bound to: numbers of one workspace do not open as another's."""
    return b"number:%d" % workspace_id


def new_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, value: bytes, context: bytes) -> bytes:
    """Return VERSION, nonce and ciphertext of `value`."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, value, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return the value; raises SealBroken."""
    return Opener(key, context).open(bytes(sealed))
