"""The receipt as nearly every SMSC writes it, read in two matches.

It may only say what `read_receipt` says, or nothing: then the long way is taken.
"""

import re
from typing import Final

from smpp_client.protocol.receipts import STATES, WORDS, ReadReceipt

_BODY: Final = re.compile(
    rb"[^\0]{0,5}\0"  # service_type
    rb"..([^\0]{0,20})\0..([^\0]{0,20})\0"  # whom it is about, and who wrote to him
    rb"\x04..\0\0....(.)"  # a receipt without times of its own; the length of its text
    rb"id:([\w-]{1,64}) sub:\d{1,9} dlvrd:\d{1,9} submit date:\d{1,14} done date:\d{1,14}"
    rb" stat:(\w{1,20}) err:(\w{1,20})",
    re.DOTALL,
)
_OPTIONS: Final = re.compile(
    rb"\x00\x1e\x00(.)([\w-]{1,64})\0\x04\x27\x00\x01(.)(?:\x02\x04\x00\x02(..))?", re.DOTALL
)


def read_common_receipt(body: bytes) -> ReadReceipt | None:
    """Read the body of a deliver_sm; None where it is anything but the common receipt.

    Ids are taken as they are.
    """
    found = _BODY.match(body)
    if found is None:
        return None
    subscriber, sender, length, smsc_id, word, error = found.groups()
    end = found.start(4) - 3 + length[0]
    rest = body[found.end() : end]
    if found.end() > end or end > len(body) or (rest and not rest.startswith(b" text:")):
        return None
    state = WORDS.get(word[:4].upper().decode(), "unknown")
    reference = _reference(body[end:], smsc_id, state)
    if reference is None:
        return None
    return ReadReceipt(
        smsc_id.decode(),
        state,
        error.decode(),
        body,
        reference,
        subscriber.decode("latin-1"),
        sender.decode("latin-1"),
        is_unmarked=False,
        is_contradicting=False,
    )


def _reference(options: bytes, smsc_id: bytes, state: str) -> int | None:
    """Return our reference, 0 without one; None where the options say anything else or more."""
    if not options:
        return 0
    found = _OPTIONS.fullmatch(options)
    if found is None:
        return None
    length, other_id, number, reference = found.groups()
    if length[0] != len(other_id) + 1 or other_id != smsc_id or STATES.get(number[0]) != state:
        return None
    return int.from_bytes(reference, "big") if reference else 0
