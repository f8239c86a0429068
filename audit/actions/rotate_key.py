"""Replace the signing key: the one that is there signs for the one that comes."""

from dataclasses import replace
from datetime import datetime, timedelta

from audit.actions.sign import MEMORY, Folder, Refused
from audit.actions.signing_key import KeyFiles
from audit.rules.keyring import KeySpan, hand_over
from audit.rules.notes import public_key, read_key


def rotate(folder: Folder, files: KeyFiles, *, overlap: timedelta, now: datetime) -> KeySpan:
    """Replace the signing key; the one before signs too for as long as `overlap`. Returns the new.

    Run again after a crash, it goes on with the key that it had made. Raises Refused, or BadKey.
    """
    memory = folder.memory()
    if memory is None or memory.size <= memory.key.first_epoch:
        raise Refused("The present key has signed nothing yet; there is nothing to replace.")
    name = read_key(memory.key.key).name
    keys = {str(public_key(name, key)): key for key in files.load(may_create=False)}
    if memory.key.key not in keys:
        raise Refused("The signing key is not the one that this signer used before.")
    old = keys[memory.key.key]
    files.arrange(old)
    if files.old.exists():
        raise Refused("The key before this one still signs; wait until both have signed enough.")
    new = files.make_next()
    note = str(hand_over(name, old, new, first_epoch=memory.size))
    added = KeySpan(str(public_key(name, new)), memory.size, note)
    ended = memory.key.ended(now + overlap, last=memory.epoch)
    folder.write(f"rotation-{memory.size}.note", note)
    folder.write(MEMORY, replace(memory, keys=(*memory.keys[:-1], ended, added)).text())
    files.arrange(new)
    return added
