"""Pinned public keys as people write them: SHA-256 of a certificate's SPKI, in hex or base64."""

import base64
import binascii
import re
from typing import Final

_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_PREFIX: Final = re.compile(r"^(sha256//|sha256/|sha256:)", re.IGNORECASE)
_SIZE: Final = 32


class PinRefused(ValueError):
    """A line that is no SHA-256; the sentence says what to write."""


def read_pins(text: str) -> tuple[str, ...]:
    """Read one pin a line and return each as 64 small hex digits. Raises PinRefused."""
    return tuple(_read(line.strip()) for line in text.splitlines() if line.strip())


def _read(line: str) -> str:
    written = _PREFIX.sub("", line)
    digits = written.replace(":", "").replace(" ", "")
    if _HEX.fullmatch(digits):
        return digits.lower()
    try:
        digest = base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        digest = b""
    if len(digest) != _SIZE:
        raise PinRefused(f"“{line[:40]}” is no SHA-256 of a public key, in hex or base64.")
    return digest.hex()
