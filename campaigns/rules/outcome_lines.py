"""One line of a sealed segment: what became of one attempt to submit one part of a message.

The line is canonical JSON (docs/FORMAT.md). It is put together by hand: a busy hour has a million.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

# The canonical form of a text: only quotes, backslashes and control characters are escaped.
_quote: Callable[[str], str] = json.encoder.encode_basestring


class Attempt(NamedTuple):
    """A row of `submission` as it is sealed; lines stand in the order of the first five."""

    workspace_id: int
    campaign_id: int
    position: int
    part: int
    batch_id: int
    part_count: int
    kind: str
    status: int
    cause: str
    smsc_id: str
    happened_at: datetime
    receipt_state: str
    receipt_error: str
    receipt_at: datetime | None
    evidence: str


class Committed(NamedTuple):
    """The line's commitments, 64 hex digits; "" where the value was erased before the sealing."""

    number: str
    text: str


class Place(NamedTuple):
    """What finds a line in a file that is in order: its message, and its number from 1."""

    campaign_id: int
    position: int
    n: int


def outcome_line(n: int, attempt: Attempt, sender: str, committed: Committed) -> bytes:
    """Return line `n`, without its line feed; `sender` is the name as it was sent."""
    receipt_at = _stamp(attempt.receipt_at) if attempt.receipt_at else ""
    number = f'"number":"{committed.number}",' if committed.number else ""
    text = f'"text":"{committed.text}",' if committed.text else ""
    return (
        f'{{"at":"{_stamp(attempt.happened_at)}","attempt":{attempt.batch_id},'
        f'"campaign":"cmp_{attempt.campaign_id}","cause":{_quote(attempt.cause)},'
        f'"kind":"{attempt.kind}","n":{n},{number}"part":{attempt.part},'
        f'"parts":{attempt.part_count},"position":{attempt.position},'
        f'"receipt":{_quote(attempt.receipt_state)},"receipt_at":"{receipt_at}",'
        f'"receipt_error":{_quote(attempt.receipt_error)},"sender":{_quote(sender)},'
        f'"settled_by":"{attempt.evidence}","smsc_id":{_quote(attempt.smsc_id)},'
        f'"status":{attempt.status},{text}"v":1}}'
    ).encode()


def read_line(line: bytes) -> dict[str, Any]:
    """Return what a line says."""
    value: dict[str, Any] = json.loads(line)
    return value


def place_of(line: bytes) -> Place:
    """Return where a line belongs."""
    value = read_line(line)
    return Place(int(value["campaign"].removeprefix("cmp_")), value["position"], value["n"])


def _stamp(moment: datetime) -> str:
    """Write a moment as the audit log does, in half the time: the caller's rows have zones."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
