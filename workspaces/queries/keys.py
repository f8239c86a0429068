"""The installation's keys, opened once a process."""

import base64
import binascii
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from workspaces.models import Installation
from workspaces.rules.sealing import KEY_BYTES, Keys, SealBroken, unseal

DATA_KEY_CONTEXT = b"installation.data_key"
FINGERPRINT_KEY_CONTEXT = b"installation.fingerprint_key"


def wrapping_key() -> bytes:
    """Return the 32 bytes of KEY_FILE (base64 in the file); raises ImproperlyConfigured with a
    sentence.
    """
    if not settings.KEY_FILE:
        raise ImproperlyConfigured("Set KEY_FILE to a file with 32 random bytes in base64.")
    try:
        key = base64.b64decode(Path(settings.KEY_FILE).read_text("ascii"), validate=False)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise ImproperlyConfigured(f"KEY_FILE cannot be read: {error}") from error
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"KEY_FILE holds {len(key)} bytes; 32 are needed, in base64.")
    return key


@lru_cache(maxsize=1)
def keys() -> Keys:
    """Return the keys of this installation; raises ImproperlyConfigured when KEY_FILE is not the
    one it was made with.
    """
    row = Installation.objects.get(id=1)
    wrapping = wrapping_key()
    try:
        return Keys(
            data_key=unseal(wrapping, bytes(row.data_key), DATA_KEY_CONTEXT),
            fingerprint_key=unseal(wrapping, bytes(row.fingerprint_key), FINGERPRINT_KEY_CONTEXT),
        )
    except SealBroken as error:
        raise ImproperlyConfigured(
            "KEY_FILE is not the key that this database was made with. Put the right one in place."
        ) from error
