"""What a carrier's process says to the sender: one JSON array a line, its first element a word.

The sender believes nothing of it. Whatever is not as it should be is `Nonsense`, and so is text
that the database could not store: one bad outcome must not keep a hundred good ones from the disk.
In the other direction the sender writes pickles with their length in front; the process has no
reason to doubt those.
"""

import base64
import binascii
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from smpp_client.carrier import Address, Kind, Outcome, Receipt, SegmentKey
from smpp_client.carrier.adapters import Message

LONGEST_LINE: Final = 65_536
LONGEST_RAW: Final = 8_192
LONGEST_ID: Final = 64
LONGEST_ADDRESS: Final = 21
LONGEST_TEXT: Final = 4_096
HIGHEST: Final = 2**31 - 1
STATES: Final = frozenset(
    {
        "delivered",
        "undeliverable",
        "expired",
        "rejected",
        "deleted",
        "unknown",
        "enroute",
        "accepted",
    }
)


class Nonsense(ValueError):
    """What a carrier said cannot be meant; the sentence has nothing of anybody's message in it."""


@dataclass(frozen=True, slots=True)
class ReadOutcome:
    """An outcome as a carrier tells it, in the right types; its key may still be anything."""

    key: SegmentKey
    kind: Kind
    status: int
    smsc_id: str
    cause: str


def line_of(word: str, *values: object) -> bytes:
    """Return one line. Raises Nonsense for what JSON cannot hold or what is too long."""
    try:
        line = json.dumps([word, *values], separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Nonsense(f"A {word} holds what cannot be told ({type(error).__name__}).") from error
    if len(line) >= LONGEST_LINE:
        raise Nonsense(f"A {word} is longer than {LONGEST_LINE} octets.")
    return line + b"\n"


def read_line(line: bytes) -> tuple[str, list[Any]]:
    """Return the word and its values. Raises Nonsense."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Nonsense("A line is not JSON.") from error
    if not isinstance(told, list) or not told or not isinstance(told[0], str):
        raise Nonsense("A line does not begin with a word.")
    return told[0], told[1:]


def order_of(order: object) -> bytes:
    """Return an order to the process, its length in front."""
    body = pickle.dumps(order, protocol=5)
    return len(body).to_bytes(4, "big") + body


def outcome_line(outcome: object) -> bytes:
    """Return an outcome's line. Raises Nonsense."""
    if not isinstance(outcome, Outcome) or not isinstance(outcome.key, SegmentKey):
        raise Nonsense(f"An outcome is a {type(outcome).__name__}.")
    key = outcome.key
    names = [key.batch_id, key.campaign_id, key.position, key.part]
    return line_of(
        "outcome", names, outcome.kind, outcome.status, outcome.smsc_id, str(outcome.cause)[:200]
    )


def read_outcome(values: list[Any]) -> ReadOutcome:
    """Read what outcome_line wrote, or what somebody else did. Raises Nonsense."""
    names, kind, status, smsc_id, cause = _so_many(values, 5)
    return ReadOutcome(
        SegmentKey(*(_number(name, 2**63 - 1) for name in _so_many(names, 4))),
        _kind(kind),
        _number(status, HIGHEST),
        _word(smsc_id, LONGEST_ID),
        _sentence(cause),
    )


def receipt_line(ticket: int, receipt: object) -> bytes:
    """Return a receipt's line. Raises Nonsense."""
    if not isinstance(receipt, Receipt) or not isinstance(receipt.raw, bytes):
        raise Nonsense(f"A receipt is a {type(receipt).__name__}.")
    words = (receipt.smsc_id, receipt.state, receipt.error, receipt.subscriber, receipt.sender)
    raw = base64.b64encode(receipt.raw).decode()
    return line_of("receipt", ticket, *words, receipt.reference, receipt.is_unmarked, raw)


@dataclass(frozen=True, slots=True)
class ToldReceipt:
    """A receipt as a carrier tells it, every field as the database can store it."""

    ticket: int
    smsc_id: str
    state: str
    error: str
    subscriber: str
    sender: str
    reference: int
    is_unmarked: bool
    raw: bytes


def read_receipt(values: list[Any]) -> ToldReceipt:
    """Read a receipt. Raises Nonsense."""
    ticket, smsc_id, state, error, subscriber, sender, reference, unmarked, raw = _so_many(
        values, 9
    )
    if not isinstance(state, str) or state not in STATES:
        raise Nonsense("A receipt has a state that nobody knows.")
    return ToldReceipt(
        ticket=_number(ticket, HIGHEST),
        smsc_id=_word(smsc_id, LONGEST_ID),
        state=state,
        error=_word(error, 16),
        subscriber=_word(subscriber, LONGEST_ADDRESS),
        sender=_word(sender, LONGEST_ADDRESS),
        reference=_number(reference, 0xFFFF),
        is_unmarked=unmarked is True,
        raw=_octets(raw),
    )


def message_line(ticket: int, message: object) -> bytes:
    """Return a subscriber's message's line. Raises Nonsense."""
    if not isinstance(message, Message):
        raise Nonsense(f"A message is a {type(message).__name__}.")
    ends = [[end.ton, end.npi, end.value] for end in (message.source, message.destination)]
    raw = base64.b64encode(message.raw).decode()
    return line_of("message", ticket, *ends, message.text, raw)


def read_message(values: list[Any]) -> tuple[int, Message]:
    """Read a message and its ticket. Raises Nonsense."""
    ticket, source, destination, text, raw = _so_many(values, 5)
    if not isinstance(text, str) or len(text) > LONGEST_TEXT or not _is_unicode(text):
        raise Nonsense("A message has no text that can be stored.")
    message = Message(_address(source), _address(destination), text, _octets(raw))
    return _number(ticket, HIGHEST), message


def read_keys(values: list[Any]) -> list[SegmentKey]:
    """Read the names of segments. Raises Nonsense."""
    (rows,) = _so_many(values, 1)
    if not isinstance(rows, list):
        raise Nonsense("A list of segments is none.")
    return [SegmentKey(*(_number(name, 2**63 - 1) for name in _so_many(row, 4))) for row in rows]


def read_state(values: list[Any]) -> tuple[int, int, str]:
    """Read how many segments were given to the carrier so far, how many it takes now, and its
    health. Raises Nonsense.
    """
    given, free, health = _so_many(values, 3)
    return _number(given, 2**63 - 1), _number(free, HIGHEST), _sentence(health)


def read_sentence(values: list[Any]) -> str:
    """Read one sentence. Raises Nonsense."""
    (sentence,) = _so_many(values, 1)
    return _sentence(sentence)


def _so_many(values: object, count: int) -> Sequence[Any]:
    if not isinstance(values, list) or len(values) != count:
        raise Nonsense(f"Something should have {count} values.")
    return values


def _number(value: object, highest: int) -> int:
    if type(value) is not int or not 0 <= value <= highest:
        raise Nonsense("A number is none, or out of its range.")
    return value


def _word(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or not (value.isprintable()):
        raise Nonsense("A word is none, or too long, or cannot be printed.")
    return value


def _sentence(value: object) -> str:
    """Return at most 200 characters that can be printed; what cannot is left out."""
    if not isinstance(value, str):
        raise Nonsense("A sentence is none.")
    return "".join(filter(str.isprintable, value))[:200]


def _kind(value: object) -> Kind:
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise Nonsense("An outcome is of a kind that nobody knows.") from error


def _address(value: object) -> Address:
    ton, npi, text = _so_many(value, 3)
    return Address(_number(ton, 255), _number(npi, 255), _word(text, LONGEST_ADDRESS))


def _octets(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > LONGEST_RAW * 4 // 3 + 4:
        raise Nonsense("Octets are none, or too many.")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Nonsense("Octets are not in base64.") from error


def _is_unicode(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
