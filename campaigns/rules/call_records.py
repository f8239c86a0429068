"""What call records tell about messages that nobody knows about.

One subscriber at a time: our attempts to send to him over one connection, and the records that the
SMSC has of him. Evidence has to be unambiguous. A record is first paired by what names one attempt
(the SMSC's id, our reference); what is left is counted: only where every record is one of our
attempts and every attempt has a record, each is accepted. Fewer or more records than attempts prove
nothing about any single one, and are left to people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.rules.improvements import rank

AttemptKey = tuple[str, int, int, int]  # day of the batch, batch, position, part


class Reason(StrEnum):
    """What came of one record."""

    SETTLED = "settled"
    KNOWN = "known"
    NO_MATCH = "no_match"
    FEWER = "fewer"
    MORE = "more"
    OPEN = "open"
    BAD_NUMBER = "bad_number"
    BAD_TIME = "bad_time"
    BROKEN = "broken"


# Records that somebody has to look at: they go into the file of what is left.
LEFT = frozenset(
    {
        Reason.NO_MATCH,
        Reason.FEWER,
        Reason.MORE,
        Reason.OPEN,
        Reason.BAD_NUMBER,
        Reason.BAD_TIME,
        Reason.BROKEN,
    }
)


@dataclass(frozen=True)
class Attempt:
    """One attempt to send one segment. `fate` is unknown, submitted, or sending (in flight)."""

    key: AttemptKey
    message: tuple[int, int]  # campaign, position
    sender: str
    since: datetime
    until: datetime
    fate: str
    smsc_id: str = ""
    reference: int = 0


@dataclass(frozen=True)
class Record:
    """One record. `state` is a receipt's word or empty; `at` None where the file has no times."""

    row: int
    sender: str = ""
    at: datetime | None = None
    smsc_id: str = ""
    reference: int = 0
    state: str = ""


@dataclass(frozen=True)
class Stated:
    """A time of which somebody said that no record is missing."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Accepted:
    """An unknown attempt that the SMSC has; id and state where they are surely its own."""

    attempt: Attempt
    smsc_id: str
    state: str


@dataclass(frozen=True)
class Judgement:
    """What the records of one subscriber settle, and the reason of each record by its row."""

    accepted: Sequence[Accepted]
    absent: Sequence[Attempt]
    reasons: Mapping[int, Reason]


def judge(
    attempts: Sequence[Attempt],
    records: Sequence[Record],
    tolerance: timedelta,
    stated: Stated | None = None,
) -> Judgement:
    """Compare one subscriber's attempts and records; clocks may differ by the tolerance."""
    reasons: dict[int, Reason] = {}
    accepted: list[Accepted] = []
    free, left = _named(attempts, records, tolerance, accepted, reasons)
    for group, about in _groups(free, left, tolerance):
        accepted += _counted(group, about, reasons)
    absent = _absent(free, left, accepted, tolerance, stated) if stated else []
    for record in left:
        reasons.setdefault(record.row, Reason.NO_MATCH)
    return Judgement(accepted, absent, reasons)


def _named(
    attempts: Sequence[Attempt],
    records: Sequence[Record],
    tolerance: timedelta,
    accepted: list[Accepted],
    reasons: dict[int, Reason],
) -> tuple[list[Attempt], list[Record]]:
    """Pair what names exactly one attempt; return the attempts and records that are left."""
    free = list(attempts)
    left: list[Record] = []
    for record in sorted(records, key=lambda one: one.row):
        found = _by_id(free, record) or _by_reference(free, record, tolerance)
        if found is None:
            left.append(record)
            continue
        free.remove(found)
        reasons[record.row] = Reason.KNOWN
        if found.fate == "unknown":
            reasons[record.row] = Reason.SETTLED
            accepted.append(Accepted(found, record.smsc_id, record.state))
    return free, left


def _by_id(attempts: Sequence[Attempt], record: Record) -> Attempt | None:
    if not record.smsc_id:
        return None
    return next((one for one in attempts if one.smsc_id == record.smsc_id), None)


def _by_reference(
    attempts: Sequence[Attempt], record: Record, tolerance: timedelta
) -> Attempt | None:
    if not record.reference:
        return None
    fitting = [
        one
        for one in attempts
        if one.reference == record.reference and _fits(one, record, tolerance)
    ]
    is_sure = len(fitting) == 1 and fitting[0].fate != "sending"
    return fitting[0] if is_sure else None


def _fits(attempt: Attempt, record: Record, tolerance: timedelta) -> bool:
    if record.sender and _plain(record.sender) != _plain(attempt.sender):
        return False
    if record.at is None:
        return True
    return attempt.since - tolerance <= record.at <= attempt.until + tolerance


def _plain(sender: str) -> str:
    return sender.lstrip("+").casefold()


def _groups(
    attempts: Sequence[Attempt], records: Sequence[Record], tolerance: timedelta
) -> Iterable[tuple[list[Attempt], list[Record]]]:
    """Yield attempts and records that may be about one another, and nothing else."""
    waiting = [record for record in records if not record.reference]
    unseen = list(attempts)
    while unseen:
        group, about, frontier = [], [], [unseen.pop()]
        while frontier:
            one = frontier.pop()
            group.append(one)
            near = [record for record in waiting if _fits(one, record, tolerance)]
            waiting = [record for record in waiting if record not in near]
            about += near
            reached = [
                other for other in unseen if any(_fits(other, each, tolerance) for each in near)
            ]
            unseen = [other for other in unseen if other not in reached]
            frontier += reached
        yield group, about


def _counted(
    group: Sequence[Attempt], records: Sequence[Record], reasons: dict[int, Reason]
) -> list[Accepted]:
    """Settle a group in which every record is an attempt and every attempt has a record."""
    unknown = [one for one in group if one.fate == "unknown"]
    verdict = Reason.KNOWN
    if any(one.fate == "sending" for one in group):
        verdict = Reason.OPEN
    elif len(records) != len(group):
        verdict = Reason.FEWER if len(records) < len(group) else Reason.MORE
    elif unknown:
        verdict = Reason.SETTLED
    reasons.update((record.row, verdict) for record in records)
    return _told(group, unknown, records) if verdict is Reason.SETTLED else []


def _told(
    group: Sequence[Attempt], unknown: Sequence[Attempt], records: Sequence[Record]
) -> list[Accepted]:
    """Give id and state where it is sure whose they are; that each was accepted is sure anyway."""
    states = {record.state for record in records}
    state = next(iter(states)) if len(states) == 1 else ""
    if len(group) == 1 or _is_one_message(group):
        parts = sorted(unknown, key=lambda one: one.key)
        ordered = sorted(records, key=lambda one: (one.at is None, one.at, one.row))
        pairs = zip(parts, ordered, strict=True)
        return [Accepted(one, record.smsc_id, state) for one, record in pairs]
    return [Accepted(one, "", state) for one in unknown]


def _is_one_message(group: Sequence[Attempt]) -> bool:
    return len({one.message for one in group}) == 1 and all(one.fate == "unknown" for one in group)


def _absent(
    attempts: Sequence[Attempt],
    records: Sequence[Record],
    accepted: Sequence[Accepted],
    tolerance: timedelta,
    stated: Stated,
) -> list[Attempt]:
    """Return unknown attempts that complete records do not have: no record of that person near
    the time, whatever its sender, that is not surely another attempt's.
    """
    settled = {one.attempt.key for one in accepted}
    return [
        one
        for one in attempts
        if one.fate == "unknown"
        and one.key not in settled
        and stated.since <= one.since - tolerance
        and one.until + tolerance <= stated.until
        and not any(_is_near(one, record, tolerance) for record in records)
    ]


def _is_near(attempt: Attempt, record: Record, tolerance: timedelta) -> bool:
    if record.at is None:
        return True
    return attempt.since - tolerance <= record.at <= attempt.until + tolerance


WORDS: Mapping[str, str] = {
    "DELI": "delivered",
    "EXPI": "expired",
    "DELE": "deleted",
    "UNDE": "undeliverable",
    "FAIL": "undeliverable",
    "REJE": "rejected",
    "SKIP": "undeliverable",
}
# message_state of SMPP 3.4, 5.2.28.
NUMBERS: Mapping[str, str] = {
    "2": "delivered",
    "3": "expired",
    "4": "deleted",
    "5": "undeliverable",
    "8": "rejected",
}


def state_of(word: str) -> str:
    """Return the receipt's word for a status in a record; "" for one that says nothing final."""
    word = word.strip()
    found = NUMBERS.get(word) or WORDS.get(word[:4].upper(), "")
    return found if rank(found) else ""
